import { AzureUrl } from '../AzureUrl';
import { native } from '../binding';
import { unwrap } from '../failure';
import { matchPaths } from '../matchPaths';
import type { SourceOptions } from './configuration';
import { ExitCode } from './ExitCode';
import { listIn, type Listing } from './listIn';
import type { Run } from './main';
import type { LsEntry, LsOutput } from './output';
import { readerOf } from './readerOf';

/** The options of `ls`. */
export interface LsOptions extends SourceOptions {
  /** With type, mode, size and id. */
  long?: boolean;
}

/** Lists a folder, or the files that match the pattern in the URL's path. */
export async function ls(
  run: Run<LsOptions>,
  [url]: string[],
): Promise<number> {
  const { terminal, signal } = run;
  const own = await readerOf(run, url);
  const isPattern = Boolean(unwrap(native().globOf(url)));
  const { etag, entries } = await terminal.while('Listing', async () => {
    const all = await listIn(own, url, signal);
    return isPattern ? matching(all, url, signal) : all;
  });
  print(run, { url, etag, entries });
  if (entries.length > 0 || !isPattern) return ExitCode.GOOD;
  // As a shell's `ls` says it.
  if (!terminal.json) terminal.note('Nothing matches the pattern');
  return ExitCode.WRONG;
}

/** The files that match the pattern in the path. */
async function matching(
  { etag, entries }: Listing,
  url: string,
  signal: AbortSignal,
): Promise<Listing> {
  const path = AzureUrl.fromRepoUrl(url).getPath() ?? '';
  const files = entries.filter(({ type }) => type === 'file');
  // Nobody waits meanwhile, so it may be matched in a thread, whatever it takes.
  const candidates = {
    glob: path.replace(/^\/+/, ''),
    weight: Infinity,
    count: files.length,
    longest: 0,
  };
  const pathsAt = (start: number, end: number) =>
    files.slice(start, end).map(file => file.path);
  const places = await matchPaths(candidates, pathsAt, signal);
  return { etag, entries: places.map(place => files[place]) };
}

function print(
  { terminal, options }: Run<LsOptions>,
  { url, etag, entries }: LsOutput,
): void {
  if (terminal.json) {
    terminal.printJson({
      url,
      etag,
      entries: options.long ? entries : entries.map(short),
    } satisfies LsOutput);
    return;
  }
  const { blue, cyan } = terminal.colors;
  const width = Math.max(0, ...entries.map(({ size }) => digits(size)));
  for (const { path: raw, type, mode, size, id } of entries) {
    // A name may steer a terminal.
    const path = raw.replace(/\p{C}/gu, own =>
      JSON.stringify(own).slice(1, -1),
    );
    const name =
      type === 'folder'
        ? blue(`${path}/`)
        : type === 'file'
          ? path
          : cyan(path);
    const details = `${mode?.padStart(6, '0')} ${String(size ?? '-').padStart(width)} ${id}`;
    terminal.print(options.long ? `${details} ${name}` : name);
  }
}

function short({ path, type }: LsEntry): LsEntry {
  return { path, type };
}

function digits(size: number | undefined): number {
  return String(size ?? '-').length;
}
