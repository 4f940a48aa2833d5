// Works in a copy of the project, in which packages can be exchanged, and removes it afterwards.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inRoot, section } from './commands.mjs';

/** Calls `work` with the folder of a copy of what is built, installed and written. */
export async function withCopy(name, work) {
  const copy = mkdtempSync(path.join(tmpdir(), `${name}-`));
  try {
    section(`a copy of the project in ${copy}`);
    const left = ['.git', 'artifacts', 'target'].map(own => inRoot(own));
    cpSync(inRoot(), copy, {
      recursive: true,
      verbatimSymlinks: true,
      filter: file => !left.includes(file),
    });
    await work(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
