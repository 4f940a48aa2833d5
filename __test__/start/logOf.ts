import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

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
  config: { backend?: object; [key: string]: unknown },
  url: string,
  env: Record<string, string> = {},
): Promise<Line[]> {
  const backend = { baseUrl: 'http://127.0.0.1', listen: { port: 0 } };
  const whole = { ...config, backend: { ...backend, ...config.backend } };
  const file = path.join(temporaryFolder('start'), 'app.yaml');
  writeFileSync(file, JSON.stringify(whole));
  const main = path.join(__dirname, 'main.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', main, '--config', file],
    {
      env: {
        ...process.env,
        LOG_LEVEL: '',
        NODE_ENV: 'production',
        READ_URL: url,
        ...env,
      },
    },
  );
  const lines = stdout.split('\n').filter(line => line.startsWith('{'));
  return lines.map(line => JSON.parse(line));
}
