/** Servers with certificates, and a proxy that finds each of them on this machine, whatever its name. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { Certificate } from '../../testing/certificates/Certificate';

export const CONTENT = 'it was read';

const running: Server[] = [];
const sockets = new Set<Socket>();

/** Starts a server, and gives its port. It speaks TLS as weakly as a client wants. */
export function serve(
  chain: Certificate[],
  settings: TlsOptions = {},
  asked: Asked = () => {},
): Promise<number> {
  const server = createTlsServer(
    { ...identityOf(chain), ciphers: 'DEFAULT:@SECLEVEL=0', ...settings },
    (request, response) => {
      asked(request);
      response.end(CONTENT);
    },
  );
  return listen(server);
}

/** The same, which speaks HTTP/2 as well. */
export function serveHttp2(
  chain: Certificate[],
  asked: Asked,
): Promise<number> {
  const server = createSecureServer(
    { ...identityOf(chain), allowHTTP1: true },
    (request, response) => {
      asked(request);
      response.end(CONTENT);
    },
  );
  return listen(server);
}

type Asked = (request: { httpVersion: string }) => void;

function identityOf(chain: Certificate[]): TlsOptions {
  return { key: chain[0]!.keyPem, cert: chain.map(({ pem }) => pem).join('') };
}

/** Starts the proxy, and gives its URL. */
export async function startProxy(): Promise<string> {
  const proxy = createServer();
  proxy.on('connect', ({ url }, socket: Socket) => {
    const server = connect(Number(url!.split(':').at(-1)), '127.0.0.1');
    for (const end of [socket, server]) end.on('error', () => end.destroy());
    server.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(server).pipe(socket);
    });
  });
  return `http://127.0.0.1:${await listen(proxy)}`;
}

export function stopServers(): void {
  for (const socket of sockets) socket.destroy();
  for (const server of running.splice(0)) server.close();
}

async function listen(server: Server): Promise<number> {
  running.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
