import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';

/** What became of a process. */
export interface Finished {
  stdout: string;
  stderr: string;
  code: number | null;
}

const ROOT = path.join(__dirname, '..', '..');
const ADDRESS = '169.254.169.254/32';
const SET_UP = `ip link set lo up && ip addr add ${ADDRESS} dev lo`;

let flags: string | null | undefined;

/** Whether processes can be given a network of their own here, with addresses to choose. */
export function canMakeNamespaces(): boolean {
  return unshareFlags() !== null;
}

/**
 * Runs a script, TypeScript or not, where there is no network but the machine's own, and where the
 * address of the instance metadata service is one of its addresses.
 */
export function runInNamespace(
  script: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Finished> {
  const command = `${SET_UP} && exec "$0" "$@"`;
  const node = [process.execPath, '--import', 'tsx', script, ...args];
  const options = {
    cwd: ROOT,
    env: { ...process.env, ...env },
    timeout: 60_000,
  };
  return new Promise(resolve => {
    const child = execFile(
      'unshare',
      [unshareFlags() ?? '-n', 'sh', '-c', command, ...node],
      options,
      (_error, stdout, stderr) =>
        resolve({ stdout, stderr, code: child.exitCode }),
    );
  });
}

/** Those with which it works; whoever is not root first becomes root of a namespace of users. */
function unshareFlags(): string | null {
  const candidates = process.getuid?.() === 0 ? ['-n', '-rn'] : ['-rn'];
  if (flags === undefined) flags = candidates.find(works) ?? null;
  return flags;
}

function works(candidate: string): boolean {
  const args = [candidate, 'sh', '-c', SET_UP];
  return spawnSync('unshare', args, { timeout: 10_000 }).status === 0;
}
