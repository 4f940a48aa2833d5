/** Answers of HTTP/2 as no sound server gives them, and some that only look so. */
import type { Socket } from 'node:net';
import {
  CODE,
  data,
  FLAG,
  frame,
  goAway,
  head,
  headers,
  number,
  reset,
  TYPE,
} from './frames';
import { CONTENT, type Attempt } from './http1';
import { flood, type Answer2 } from './servers';

const LENGTH = { 'content-length': `${CONTENT.length}` };

type Frames = (stream: number) => Buffer[];

function all(
  group: string,
  attempts: Record<
    string,
    [content: string | undefined, frames: Frames, then?: Then]
  >,
): Array<Attempt<Answer2>> {
  return Object.entries(attempts).map(([name, [content, frames, then]]) => ({
    group,
    name,
    content,
    answer: (socket, stream) => {
      socket.write(Buffer.concat(frames(stream)));
      then?.(socket, stream);
    },
  }));
}

type Then = (socket: Socket, stream: number) => void;

const end: Then = socket => socket.end();

/** 4 MB of the same frames, and then the answer. */
function floods(one: (stream: number) => Buffer, last: Frames): Then {
  return (socket, stream) => {
    const many = Buffer.concat(Array(1_000).fill(one(stream)));
    const sent = flood(socket, 4_000_000, many);
    void sent.then(() => socket.end(Buffer.concat(last(stream))));
  };
}

const whole: Frames = stream => [head(stream), data(stream, CONTENT, true)];
const nothing: Frames = () => [];
const ping = () => frame(TYPE.PING, 0, 0, Buffer.alloc(8));

const sound = all('odd and sound', {
  'a content': [CONTENT, whole],
  'a length': [CONTENT, s => [head(s, 200, LENGTH), data(s, CONTENT, true)]],
  'an empty last frame': [
    CONTENT,
    s => [head(s), data(s, CONTENT), data(s, '', true)],
  ],
  'a frame for each byte': [
    CONTENT,
    s => [head(s), ...[...CONTENT].map(c => data(s, c)), data(s, '', true)],
  ],
  padding: [
    CONTENT,
    s => [
      head(s),
      frame(
        TYPE.DATA,
        FLAG.PADDED | FLAG.END_STREAM,
        s,
        Buffer.concat([
          Buffer.from([5]),
          Buffer.from(CONTENT),
          Buffer.alloc(5),
        ]),
      ),
    ],
  ],
  trailers: [
    CONTENT,
    s => [
      head(s),
      data(s, CONTENT),
      frame(
        TYPE.HEADERS,
        FLAG.END_HEADERS | FLAG.END_STREAM,
        s,
        headers(200, { a: 'b' }).subarray(13),
      ),
    ],
  ],
  'unknown frames': [
    CONTENT,
    s => [frame(200, 255, s, Buffer.alloc(9)), ...whole(s)],
  ],
  'a reset after the end': [
    CONTENT,
    s => [...whole(s), reset(s, CODE.NO_ERROR)],
  ],
  'an interim answer': [CONTENT, s => [head(s, 103), ...whole(s)]],
  'go away after this one': [
    CONTENT,
    s => [head(s), goAway(s, CODE.NO_ERROR), data(s, CONTENT, true)],
  ],
  '1,000 pings': [
    CONTENT,
    s => [...Array.from({ length: 1_000 }, ping), ...whole(s)],
  ],
});

const part: Frames = s => [head(s), data(s, 'kin')];

const cut = all('cut off', {
  'a reset without an error': [
    undefined,
    s => [...part(s), reset(s, CODE.NO_ERROR)],
  ],
  'such a reset before the content': [
    undefined,
    s => [head(s), reset(s, CODE.NO_ERROR)],
  ],
  'such a reset before the head': [undefined, s => [reset(s, CODE.NO_ERROR)]],
  'such a reset with a length': [
    undefined,
    s => [head(s, 200, LENGTH), data(s, 'kin'), reset(s, CODE.NO_ERROR)],
  ],
  'a reset that cancels': [undefined, s => [...part(s), reset(s, CODE.CANCEL)]],
  'a reset that asks for calm': [
    undefined,
    s => [...part(s), reset(s, CODE.ENHANCE_YOUR_CALM)],
  ],
  'an end of the connection': [undefined, part, end],
  'go away, and an end': [
    undefined,
    s => [...part(s), goAway(s, CODE.NO_ERROR)],
    end,
  ],
  'go away before this one': [
    undefined,
    s => [...part(s), goAway(0, CODE.NO_ERROR)],
    end,
  ],
  'go away for want of calm': [
    undefined,
    s => [...part(s), goAway(s, CODE.ENHANCE_YOUR_CALM)],
    end,
  ],
  'less than its length': [
    undefined,
    s => [head(s, 200, LENGTH), data(s, 'kin', true)],
  ],
  'more than its length': [
    undefined,
    s => [head(s, 200, { 'content-length': '3' }), data(s, CONTENT, true)],
  ],
  'a reset of gzip without an error': [
    undefined,
    s => [
      head(s, 200, { 'content-encoding': 'gzip' }),
      reset(s, CODE.NO_ERROR),
    ],
  ],
});

