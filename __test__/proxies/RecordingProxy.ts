/** A proxy that writes down what it is asked for, and refuses it. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Certificates } from '../../testing/azure-devops/certificates';
import { targetOf } from './target';

/** Somebody wants to go somewhere through a proxy. */
export interface Asked {
  /** `host:port`, the port always written out. */
  target: string;
  /** How the proxy was spoken to: `http`, `https` or `socks5`. */
  protocol: string;
  /** `user:password`, as the proxy was told. */
  user?: string;
}

const TLS_HANDSHAKE = 0x16;
const SOCKS_5 = 0x05;

/** Takes HTTP, HTTP over TLS and SOCKS 5 on one port, as the first byte says. */
export class RecordingProxy {
  readonly asked: Asked[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server = net.createServer(socket => this.#accept(socket));
  readonly #http: http.Server;
  readonly #https: https.Server;

  static async start(certificates: Certificates): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(certificates);
    await new Promise<void>(resolve =>
      proxy.#server.listen(0, '127.0.0.1', resolve),
    );
    return proxy;
  }

  private constructor({ key, cert }: Certificates) {
    this.#http = this.#recording(http.createServer(), 'http');
    this.#https = this.#recording(https.createServer({ key, cert }), 'https');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', first => {
      if (first[0] === SOCKS_5) return void this.#speakSocks(socket, first);
      socket.pause();
      socket.unshift(first);
      const server = first[0] === TLS_HANDSHAKE ? this.#https : this.#http;
      server.emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  }

  #recording<S extends http.Server | https.Server>(
    server: S,
    protocol: string,
  ): S {
    server.on('request', (request: IncomingMessage, answer: ServerResponse) => {
      this.#record(targetOf(request.url!), protocol, request);
      answer.writeHead(403, { connection: 'close' }).end();
    });
    server.on('connect', (request: IncomingMessage, socket: Duplex) => {
      this.#record(request.url!.toLowerCase(), protocol, request);
      socket.on('error', () => {});
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
    });
    return server;
  }

  #record(target: string, protocol: string, { headers }: IncomingMessage) {
    const [, basic] = headers['proxy-authorization']?.split(' ') ?? [];
    const user =
      basic === undefined ? basic : Buffer.from(basic, 'base64').toString();
    this.asked.push({ target, protocol, user });
  }

  /** A greeting, a user where one is offered, the place, and no. */
  async #speakSocks(socket: Socket, greeting: Buffer): Promise<void> {
    const next = () =>
      new Promise<Buffer>(resolve => socket.once('data', resolve));
    const offersUser = greeting.subarray(2).includes(2);
    let user: string | undefined;
    let answer = next();
    socket.write(Buffer.of(SOCKS_5, offersUser ? 2 : 0));
    if (offersUser) {
      user = userIn(await answer);
      answer = next();
      socket.write(Buffer.of(1, 0));
    }
    const target = placeIn(await answer);
    this.asked.push({ target, protocol: 'socks5', user });
    socket.end(Buffer.of(SOCKS_5, 2, 0, 1, 0, 0, 0, 0, 0, 0));
  }
}

function userIn(message: Buffer): string {
  const end = 2 + message[1];
  const [user, password] = [
    message.subarray(2, end),
    message.subarray(end + 1),
  ];
  return `${user}:${password}`;
}

/** Where a SOCKS client wants to go: an IPv4 address, a name, or an IPv6 address. */
function placeIn(message: Buffer): string {
  const port = message.readUInt16BE(message.length - 2);
  const host = message.subarray(4, -2);
  if (message[3] === 1) return `${[...host].join('.')}:${port}`;
  if (message[3] === 3) return `${host.subarray(1)}:${port}`;
  const parts = host.toString('hex').match(/.{4}/g)!;
  return targetOf(`http://[${parts.join(':')}]:${port}`);
}
