import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

/** One line of a backend's log as Backstage's own logger writes it in production. */
export interface Line {
  level: string;
  message: string;
  plugin?: string;
  event?: string;
  [field: string]: unknown;
}

/** The log of a backend that starts in a process of its own, reads one URL and stops. */
export async function logOf(
  config: object,
  url: string,
  env: Record<string, string> = {},
): Promise<Line[]> {
  const backend = { baseUrl: 'http://127.0.0.1', listen: { port: 0 } };
  const own = config as { backend?: object };
  const task = {
    config: { ...config, backend: { ...backend, ...own.backend } },
    url,
  };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', path.join(__dirname, 'main.ts'), JSON.stringify(task)],
    { env: { ...process.env, LOG_LEVEL: '', NODE_ENV: 'production', ...env } },
  );
  const lines = stdout.split('\n').filter(line => line.startsWith('{'));
  return lines.map(line => JSON.parse(line));
}
