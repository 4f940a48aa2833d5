import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** More links than this in the way of one path go round in a circle. */
const MOST_LINKS = 100;

/** All that is below a folder, no link followed. */
export function below(directory: string, folder = ''): string[] {
  const entries = readdirSync(path.join(directory, folder), {
    withFileTypes: true,
  });
  return entries.flatMap(entry => {
    const own = path.posix.join(folder, entry.name);
    return entry.isDirectory() ? [own, ...below(directory, own)] : [own];
  });
}

/** Those of the paths below a folder that lead out of it, whether there is something or not. */
export function leadingOutside(directory: string): string[] {
  return below(directory).filter(own => !staysInside(directory, own));
}

/** Whether each step on the way to where a path leads, through all links, is in the folder. */
function staysInside(directory: string, own: string): boolean {
  const left = own.split('/');
  const at: string[] = [];
  let links = 0;
  while (left.length > 0) {
    const part = left.shift()!;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.length === 0) return false;
      at.pop();
      continue;
    }
    const target = linkAt(path.join(directory, ...at, part));
    if (target === undefined) {
      at.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return true;
    if (target.startsWith('/')) return false;
    left.unshift(...target.split('/'));
  }
  return true;
}

function linkAt(file: string): string | undefined {
  try {
    return lstatSync(file).isSymbolicLink() ? readlinkSync(file) : undefined;
  } catch (error) {
    // There is nothing, or a file is on the way to it.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR'].includes(code)) return undefined;
    throw error;
  }
}
