/** Servers and proxies that fail, each in one way. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { constants, createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import {
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import type { Certificate } from '../../testing/certificates/Certificate';

export const CONTENT = 'it was read';

/** How often each port was connected to. */
export const connections = new Map<number, number>();

const running: Server[] = [];
const sockets = new Set<Socket>();

/** Closes each connection after the first bytes. */
export function closing(close: (socket: Socket) => void): Promise<number> {
  return listen(
    createServer(socket => socket.once('data', () => close(socket))),
  );
}

/** Says something of its own before it is asked. */
export function speaking(words: string): Promise<number> {
  return listen(createServer(socket => socket.write(words)));
}

/** Answers with a status, to `CONNECT` as to everything. */
export function answering(status: string, head = ''): Promise<number> {
  const answer = `HTTP/1.1 ${status}\r\n${head}Content-Length: 0\r\n\r\n`;
  return closing(socket => socket.end(answer));
}

/** Answers as a gateway does, with a page. */
export function answeringPage(status: number): Promise<number> {
  return listen(
    createHttpServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/html' });
      response.end('<html><title>Gateway</title></html>');
    }),
  );
}

/** Speaks HTTP in plain text. */
export function plain(): Promise<number> {
  return listen(
    createHttpServer((_request, response) => response.end(CONTENT)),
  );
}

/** Speaks HTTPS. */
export function secure(own: Certificate, settings = {}): Promise<number> {
  const server = createHttpsServer(
    { key: own.keyPem, cert: own.pem, ...settings },
    (_request, response) => response.end(CONTENT),
  );
  return listen(server);
}

/** Refuses HTTP/2 by a code, and answers over HTTP/1.1. */
export function refusingHttp2(
  own: Certificate,
  code: 'HTTP_1_1_REQUIRED' | 'PROTOCOL_ERROR',
): Promise<number> {
  const server = createSecureServer(
    { key: own.keyPem, cert: own.pem, allowHTTP1: true },
    (request, response) => {
      if (request.httpVersion !== '2.0') return response.end(CONTENT);
      request.stream.on('error', () => {});
      return request.stream.close(constants[`NGHTTP2_${code}`]);
    },
  );
  return listen(server);
}

/** A port on which nobody listens. */
export async function nobody(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  running.pop();
  server.close();
  return port;
}

export function stopServers(): void {
  for (const socket of sockets) socket.destroy();
  for (const server of running.splice(0)) server.close();
}

async function listen(server: Server): Promise<number> {
  running.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.on('connection', (socket: Socket) => {
    connections.set(port, (connections.get(port) ?? 0) + 1);
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  });
  return port;
}
