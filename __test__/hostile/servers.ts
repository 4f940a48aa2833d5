/** Servers that send bytes as they are told to, whatever HTTP says of them. */
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import { frame, FLAG, TYPE } from './frames';
import type { Certificates } from '../../testing/azure-devops/certificates';

/** The repository that a server is asked for, and a file in it. */
export const REPOSITORY = '/collection/project/_git/repo';
export const PATH = `${REPOSITORY}?path=/catalog-info.yaml`;

const servers = new Set<Server>();
const sockets = new Set<Socket>();

/** Answers each request of HTTP/1, given its first line. */
export type Answer1 = (socket: Socket, request: string) => void;

/** Answers each request of HTTP/2 on its stream. */
export type Answer2 = (socket: Socket, stream: number) => void;

/** A server of HTTP/1, over TLS where it has certificates; its origin. */
export async function serve1(
  answer: Answer1,
  certificates?: Certificates,
): Promise<string> {
  const take = (socket: Socket) => {
    let came = '';
    keep(socket).on('data', piece => {
      came += piece.toString('latin1');
      if (!isWhole(came)) return;
      const [request] = came.split('\r\n', 1);
      came = '';
      answer(socket, request);
    });
  };
  const server = certificates
    ? tls.createServer(certificates, take)
    : net.createServer(take);
  const port = await listen(server);
  return certificates
    ? `https://localhost:${port}`
    : `http://127.0.0.1:${port}`;
}

/** A server of HTTP/2 over TLS; its origin. */
export async function serve2(
  answer: Answer2,
  certificates: Certificates,
): Promise<string> {
  const options = { ...certificates, ALPNProtocols: ['h2'] };
  const server = tls.createServer(options, socket => {
    let came = Buffer.alloc(0);
    let skipped = PREFACE;
    keep(socket).on('data', piece => {
      came = Buffer.concat([came, piece]);
      if (skipped > 0) {
        if (came.length < skipped) return;
        came = came.subarray(skipped);
        skipped = 0;
        socket.write(frame(TYPE.SETTINGS, 0, 0));
      }
      for (;;) {
        const length = came.length < 9 ? Infinity : 9 + came.readUIntBE(0, 3);
        if (came.length < length) return;
        const [type, flags] = [came[3], came[4]];
        const stream = came.readUInt32BE(5);
        came = came.subarray(length);
        if (type === TYPE.SETTINGS && !(flags & FLAG.ACK))
          socket.write(frame(TYPE.SETTINGS, FLAG.ACK, 0));
        if (type === TYPE.HEADERS) answer(socket, stream);
      }
    });
  });
  return `https://localhost:${await listen(server)}`;
}

/** What stands before a server and cuts connections some time after anything has come from it; its origin. */
export async function cutBefore(origin: string, ms: number): Promise<string> {
  const { port, protocol } = new URL(origin);
  const proxy = net.createServer(client => {
    const server = keep(net.connect(Number(port), '127.0.0.1'));
    keep(client).pipe(server);
    let timer: NodeJS.Timeout | undefined;
    server.on('data', piece => {
      client.write(piece);
      clearTimeout(timer);
      timer = setTimeout(() => client.end(), ms);
    });
  });
  return `${protocol}//localhost:${await listen(proxy)}`;
}

/** Ends all of them. */
export function closeServers(): void {
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
  servers.clear();
}

/** How many bytes a client of HTTP/2 begins with. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.length;

function isWhole(came: string): boolean {
  const end = came.indexOf('\r\n\r\n');
  const length = Number(/content-length: (\d+)/i.exec(came)?.[1] ?? 0);
  return end >= 0 && came.length >= end + 4 + length;
}

function keep(socket: Socket): Socket {
  sockets.add(socket);
  return socket
    .on('error', () => socket.destroy())
    .on('close', () => sockets.delete(socket));
}

async function listen(server: Server): Promise<number> {
  servers.add(server);
  server.on('tlsClientError', () => {});
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Sends so many bytes of something, no faster than they are taken. */
export async function flood(
  socket: Socket,
  bytes: number,
  piece: Buffer,
): Promise<void> {
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += piece.length) {
    if (!socket.write(piece)) await drained(socket);
  }
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>(resolve => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
