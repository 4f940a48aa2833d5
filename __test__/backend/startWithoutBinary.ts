import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Outcome, Task } from './withoutBinary';

const SCRIPT = path.join(__dirname, 'withoutBinary.ts');

/** Starts a backend in a process in which the native binary cannot be loaded. */
export async function startWithoutBinary(task: Task): Promise<Outcome> {
  const child = spawn(
    process.execPath,
    [
      '--require',
      path.join(__dirname, 'refuseBinary.cjs'),
      '--import',
      'tsx',
      SCRIPT,
      JSON.stringify(task),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = new Promise(resolve => child.once('exit', resolve));
  const output = await text(child.stdout);
  const code = await exited;
  if (code !== 0) {
    throw new Error(`withoutBinary.ts exited with ${code}: ${output}`);
  }
  return JSON.parse(output);
}
