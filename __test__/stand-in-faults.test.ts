/** The stand-in's misbehaviour as clients of Node see it, so that tests of faults test those faults. */
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import http2, { type ClientHttp2Session } from 'node:http2';
import net, { type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import { gunzipSync } from 'node:zlib';
import {
  DEFAULT_TOKEN,
  standIn,
  type Gate,
  type Http2Code,
  type Misbehaviour,
} from '../testing/azure-devops';

const azure = standIn();
const CONTENT = 'content '.repeat(100);
const API = '/faults-seen/p/_apis/git/repositories/r';
const ITEM = `${API}/items?path=/a.txt`;
const authorization = `Basic ${btoa(`:${DEFAULT_TOKEN}`)}`;

let gate: Gate;

beforeAll(async () => {
  await azure.addRepository({
    organization: 'faults-seen',
    project: 'p',
    repository: 'r',
    files: { 'a.txt': CONTENT },
  });
});

beforeEach(async () => {
  azure.reset();
  gate = await azure.openGate();
});

afterEach(() => gate.close());

describe('over HTTP/1.1', () => {
  it.each<[string, Misbehaviour, { body: string; end: string }]>([
    ['nothing', {}, { body: CONTENT, end: 'end' }],
    ['a reset before the head', { resetAfter: -1 }, seen(-1, 'ECONNRESET')],
    ['a reset after the head', { resetAfter: 0 }, seen(0, 'ECONNRESET')],
    ['a reset in the body', { resetAfter: 9 }, seen(9, 'ECONNRESET')],
    ['an end before the head', { truncateAfter: -1 }, seen(-1, 'end')],
    ['an end after the head', { truncateAfter: 0 }, seen(0, 'end')],
    ['an end in the body', { truncateAfter: 9 }, seen(9, 'end')],
    [
      'more than was announced',
      { excess: Buffer.from('more') },
      { body: `${CONTENT}more`, end: 'end' },
    ],
    [
      'a pause in the body',
      { stallAfter: 9, stallMs: 50 },
      { body: CONTENT, end: 'end' },
    ],
  ])('is %s', async (_what, misbehaviour, expected) => {
    azure.misbehave({ match: 'a.txt', ...misbehaviour });
    const { text, end } = await raw(ITEM);
    const [head, body] = text.split('\r\n\r\n');
    expect({ body: body ?? 'no head', end }).toEqual(expected);
    const announced = /content-length: (\d+)/i.exec(head)?.[1];
    if (body !== undefined) expect(announced).toBe(`${CONTENT.length}`);
  });

  it('is a body of no announced length', async () => {
    azure.misbehave({ chunked: true });
    const { text } = await raw(ITEM);
    expect(text).toContain('Transfer-Encoding: chunked');
    expect(text).toContain('0\r\n\r\n');
  });

  it('is JSON whose gzip is damaged', async () => {
    azure.misbehave({ damageAt: 40 });
    const headers = { authorization, 'accept-encoding': 'gzip' };
    const url = `http://${gate.host}${API}/commits`;
    const response = await new Promise<IncomingMessage>(resolve =>
      http.get(url, { headers, agent: false }, resolve),
    );
    const body = await buffer(response);
    expect(body.subarray(0, 2).toString('hex')).toBe('1f8b');
    expect(() => gunzipSync(body)).toThrow();
  });

  it.each([
    ['reset', 'ECONNRESET'],
    ['end', 'end'],
  ] as const)(
    'is a connection whose %s comes at any byte',
    async (how, end) => {
      for (const after of [0, 1, 100]) {
        for (const from of ['client', 'server'] as const) {
          const takeBack = await gate.breakConnections({ how, from, after });
          const { text, end: came } = await raw(ITEM);
          expect(came).toBe(end);
          expect(text.length).toBe(from === 'server' ? after : 0);
          await takeBack();
        }
      }
      expect((await raw(ITEM)).text).toContain(CONTENT);
    },
  );

  it('is a connection that falls silent', async () => {
    await gate.breakConnections({ how: 'stall', from: 'server', after: 10 });
    const { text, end } = await raw(ITEM, 200);
    expect({ length: text.length, end }).toEqual({ length: 10, end: 'silent' });
    expect(gate.openSockets).toBe(0);
  });

  it('is a connection that is refused, for a while', async () => {
    const takeBack = await gate.breakConnections({ how: 'refuse' });
    expect(await raw(ITEM)).toEqual({ text: '', end: 'ECONNREFUSED' });
    await takeBack();
    expect((await raw(ITEM)).text).toContain(CONTENT);
  });
});

describe('over HTTP/2', () => {
  let session: ClientHttp2Session;

  beforeEach(async () => {
    session = await newSession();
  });

  afterEach(() => session.destroy());

  it.each<Http2Code>(['INTERNAL_ERROR', 'REFUSED_STREAM', 'CANCEL'])(
    'is a stream that is reset with %s',
    async resetCode => {
      for (const resetAfter of [-1, 0, 9]) {
        azure.misbehave({ times: 1, resetAfter, resetCode });
        const { length, code } = await ask(session);
        expect(code).toBe(http2.constants[`NGHTTP2_${resetCode}`]);
        expect(length).toBe(Math.max(resetAfter, 0));
      }
      expect((await ask(session)).length).toBe(CONTENT.length);
    },
  );

  it('is a stream that ends before its end', async () => {
    azure.misbehave({ truncateAfter: 9 });
    expect(await ask(session)).toMatchObject({ announced: '800', length: 9 });
  });

  it('is a connection that goes away, with what is under way or without', async () => {
    const codes: number[] = [];
    session.on('goaway', code => codes.push(code));
    azure.misbehave({ times: 1, goAwayAfter: 9 });
    expect((await ask(session)).length).toBe(CONTENT.length);
    session = await newSession();
    session.on('goaway', code => codes.push(code));
    azure.misbehave({ goAwayAfter: 9, goAwayCode: 'INTERNAL_ERROR' });
    expect((await ask(session)).length).toBeLessThan(CONTENT.length);
    expect(codes).toEqual([0, http2.constants.NGHTTP2_INTERNAL_ERROR]);
  });

  it('is a connection that breaks in the TLS handshake, or before', async () => {
    for (const after of [0, 50]) {
      const takeBack = azure.breakConnections({ how: 'reset', after });
      await expect(newSession()).rejects.toThrow(/ECONNRESET|disconnected/);
      takeBack();
    }
    azure.breakConnections({ how: 'refuse' });
    await expect(newSession()).rejects.toThrow('502');
  });
});

function seen(length: number, end: string) {
  return { body: length < 0 ? 'no head' : CONTENT.slice(0, length), end };
}

/** What comes through the gate, and how it ends; `silent` where nothing more comes for so long. */
async function raw(path: string, patience = 5_000) {
  const [address, port] = gate.host.split(':');
  const socket = net.connect({ port: Number(port), host: address });
  let text = '';
  socket.on('data', piece => {
    text += piece;
  });
  const ended = new Promise<string>(resolve => {
    socket.once('end', () => resolve('end'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code!));
    setTimeout(() => resolve('silent'), patience).unref();
  });
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${gate.host}\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`,
  );
  const end = await ended;
  socket.destroy();
  await wait(20);
  return { text, end };
}

/** A session of HTTP/2 through the proxy. */
async function newSession(): Promise<ClientHttp2Session> {
  const socket = await tunnel();
  const secure = tls.connect({
    socket,
    servername: 'dev.azure.com',
    ALPNProtocols: ['h2'],
    ca: readFileSync(azure.caFile),
  });
  await new Promise((resolve, reject) =>
    secure.once('secureConnect', resolve).once('error', reject),
  );
  const session = http2.connect('https://dev.azure.com', {
    createConnection: () => secure,
  });
  return session.on('error', () => {});
}

async function tunnel(): Promise<Socket> {
  const { hostname: host, port } = new URL(azure.proxyUrl);
  const options = { host, port, method: 'CONNECT', path: 'dev.azure.com:443' };
  return new Promise((resolve, reject) => {
    http
      .request(options)
      .once('connect', ({ statusCode }, socket) =>
        statusCode === 200
          ? resolve(socket)
          : reject(new Error(`${statusCode}`)),
      )
      .once('error', reject)
      .end();
  });
}

/** How long the content is, as it was announced and as it came, and how the stream ended. */
async function ask(session: ClientHttp2Session) {
  const stream = session.request({ ':path': ITEM, authorization });
  let announced: unknown;
  let length = 0;
  stream.once('response', headers => {
    announced = headers['content-length'];
  });
  stream.on('data', piece => {
    length += piece.length;
  });
  stream.on('error', () => {});
  await new Promise(resolve => stream.once('close', resolve));
  return { announced, length, code: stream.rstCode };
}
