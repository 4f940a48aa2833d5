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
    if (!code || !native().makeRoom(code)) {
      throw explained(error as NodeJS.ErrnoException, workingDirectory);
    }
    return make();
  }
}

/** Where a folder is not there, or not to be written, the setting that names it. */
function explained(error: NodeJS.ErrnoException, folder: string): Error {
  const checks: Record<string, string> = {
    ENOENT: 'it must be a folder that is there',
    ENOTDIR: 'it must be a folder that is there',
    EACCES: 'the backend must be able to write there',
    EROFS: 'the backend must be able to write there',
  };
  const check = checks[error.code ?? ''];
  if (!check) return error;
  const message = `No folder could be made in ${folder}: ${error.message}. Check backend.workingDirectory, or where that is not set the system's folder for temporary files: ${check}`;
  return Object.assign(new Error(message, { cause: error }), {
    code: error.code,
  });
}
