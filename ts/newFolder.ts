import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { native } from './binding';

/**
 * Makes a folder of our own in the working directory. Where there is no room for one, archives that
 * are kept there make some.
 */
export async function newFolder(workingDirectory: string): Promise<string> {
  const make = () => mkdtemp(path.join(workingDirectory, 'backstage-'));
  try {
    return await make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code || !native().makeRoom(code)) throw error;
    return make();
  }
}
