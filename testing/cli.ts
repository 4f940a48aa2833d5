import { spawn, type ChildProcess } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { standIn } from './azure-devops';
import { temporaryFolder } from './temporaryFolder.cjs';

const ROOT = path.join(__dirname, '..');

/** The command's file, as npm links it. */
export const COMMAND = path.join(ROOT, 'dist/cli/main.js');

/** How the command is run. */
export interface CliOptions {
  /** Beside the environment of the tests; what is undefined is taken out of it. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Called once it runs. */
  meanwhile?: (child: ChildProcess) => void;
}

/** What came of it. */
export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** The same as standard output, as bytes. */
  bytes: Buffer;
}

/** Runs the command in a process of its own. */
export async function cli(
  args: string[],
  { env = {}, cwd = temporaryFolder('nowhere'), meanwhile }: CliOptions = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd,
    env: { ...process.env, ...toStandIn(), ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  meanwhile?.(child);
  const [code, signal] = await new Promise<
    [number | null, NodeJS.Signals | null]
  >(resolve => {
    child.once('close', (...ended) => resolve(ended));
  });
  const bytes = Buffer.concat(stdout);
  return {
    code,
    signal,
    stdout: bytes.toString(),
    stderr: Buffer.concat(stderr).toString(),
    bytes,
  };
}

/** Leads to the stand-in, which the sandbox of the tests hides; nobody is signed in on the machine. */
function toStandIn(): Record<string, string> {
  const { proxyUrl, caFile } = standIn();
  return {
    HTTPS_PROXY: proxyUrl,
    https_proxy: proxyUrl,
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    NODE_EXTRA_CA_CERTS: caFile,
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
  };
}

/** A Backstage app with this configuration, as text or as what it means; gives its folder. */
export function appWith(
  config: object | string,
  more: Record<string, string> = {},
): string {
  const folder = temporaryFolder('app');
  const text = typeof config === 'string' ? config : stringify(config);
  const files = {
    'package.json': '{ "name": "app", "workspaces": ["packages/*"] }',
    'app-config.yaml': text,
    ...more,
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), content);
  }
  symlinkSync(
    path.join(ROOT, 'node_modules'),
    path.join(folder, 'node_modules'),
  );
  return folder;
}
