import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { native } from '../binding';
import type { SourceOptions } from './configuration';
import { ExitCode, UsageError } from './ExitCode';
import type { Run } from './main';
import type { TreeOutput } from './output';
import { readerOf } from './readerOf';

/** The options of `tree`. */
export interface TreeOptions extends SourceOptions {
  /** The folder to write to. */
  output: string;
}

/**
 * Writes a repository, or a folder of one, to a folder that is empty or not there yet. It is written under
 * another name, beside that folder or in it, and gets its own once all of it is there.
 */
export async function tree(
  run: Run<TreeOptions>,
  [url]: string[],
): Promise<number> {
  const { terminal, options, signal } = run;
  const directory = path.resolve(options.output);
  const isThere = await checkEmpty(directory);
  const { reader } = await readerOf(run, url);
  const parent = isThere ? directory : path.dirname(directory);
  const made = await mkdir(parent, { recursive: true });
  const name = `.${path.basename(directory)}.partial-${randomUUID().slice(0, 8)}`;
  const partial = path.join(parent, name);
  await mkdir(partial);
  try {
    const etag = await terminal.while(progress(), async () => {
      const response = await reader.readTree(url, { signal });
      await response.dir({ targetDir: partial });
      return response.etag;
    });
    signal.throwIfAborted();
    const written = await countIn(partial);
    await moveTo(partial, directory);
    tell(run, { url, etag, directory, ...written });
    return ExitCode.GOOD;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (made) await removeEmpty(parent, made);
    throw error;
  }
}

/** Removes the folders that were made for it, up to the first of them, while nothing else is in them. */
async function removeEmpty(folder: string, first: string): Promise<void> {
  const isRemoved = await rmdir(folder).then(
    () => true,
    () => false,
  );
  if (isRemoved && folder !== first) {
    await removeEmpty(path.dirname(folder), first);
  }
}

/** Refuses what is there already, before anything is asked for; whether an empty folder is there. */
async function checkEmpty(directory: string): Promise<boolean> {
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return false;
  if (!found.isDirectory()) {
    throw new UsageError(`${directory} is there, and is not a folder`);
  }
  if ((await readdir(directory)).length > 0) {
    throw new UsageError(
      `${directory} is not empty: name a folder that is, or is not there yet`,
    );
  }
  return true;
}

/** What is under way, in words. */
function progress(): () => string {
  const before = received();
  return () => `Reading, ${mebibytes(received() - before)} so far`;
}

/** How many bytes of content have come since the process began. */
function received(): number {
  return native()
    .measurements()
    .counts.filter(({ name }) => name === 'azure_devops.received')
    .reduce((sum, { value }) => sum + value, 0);
}

async function countIn(
  folder: string,
): Promise<{ files: number; bytes: number }> {
  const entries = await readdir(folder, {
    recursive: true,
    withFileTypes: true,
  });
  const files = entries.filter(entry => entry.isFile());
  let bytes = 0;
  for (const file of files) {
    bytes += (await stat(path.join(file.parentPath ?? file.path, file.name)))
      .size;
  }
  return { files: files.length, bytes };
}

/** A folder that is there stays the one that it is: it may be a mount, or the one somebody is in. */
async function moveTo(partial: string, directory: string): Promise<void> {
  if (path.dirname(partial) !== directory) {
    await rename(partial, directory);
    return;
  }
  for (const name of await readdir(partial)) {
    await rename(path.join(partial, name), path.join(directory, name));
  }
  await rmdir(partial);
}

function tell({ terminal }: Run<TreeOptions>, output: TreeOutput): void {
  if (terminal.json) {
    terminal.printJson(output);
    return;
  }
  const { files, bytes, directory, etag } = output;
  const counted = files === 1 ? 'One file' : `${files} files`;
  terminal.print(
    `${counted} (${mebibytes(bytes)}) of commit ${etag} in ${directory}`,
  );
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
