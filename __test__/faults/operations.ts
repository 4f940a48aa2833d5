/** What a reader does, each with what git says has to come of it. */
import { AzureUrlReader } from 'backstage-azure-devops-native';
import { Minimatch } from 'minimatch';
import { readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { standIn, type Hosted } from '../../testing/azure-devops';
import type { FileToCommit } from '../../testing/azure-devops/GitRepository';
import { unzip } from '../../testing/azure-devops/zip';
import { reader } from '../../testing/reader';

/** Bytes by path. */
export type Contents = Map<string, Buffer>;

/** One way to read. */
export interface Operation {
  name: string;
  path?: string;
  version?: string;
  /** The server does not list, so that the archive is searched. */
  lacksLists?: boolean;
  /** What is not found is nothing, and no failure. */
  mayBeMissing?: boolean;
  expected: Contents;
  run(
    reader: AzureUrlReader,
    url: string,
    signal?: AbortSignal,
  ): Promise<Contents>;
}

/** Larger than what comes along with an answer's head. */
const LARGE = Buffer.from(
  Array.from({ length: 90_000 }, (_, n) => (n * n * 31) % 251),
);

/** Hosts the repository that is read, with a tag that differs from its branch. */
export async function hostFiles(): Promise<Hosted> {
  const files: Record<string, FileToCommit> = {
    'catalog-info.yaml': 'kind: Component\n',
    'docs/large.bin': LARGE,
    'docs/index.md': '# Docs\n',
  };
  for (let n = 0; n < 6; n += 1) {
    files[`services/s${n}/catalog-info.yaml`] = `kind: Component ${n}\n`;
    files[`services/s${n}/src/main.ts`] = `main(${n});\n`.repeat(20);
  }
  const hosted = await standIn().addRepository({
    organization: 'faults',
    project: 'p',
    repository: 'r',
    files,
  });
  await hosted.git.tag('v1');
  await hosted.git.commit({ files: { 'catalog-info.yaml': 'kind: API\n' } });
  return hosted;
}

/** Every operation on the repository. */
export async function operationsOn({ git }: Hosted): Promise<Operation[]> {
  const file = 'catalog-info.yaml';
  const old = await git.resolveRef('refs/tags/v1');
  const read = (name: string, own: string, version: string, run = readUrl) =>
    operation({ name, path: `/${own}`, version, run }, [own]);
  const operation = async (
    rest: Omit<Operation, 'expected'>,
    names: string[],
    strip = '',
  ): Promise<Operation> => {
    const commit = /^G[TC]/.test(rest.version ?? '') ? old : await git.head();
    const entries = await git.tree(commit!);
    const chosen = entries.filter(({ path: own, type }) =>
      type === 'blob'
        ? names.some(name => new Minimatch(name).match(own))
        : false,
    );
    const contents = chosen.map(async ({ id, path: own }) => {
      const content = Buffer.from(await git.blob(id));
      return [own.slice(strip.length), content] as const;
    });
    return { ...rest, expected: new Map(await Promise.all(contents)) };
  };
  const search = (
    name: string,
    pattern: string,
    rest: Pick<Operation, 'lacksLists' | 'mayBeMissing'> = {},
  ) =>
    operation({ name, path: `/${pattern}`, run: searched, ...rest }, [pattern]);
  return Promise.all([
    read('a file of a branch', file, 'GBmain'),
    read('a file of a tag', file, 'GTv1'),
    read('a file of a commit', file, `GC${old}`),
    read('a large file', 'docs/large.bin', 'GBmain'),
    read('a large file as a stream', 'docs/large.bin', 'GBmain', streamed),
    operation({ name: 'a tree as files', run: files }, ['**']),
    operation(
      { name: 'a folder as files', path: '/docs', run: files },
      ['docs/**'],
      'docs/',
    ),
    operation({ name: 'a tree as a folder', run: folder }, ['**']),
    operation({ name: 'a tree as an archive', run: archive }, ['**']),
    operation(
      { name: 'a folder as an archive', path: '/services/s1', run: archive },
      ['services/s1/**'],
      'services/s1/',
    ),
    search('a walk to few files', 'services/s[12]/*.yaml'),
    search('a walk to many files', 'services/*/catalog-info.yaml'),
    search('a list of everything', '**/catalog-info.yaml'),
    search('a search without lists', 'services/*/*.yaml', { lacksLists: true }),
    search('a search of one file', file, { mayBeMissing: true }),
  ]);
}

/** Whether the same paths have the same bytes. */
export function isSame(one: Contents, other: Contents): boolean {
  const entries = [...one];
  return (
    one.size === other.size &&
    entries.every(([name, content]) => other.get(name)?.equals(content))
  );
}

type Run = Operation['run'];

const readUrl: Run = async (reader, url, signal) => {
  const { buffer: content } = await reader.readUrl(url, { signal });
  return new Map([[pathOf(url), await content()]]);
};

const streamed: Run = async (reader, url, signal) => {
  const response = await reader.readUrl(url, { signal });
  return new Map([[pathOf(url), await buffer(response.stream!())]]);
};

const files: Run = async (reader, url, signal) => {
  const tree = await reader.readTree(url, { signal });
  return contentsOf(await tree.files(), file => file.path);
};

const folder: Run = async (reader, url, signal) => {
  const tree = await reader.readTree(url, { signal });
  const dir = await tree.dir();
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const found = entries.filter(entry => entry.isFile());
  const contents = found.map(async entry => {
    const own = path.join(entry.parentPath ?? entry.path, entry.name);
    return [path.relative(dir, own), await readFile(own)] as const;
  });
  const read = new Map(await Promise.all(contents));
  await rm(dir, { recursive: true });
  return read;
};

const archive: Run = async (reader, url, signal) => {
  const tree = await reader.readTree(url, { signal });
  const entries = unzip(await buffer(await tree.archive()));
  return new Map(entries.map(entry => [entry.path, entry.content]));
};

const searched: Run = async (reader, url, signal) => {
  const found = await reader.search(url, { signal });
  return contentsOf(found.files, file => pathOf(file.url));
};

async function contentsOf<T extends { content(): Promise<Buffer> }>(
  all: T[],
  nameOf: (file: T) => string,
): Promise<Contents> {
  const named = all.map(
    async file => [nameOf(file), await file.content()] as const,
  );
  return new Map(await Promise.all(named));
}

function pathOf(url: string): string {
  return new URL(url).searchParams.get('path')!.slice(1);
}

/** A reader of the host of a URL, that retries as often. */
export function readerOf(
  url: string,
  workingDirectory: string,
  maxRetries?: number,
): AzureUrlReader {
  const host = maxRetries === undefined ? {} : { retry: { maxRetries } };
  return reader({ of: url, host, workingDirectory });
}
