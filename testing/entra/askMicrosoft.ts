import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { standIn } from '../azure-devops';

const SCRIPT = path.join(__dirname, 'microsoft.mjs');

/** What Microsoft's own client gave. */
export interface Answer {
  token?: string;
  expiresOnTimestamp?: number;
  error?: string;
}

/** Asks the stand-in for a token with a credential of Microsoft's own client. */
export async function askMicrosoft(
  name: string,
  given: unknown[],
  env: Record<string, string> = {},
): Promise<Answer> {
  const { proxyUrl, caFile } = standIn();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [SCRIPT, name, JSON.stringify(given)],
    {
      env: {
        PATH: process.env.PATH,
        HTTPS_PROXY: proxyUrl,
        NO_PROXY: '127.0.0.1',
        NODE_EXTRA_CA_CERTS: caFile,
        ...env,
      },
    },
  );
  return JSON.parse(stdout);
}
