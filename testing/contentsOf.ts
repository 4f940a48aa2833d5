import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

/** The files below a folder and the bytes of each; links are not files. */
export async function contentsOf(dir: string): Promise<Record<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile());
  const contents = files.map(async entry => {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    return [path.relative(dir, file), await readFile(file, 'latin1')];
  });
  return Object.fromEntries(await Promise.all(contents));
}

/** The contents of files that were read, as text, each by a name. */
export async function contentsByName<T extends { content(): Promise<Buffer> }>(
  files: T[],
  nameOf: (file: T) => string,
): Promise<Record<string, string>> {
  const named = files.map(async file => [
    nameOf(file),
    String(await file.content()),
  ]);
  return Object.fromEntries(await Promise.all(named));
}