const odd = all('frames that lie', {
  'padding longer than its frame': [
    undefined,
    s => [
      head(s),
      frame(
        TYPE.DATA,
        FLAG.PADDED | FLAG.END_STREAM,
        s,
        Buffer.from([200, 1, 2]),
      ),
    ],
  ],
  'a frame of 16 MB': [
    undefined,
    s => [
      head(s),
      frame(TYPE.DATA, FLAG.END_STREAM, s, Buffer.alloc(2 ** 24 - 1)),
    ],
  ],
  'a content of no stream': [undefined, s => [head(s), data(0, CONTENT, true)]],
  'a content before the head': [undefined, s => [data(s, CONTENT, true)]],
  'a name in upper case': [
    undefined,
    s => [head(s, 200, { Upper: 'x' }), data(s, CONTENT, true)],
  ],
  'no status': [
    undefined,
    s => [
      frame(
        TYPE.HEADERS,
        FLAG.END_HEADERS,
        s,
        headers(200, { a: 'b' }).subarray(13),
      ),
      data(s, CONTENT, true),
    ],
  ],
  'an entry that no table has': [
    undefined,
    s => [
      frame(
        TYPE.HEADERS,
        FLAG.END_HEADERS,
        s,
        Buffer.from([0xff, 0x80, 0x80, 0x01]),
      ),
      data(s, CONTENT, true),
    ],
  ],
  'a table of 4 GB': [
    undefined,
    s => [
      frame(
        TYPE.HEADERS,
        FLAG.END_HEADERS,
        s,
        Buffer.concat([
          Buffer.from([0x3f, 0xff, 0xff, 0xff, 0xff, 0x0f]),
          headers(200),
        ]),
      ),
      data(s, CONTENT, true),
    ],
  ],
  'a push': [
    undefined,
    s => [
      frame(
        TYPE.PUSH_PROMISE,
        FLAG.END_HEADERS,
        s,
        Buffer.concat([number(2), headers(200)]),
      ),
      ...whole(s),
    ],
  ],
  'a window of nothing more': [
    undefined,
    s => [frame(TYPE.WINDOW_UPDATE, 0, 0, number(0)), ...whole(s)],
  ],
  'a window beyond 2^31': [
    undefined,
    s => [frame(TYPE.WINDOW_UPDATE, 0, 0, number(2 ** 31 - 1)), ...whole(s)],
  ],
  'settings of 5 bytes': [
    undefined,
    s => [frame(TYPE.SETTINGS, 0, 0, Buffer.alloc(5)), ...whole(s)],
  ],
  'another frame amid headers': [
    undefined,
    s => [frame(TYPE.HEADERS, 0, s, headers(200)), data(s, CONTENT, true)],
  ],
  'a header of 1 MB': [undefined, s => bigHead(s)],
});

const floodsOfFrames = all('floods', {
  'headers without end': [
    undefined,
    s => [frame(TYPE.HEADERS, 0, s, headers(200))],
    floods(
      s =>
        frame(
          TYPE.CONTINUATION,
          0,
          s,
          headers(200, { a: 'b'.repeat(99) }).subarray(13),
        ),
      nothing,
    ),
  ],
  'empty headers without end': [
    undefined,
    s => [frame(TYPE.HEADERS, 0, s, headers(200))],
    floods(s => frame(TYPE.CONTINUATION, 0, s), nothing),
  ],
  'interim answers': [undefined, nothing, floods(s => head(s, 103), nothing)],
  settings: [
    undefined,
    nothing,
    floods(() => frame(TYPE.SETTINGS, 0, 0), nothing),
  ],
  pings: [undefined, nothing, floods(ping, nothing)],
  'empty contents': [
    undefined,
    s => [head(s)],
    floods(s => data(s, ''), nothing),
  ],
  'resets of what was not asked': [
    undefined,
    nothing,
    floods(() => reset(2, CODE.CANCEL), nothing),
  ],
  priorities: [
    undefined,
    nothing,
    floods(
      s => frame(TYPE.PRIORITY, 0, s + 2, Buffer.from([0, 0, 0, 0, 9])),
      nothing,
    ),
  ],
});

/** All that is tried over HTTP/2. */
export const attempts2 = [...sound, ...cut, ...odd, ...floodsOfFrames];

/** A head in as many frames as it takes. */
function bigHead(stream: number): Buffer[] {
  const block = headers(200, { a: 'b'.repeat(1_000_000) });
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += 16_000) {
    const type = at === 0 ? TYPE.HEADERS : TYPE.CONTINUATION;
    const isLast = at + 16_000 >= block.length;
    const piece = block.subarray(at, at + 16_000);
    frames.push(frame(type, isLast ? FLAG.END_HEADERS : 0, stream, piece));
  }
  return [...frames, data(stream, CONTENT, true)];
}
