import type { AzureReadMessage } from 'backstage-azure-devops-native';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import path from 'node:path';
import type { Comparison } from '../comparison/Comparison';

const CHANNEL = 'backstage-azure-devops-native:read';

/** The most reads that somebody is shown who opens the page later. */
const MOST_READS = 50;

const FILES: Record<string, { file: string; type: string }> = {
  '/': { file: 'page.html', type: 'text/html; charset=utf-8' },
  '/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  '/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
};

/**
 * A page on this machine alone that shows what was compared as charts, and the reads of this process as
 * they come.
 */
export class Page {
  /** Serves it on a port of its own; without a comparison it says why there are no figures. */
  static async start(comparison?: Comparison): Promise<Page> {
    const page = new Page(comparison);
    await new Promise<void>(resolve =>
      page.#server.listen(0, '127.0.0.1', resolve),
    );
    subscribe(CHANNEL, page.#hear);
    return page;
  }

  readonly #server: Server;
  readonly #viewers = new Set<ServerResponse>();
  readonly #last: AzureReadMessage[] = [];

  private constructor(private readonly comparison?: Comparison) {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (pathname === '/events') this.#follow(response);
      else if (pathname === '/figures') this.#figures(response);
      else serve(pathname, response);
    });
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/`;
  }

  async stop(): Promise<void> {
    unsubscribe(CHANNEL, this.#hear);
    this.#viewers.forEach(viewer => viewer.end());
    await new Promise(resolve => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  readonly #hear = (message: unknown) => {
    const read = message as AzureReadMessage;
    this.#last.push(read);
    if (this.#last.length > MOST_READS) this.#last.shift();
    this.#viewers.forEach(viewer => viewer.write(eventOf(read)));
  };

  #follow(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
    response.write(this.#last.map(eventOf).join('') || ': nothing yet\n\n');
    this.#viewers.add(response);
    response.once('close', () => this.#viewers.delete(response));
  }

  #figures(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(this.comparison ?? null));
  }
}

function eventOf(read: AzureReadMessage): string {
  return `data: ${JSON.stringify(read)}\n\n`;
}

function serve(pathname: string, response: ServerResponse): void {
  const found = Object.hasOwn(FILES, pathname) && FILES[pathname];
  if (!found) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': found.type,
    'content-security-policy':
      "default-src 'none'; img-src data:; script-src 'self'; style-src 'self'; connect-src 'self'",
  });
  response.end(readFileSync(path.join(__dirname, found.file)));
}
