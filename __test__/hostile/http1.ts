/** Answers of HTTP/1 as no sound server gives them, and some that only look so. */
import type { Socket } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { flood, type Answer1 } from './servers';

/** What is read where all goes well. */
export const CONTENT = 'kind: API\n';

/** What is tried, and what may come of it: exactly this content, or an error. */
export interface Attempt<Answer> {
  /** The kind of attempt. */
  group: string;
  name: string;
  content: string | undefined;
  answer: Answer;
}

type Attempt1 = Attempt<Answer1>;

const LENGTH = `content-length: ${CONTENT.length}`;
const CHUNKED = 'transfer-encoding: chunked';
const CHUNKS = `4\r\nkind\r\n6\r\n: API\n\r\n`;

/** Sends all that is given and ends the connection. */
function sends(...parts: Array<string | Buffer>): Answer1 {
  return socket => {
    for (const part of parts) socket.write(part);
    socket.end();
  };
}

/** An answer with these headers and this content. */
function ok(headers: string[], content: string | Buffer = CONTENT): Answer1 {
  return sends(answer('200 OK', headers), content);
}

function answer(status: string, headers: string[]): string {
  return [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n');
}

function all(
  group: string,
  attempts: Record<string, [content: string | undefined, answer: Answer1]>,
): Attempt1[] {
  const entries = Object.entries(attempts);
  return entries.map(([name, [content, own]]) => ({
    group,
    name,
    content,
    answer: own,
  }));
}

const sound = all('odd and sound', {
  'a length': [CONTENT, ok([LENGTH])],
  'no length': [CONTENT, ok([])],
  'HTTP/1.0': [CONTENT, sends('HTTP/1.0 200 OK\r\n\r\n', CONTENT)],
  chunks: [CONTENT, ok([CHUNKED], `${CHUNKS}0\r\n\r\n`)],
  trailers: [CONTENT, ok([CHUNKED], `${CHUNKS}0\r\na: b\r\n\r\n`)],
  'extensions of chunks': [
    CONTENT,
    ok([CHUNKED], '4;a=b\r\nkind\r\n6;c\r\n: API\n\r\n0\r\n\r\n'),
  ],
  '20 interim answers': [
    CONTENT,
    sends(
      'HTTP/1.1 100 Continue\r\n\r\n'.repeat(20),
      answer('200 OK', [LENGTH]),
      CONTENT,
    ),
  ],
  'early hints': [
    CONTENT,
    sends(
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n',
      answer('200 OK', [LENGTH]),
      CONTENT,
    ),
  ],
  'the same length twice': [CONTENT, ok([LENGTH, LENGTH])],
  'a length beside chunks': [
    CONTENT,
    ok([CHUNKED, 'content-length: 3'], `${CHUNKS}0\r\n\r\n`),
  ],
  'identity as transfer': [CONTENT, ok(['transfer-encoding: identity'])],
  'a length that leaves some out': ['kind', ok(['content-length: 4'])],
  'no phrase': [CONTENT, sends(`HTTP/1.1 200\r\n${LENGTH}\r\n\r\n`, CONTENT)],
});

const lengths = all('lengths that lie', {
  'too long': [undefined, ok(['content-length: 11'])],
  '2^60': [undefined, ok([`content-length: ${2n ** 60n}`])],
  '2^63': [undefined, ok([`content-length: ${2n ** 63n}`])],
  '2^64': [undefined, ok([`content-length: ${2n ** 64n}`])],
  two: [undefined, ok([LENGTH, 'content-length: 4'])],
  'two in a line': [undefined, ok(['content-length: 10, 4'])],
  negative: [undefined, ok(['content-length: -1'])],
  'no number': [undefined, ok(['content-length: ten'])],
  hexadecimal: [undefined, ok(['content-length: 0xa'])],
  'with a fraction': [undefined, ok(['content-length: 10.0'])],
});

const chunks = all('chunks that lie', {
  'no last': [undefined, ok([CHUNKED], CHUNKS)],
  'cut off': [undefined, ok([CHUNKED], '4\r\nki')],
  'no size': [undefined, ok([CHUNKED], '\r\nkind\r\n0\r\n\r\n')],
  'a negative size': [undefined, ok([CHUNKED], '-4\r\nkind\r\n0\r\n\r\n')],
  'a size of 2^64': [
    undefined,
    ok([CHUNKED], '10000000000000000\r\nkind\r\n0\r\n\r\n'),
  ],
  'a size of 2^63': [undefined, ok([CHUNKED], '8000000000000000\r\nkind')],
  'more than their size': [
    undefined,
    ok([CHUNKED], '4\r\nkind: API\n\r\n0\r\n\r\n'),
  ],
  'coded twice': [
    undefined,
    ok(['transfer-encoding: chunked, chunked'], `${CHUNKS}0\r\n\r\n`),
  ],
  'not the last coding': [
    undefined,
    ok(['transfer-encoding: chunked, identity'], `${CHUNKS}0\r\n\r\n`),
  ],
  'over gzip': [
    undefined,
    ok(['transfer-encoding: gzip, chunked'], chunk(gzipSync(CONTENT))),
  ],
  'gzip alone': [undefined, ok(['transfer-encoding: gzip'], gzipSync(CONTENT))],
  'an unknown coding': [
    undefined,
    ok(['transfer-encoding: xchunked'], `${CHUNKS}0\r\n\r\n`),
  ],
});

const heads = all('heads', {
  nothing: [undefined, sends()],
  reset: [undefined, socket => void socket.resetAndDestroy()],
  'HTTP/0.9': [undefined, sends(CONTENT)],
  'HTTP/9.9': [
    undefined,
    sends(`HTTP/9.9 200 OK\r\n${LENGTH}\r\n\r\n`, CONTENT),
  ],
  'a status of two digits': [
    undefined,
    sends(`HTTP/1.1 20 OK\r\n${LENGTH}\r\n\r\n`, CONTENT),
  ],
  'a status of 999': [undefined, sends(answer('999 What', [LENGTH]), CONTENT)],
  'another protocol': [
    undefined,
    sends(
      answer('101 Switching Protocols', ['connection: upgrade', 'upgrade: x']),
      CONTENT,
    ),
  ],
  TLS: [undefined, sends(Buffer.from('16030100020228', 'hex'), CONTENT)],
  'cut off': [undefined, sends('HTTP/1.1 200 OK\r\nconte')],
  '10,000 headers': [
    undefined,
    ok(Array.from({ length: 10_000 }, (_, n) => `x-${n}: y`)),
  ],
  'a header of 1 MB': [undefined, ok([`x: ${'y'.repeat(1_000_000)}`, LENGTH])],
  'a name of 1 MB': [undefined, ok([`${'y'.repeat(1_000_000)}: x`, LENGTH])],
  'a phrase of 1 MB': [
    undefined,
    sends(answer(`200 ${'O'.repeat(1_000_000)}`, [LENGTH]), CONTENT),
  ],
  'NUL in a header': [undefined, ok(['x: a\0b', LENGTH])],
  'a space before a colon': [undefined, ok(['content-length : 4', LENGTH])],
  'no colon': [undefined, ok(['nothing', LENGTH])],
  'endless headers': [
    undefined,
    socket => floods(socket, 'HTTP/1.1 200 OK\r\n', 'x: y\r\n'),
  ],
  'endless interim answers': [
    undefined,
    socket => floods(socket, '', 'HTTP/1.1 100 Continue\r\n\r\n'),
  ],
  'endless space': [undefined, socket => floods(socket, '', '\r\n')],
});

const floodsOfChunks = all('floods in contents', {
  'an extension of 1 MB': [
    undefined,
    ok(
      [CHUNKED],
      `4;${'x'.repeat(1_000_000)}\r\nkind\r\n6\r\n: API\n\r\n0\r\n\r\n`,
    ),
  ],
  '10,000 trailers': [
    undefined,
    ok([CHUNKED], `${CHUNKS}0\r\n${'x: y\r\n'.repeat(10_000)}\r\n`),
  ],
  'endless trailers': [
    undefined,
    socket =>
      floods(
        socket,
        `${answer('200 OK', [CHUNKED])}${CHUNKS}0\r\n`,
        'x: y\r\n',
      ),
  ],
  'an endless size': [
    undefined,
    socket => floods(socket, answer('200 OK', [CHUNKED]), '0'),
  ],
});

const statuses = all(
  'other successes',
  Object.fromEntries(
    [
      '201 Created',
      '202 Accepted',
      '204 No Content',
      '205 Reset Content',
      '206 Partial Content',
      '207 Multi-Status',
      '208 Already Reported',
      '226 IM Used',
      '299 What',
    ].map(status => [
      status,
      [
        undefined,
        sends(answer(status, [LENGTH, 'content-range: bytes 0-9/20']), CONTENT),
      ],
    ]),
  ),
);

const zipped = gzipSync(CONTENT);
const coded = (coding: string, content: Buffer) =>
  ok(
    [`content-encoding: ${coding}`, `content-length: ${content.length}`],
    content,
  );

const codings = all('codings', {
  gzip: [CONTENT, coded('gzip', zipped)],
  GZIP: [CONTENT, coded('GZIP', zipped)],
  'x-gzip': [CONTENT, coded('x-gzip', zipped)],
  deflate: [CONTENT, coded('deflate', deflateSync(CONTENT))],
  'deflate without a head': [
    CONTENT,
    coded('deflate', deflateRawSync(CONTENT)),
  ],
  'gzip, gzip': [undefined, coded('gzip, gzip', gzipSync(zipped))],
  'deflate, gzip': [
    undefined,
    coded('deflate, gzip', gzipSync(deflateSync(CONTENT))),
  ],
  'two lines': [
    undefined,
    ok(['content-encoding: gzip', 'content-encoding: gzip'], gzipSync(zipped)),
  ],
  'two lines, one of which is none': [
    CONTENT,
    ok(['content-encoding: identity', 'content-encoding: gzip'], zipped),
  ],
  none: [CONTENT, ok(['content-encoding: none', LENGTH])],
  'UTF-8': [CONTENT, ok(['content-encoding: UTF-8', LENGTH])],
  'a line break after gzip': [
    CONTENT,
    coded('gzip', Buffer.concat([zipped, Buffer.from('\r\n')])),
  ],
  identity: [CONTENT, ok(['content-encoding: identity', LENGTH])],
  'an empty one': [CONTENT, ok(['content-encoding:', LENGTH])],
  'gzip in chunks of a byte': [
    CONTENT,
    ok([CHUNKED, 'content-encoding: gzip'], chunk(zipped, 1)),
  ],
  'an empty content': ['', coded('gzip', Buffer.alloc(0))],
  'gzip of nothing': ['', coded('gzip', gzipSync(''))],
  'two parts of gzip': [
    CONTENT,
    coded('gzip', Buffer.concat([gzipSync('kind'), gzipSync(': API\n')])),
  ],
  'zeros after gzip': [
    CONTENT,
    coded('gzip', Buffer.concat([zipped, Buffer.alloc(100)])),
  ],
  br: [undefined, coded('br', Buffer.from('8b0480', 'hex'))],
  zstd: [undefined, coded('zstd', Buffer.from('28b52ffd', 'hex'))],
  compress: [undefined, coded('compress', zipped)],
  unknown: [undefined, coded('\x1b[31mrot13', Buffer.from(CONTENT))],
  'gzip, br': [undefined, coded('gzip, br', zipped)],
  'gzip 6 times': [
    undefined,
    coded(
      Array(6).fill('gzip').join(),
      [1, 2, 3, 4, 5].reduce(content => gzipSync(content), zipped),
    ),
  ],
  'gzip cut off': [undefined, coded('gzip', zipped.subarray(0, -10))],
  'gzip without its last byte': [
    undefined,
    coded('gzip', zipped.subarray(0, -1)),
  ],
  'gzip cut off in its head': [undefined, coded('gzip', zipped.subarray(0, 5))],
  'gzip with another checksum': [
    undefined,
    coded('gzip', flipped(zipped, zipped.length - 6)),
  ],
  'gzip with another length': [
    undefined,
    coded('gzip', flipped(zipped, zipped.length - 2)),
  ],
  'gzip that is none': [undefined, coded('gzip', Buffer.from(CONTENT))],
  'bytes after gzip': [
    undefined,
    coded('gzip', Buffer.concat([zipped, Buffer.from(CONTENT)])),
  ],
  'bytes after gzip and zeros': [
    undefined,
    coded('gzip', Buffer.concat([zipped, Buffer.alloc(9), zipped])),
  ],
  'a second part cut off': [
    undefined,
    coded('gzip', Buffer.concat([zipped, zipped.subarray(0, 12)])),
  ],
  'deflate cut off': [
    undefined,
    coded('deflate', deflateSync(CONTENT).subarray(0, -3)),
  ],
  'bytes after deflate': [
    undefined,
    coded('deflate', Buffer.concat([deflateSync(CONTENT), zipped])),
  ],
  'deflate with another checksum': [
    undefined,
    coded(
      'deflate',
      flipped(deflateSync(CONTENT), deflateSync(CONTENT).length - 1),
    ),
  ],
});

/** All that is tried over HTTP/1. */
export const attempts1 = [
  ...sound,
  ...lengths,
  ...chunks,
  ...heads,
  ...floodsOfChunks,
  ...statuses,
  ...codings,
];

/** 4 MB of the same, which settles a read sooner than its end. */
function floods(socket: Socket, start: string, piece: string): void {
  socket.write(start);
  const many = Buffer.from(piece.repeat(10_000));
  void flood(socket, 4_000_000, many).then(() => socket.end());
}

function chunk(content: Buffer, size = content.length): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) {
    const part = content.subarray(at, at + size);
    parts.push(
      Buffer.from(`${part.length.toString(16)}\r\n`),
      part,
      Buffer.from('\r\n'),
    );
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

function flipped(content: Buffer, at: number): Buffer {
  const other = Buffer.from(content);
  other[at] ^= 1;
  return other;
}
