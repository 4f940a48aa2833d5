import { execFile, execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

const SCRIPT = path.join(__dirname, 'reader.mjs');

/** What is open in a process. */
export interface Open {
  /** Files without a name, and what they take on disk. */
  unnamed: number;
  bytes: number;
  sockets: number;
  files: number;
}

/** What a process reads, with how little. */
export interface Task {
  scenario: string;
  host: string;
  urls: string[];
  cache?: { memoryBytes?: number; diskBytes?: number };
  credentials?: object;
  /** By Backstage's own reader. */
  upstream?: boolean;
  /** How many MiB of the disk something else takes. */
  strange?: number;
  /** The size of its working directory's file system, in MiB; the machine's own without. */
  disk?: number;
  /** How many files there may be in it. */
  inodes?: number;
  /** How many files it may open. */
  files?: number;
}

/** What came of it. */
export interface Result {
  found: Array<string | boolean>;
  failed?: string[];
  left?: string[];
  open?: Open;
  waiting?: Open;
  highest?: Open;
  lines: Array<{ message: string; event?: string }>;
}

/** Why a small file system cannot be made here; nothing where it can. */
export function whyNoSmallDisk(): string | undefined {
  try {
    const [program, ...args] = withDisk(1, tmpdir(), ['true']);
    execFileSync(program, args, { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    return String(stderr ?? error).trim();
  }
}

/** Reads in a process of its own, and prints what it did not expect. */
export async function runReader({
  disk,
  inodes,
  files,
  ...task
}: Task): Promise<Result> {
  const workingDirectory = temporaryFolder('full');
  const argument = JSON.stringify({ ...task, workingDirectory });
  let command = [process.execPath, SCRIPT, argument];
  if (files) command = withFiles(files, command);
  if (disk) command = withDisk(disk, workingDirectory, command, inodes);
  const [program, ...args] = command;
  const env = { ...process.env, NO_PROXY: '127.0.0.1,localhost' };
  const options = { cwd: __dirname, maxBuffer: 64 * 1024 * 1024, env };
  try {
    const { stdout } = await promisify(execFile)(program, args, options);
    return JSON.parse(stdout);
  } finally {
    rmSync(workingDirectory, { recursive: true });
  }
}

/** As a user other than root one needs to be root in a namespace of users first. */
function withDisk(
  mib: number,
  directory: string,
  command: string[],
  inodes = 0,
): string[] {
  const options = `size=${mib}m,nr_inodes=${inodes}`;
  const mount = `mount -t tmpfs -o ${options} none "$0" && exec "$@"`;
  const isRoot = process.getuid?.() === 0;
  const unshare = ['unshare', isRoot ? '-m' : '-rm'];
  return [...unshare, 'sh', '-c', mount, directory, ...command];
}

function withFiles(count: number, command: string[]): string[] {
  return ['sh', '-c', `ulimit -n ${count} && exec "$@"`, 'sh', ...command];
}
