import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { UrlReaderService } from '@backstage/backend-plugin-api';
import { AzureUrl } from '../AzureUrl';
import { native } from '../binding';
import { unwrap } from '../failure';
import type { LsEntry } from './output';
import { listIn } from './listIn';
import type { UrlReaderOf } from './readerOf';

/** What is needed of a reader. */
export type CaseReader = UrlReaderService;

/** Something that is measured. */
export interface Case {
  name: string;
  /** Whether a first round, which is not counted, makes the connections. */
  isWarm: boolean;
  read(reader: CaseReader, signal: AbortSignal): Promise<unknown>;
}

/** The file that a catalog would look for. */
const CATALOG_FILE = /^catalog-info\.ya?ml$/;

/**
 * What is measured of a URL: one file, the files of its name in its folder, and that folder. Of a folder or a
 * repository the file is one that is in it; of a pattern there is the pattern alone.
 */
export async function casesOf(
  own: UrlReaderOf,
  url: string,
  signal: AbortSignal,
): Promise<Case[]> {
  if (unwrap(native().globOf(url))) return [glob(url)];
  const named = AzureUrl.fromRepoUrl(url).getPath() ?? '/';
  const { entries } = await listIn(own, url, signal);
  const trimmed = named.replace(/^\/+|\/+$/g, '');
  const isFile = entries.length === 1 && entries[0].path === trimmed;
  const file = isFile ? trimmed : someFile(entries)?.path;
  const folder = isFile ? path.posix.dirname(`/${trimmed}`) : `/${trimmed}`;
  const at = (place: string) => withPath(url, place);
  const cases = [tree(at(folder))];
  if (file === undefined) return cases;
  const pattern = path.posix.join(folder, '**', path.posix.basename(file));
  return [readUrl(at(`/${file}`)), glob(at(pattern)), ...cases];
}

function someFile(entries: LsEntry[]): LsEntry | undefined {
  const files = entries.filter(({ type }) => type === 'file');
  const isCatalogs = ({ path: own }: LsEntry) =>
    CATALOG_FILE.test(path.posix.basename(own));
  return files.find(isCatalogs) ?? files[0];
}

function withPath(url: string, place: string): string {
  const parsed = new URL(url);
  parsed.searchParams.set('path', place);
  return parsed.toString();
}

function readUrl(url: string): Case {
  return {
    name: `readUrl ${pathOf(url)}`,
    isWarm: true,
    read: async (reader, signal) =>
      (await reader.readUrl(url, { signal })).buffer(),
  };
}

function glob(url: string): Case {
  return {
    name: `search ${pathOf(url)}`,
    isWarm: false,
    read: async (reader, signal) => {
      const { files } = await reader.search(url, { signal });
      return Promise.all(files.map(async file => file.content()));
    },
  };
}

function tree(url: string): Case {
  return {
    name: `readTree ${pathOf(url)}`,
    isWarm: false,
    read: async (reader, signal) => {
      const targetDir = await mkdtemp(path.join(tmpdir(), 'bench-'));
      try {
        const response = await reader.readTree(url, { signal });
        await response.dir({ targetDir });
      } finally {
        await rm(targetDir, { recursive: true, force: true });
      }
    },
  };
}

function pathOf(url: string): string {
  return new URL(url).searchParams.get('path') ?? '/';
}
