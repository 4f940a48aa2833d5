/** Frames of HTTP/2, right and wrong ones. */

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
};

export const FLAG = { ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8 };

export const CODE = { NO_ERROR: 0, CANCEL: 8, ENHANCE_YOUR_CALM: 11 };

/** A frame of any type with any payload. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Headers as HPACK has them, in full. */
export function headers(
  status: number,
  fields: Record<string, string> = {},
): Buffer {
  const all = Object.entries({ ':status': `${status}`, ...fields });
  return Buffer.concat(all.map(([name, value]) => literal(name, value)));
}

/** The head of an answer, which its content may follow. */
export function head(
  stream: number,
  status = 200,
  fields: Record<string, string> = {},
): Buffer {
  const block = headers(status, fields);
  return frame(TYPE.HEADERS, FLAG.END_HEADERS, stream, block);
}

/** A part of a content. */
export function data(stream: number, content: string, isLast = false): Buffer {
  const flags = isLast ? FLAG.END_STREAM : 0;
  return frame(TYPE.DATA, flags, stream, Buffer.from(content));
}

/** Ends a stream with a code. */
export function reset(stream: number, code: number): Buffer {
  return frame(TYPE.RST_STREAM, 0, stream, number(code));
}

/** Tells a client to go away after a stream. */
export function goAway(last: number, code: number): Buffer {
  const payload = Buffer.concat([number(last), number(code)]);
  return frame(TYPE.GOAWAY, 0, 0, payload);
}

/** Four bytes. */
export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127)
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left >>= 7) length.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([...length, left]), bytes]);
}
