import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server whose repositories have one commit each, and any bytes for its archive. */
export class ArchiveServer {
  readonly #archives = new Map<string, Buffer>();
  readonly #server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://server');
    const [, name = ''] = /repositories\/([^/]+)/.exec(pathname) ?? [];
    if (pathname.endsWith('/commits')) {
      const commitId = name.replace(/\D/g, '').padStart(40, '0');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ count: 1, value: [{ commitId }] }));
      return;
    }
    response.setHeader('content-type', 'application/zip');
    response.end(this.#archives.get(name));
  });

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The URL of a repository that has this archive, or of a folder in it. */
  urlOf(archive: Buffer, folder = ''): string {
    const name = `r${this.#archives.size + 1}`;
    this.#archives.set(name, archive);
    const query = folder ? `?path=${encodeURIComponent(folder)}` : '';
    return `http://${this.host}/collection/project/_git/${name}${query}`;
  }
}
