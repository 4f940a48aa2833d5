import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a hostile server answers. */
export interface Answer {
  status?: number;
  reason?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** An Azure DevOps Server in plain HTTP that answers whatever a test wants, knowing what it was sent. */
export class EchoServer {
  answer: (headers: IncomingHttpHeaders, url: string) => Answer = () => ({});

  private constructor(readonly server: Server) {}

  static async start(): Promise<EchoServer> {
    const server = createServer((request, response) => {
      const { headers, url = '' } = request;
      const answer = echo.answer(headers, url);
      const { status = 404, reason, body = '' } = answer;
      response.writeHead(status, reason, answer.headers);
      response.end(body);
    });
    const echo = new EchoServer(server);
    await new Promise<void>(resolve => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return echo;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The URL of a file, or of a repository. */
  url(rest = '?path=/a.md'): string {
    return `http://${this.host}/org/project/_git/repo${rest}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => {
      this.server.close(resolve);
    });
  }
}
