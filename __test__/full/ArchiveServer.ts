import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zip } from '../../testing/azure-devops/zip';

const MIB = 1024 * 1024;

/**
 * An Azure DevOps Server that has every repository `{name}-{size}`: with a file that holds
 * its name, and, in another, so many MiB that no zip makes smaller.
 */
export class ArchiveServer {
  static async start(): Promise<ArchiveServer> {
    const server = new ArchiveServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    server.#server.unref();
    return server;
  }

  /** How many archives were asked for since this was last set to 0. */
  downloads = 0;

  /** Whether each request needs a connection of its own. */
  closes = false;

  readonly #server = http.createServer((request, response) =>
    this.#answer(request, response),
  );
  readonly #bulk = new Map<number, Buffer>();

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** So many repositories whose archives have so many MiB. */
  urls(host: string, name: string, count: number, size: number): string[] {
    return Array.from(
      { length: count },
      (_, n) => `http://${host}/o/p/_git/${name}${n}-${size}`,
    );
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    if (this.closes) response.setHeader('connection', 'close');
    const [, repository, call] = /repositories\/([^/]+)\/(\w+)/.exec(url) ?? [];
    if (call === 'commits') {
      const commitId = createHash('sha1').update(repository).digest('hex');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ value: [{ commitId }] }));
    } else if (call === 'items') {
      this.downloads += 1;
      response.setHeader('content-type', 'application/zip');
      response.end(this.#zip(repository));
    } else {
      response.writeHead(404).end();
    }
  }

  #zip(repository: string): Buffer {
    const size = Number(repository.split('-')[1]);
    const bulk = this.#bulk.get(size) ?? randomBytes(size * MIB);
    this.#bulk.set(size, bulk);
    return zip([
      { path: 'name.txt', content: Buffer.from(repository) },
      { path: 'bulk.bin', content: bulk },
    ]);
  }
}
