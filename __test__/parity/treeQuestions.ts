/** Questions about trees of generated repositories, and how a package answers them. */
import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { readFile, readdir, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import type { Hosted } from '../../testing/azure-devops';
import { unzip } from '../../testing/azure-devops/zip';
import { readerFrom } from '../../testing/reader';
import { drafts, hostDraft, placeOf, type Draft } from './generatedTrees';
import { outcomeOf, type Outcome } from './outcome';
import type { Package } from '../../testing/packages';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

const PLACES = ['server', 'dev.azure.com'] as const;

export interface TreeQuestion {
  draft: Draft;
  at: (typeof PLACES)[number];
  /** The path in the URL, if there is one. */
  path?: string;
  use: 'files' | 'dir' | 'archive';
  filter?: TreeFilter;
}

/** Leaves out every so manieth file by the length of its path, and those of other sizes. */
interface TreeFilter {
  every: number;
  least: number;
  most: number;
}

/** What was read, and what the filter was asked. */
export interface TreeAnswer {
  etag: string;
  files: TreeFile[];
  asked: unknown[][];
}

export interface TreeFile {
  path: string;
  content: Buffer;
  /** What it is on disk. */
  is?: 'file' | 'executable' | 'link';
}

export async function answerTree(
  from: Package,
  question: TreeQuestion,
): Promise<Outcome> {
  const hosted = await hostDraft(question.draft);
  const directory = temporaryFolder('trees');
  const answer = read(from, question, hosted, directory);
  const outcome = await outcomeOf(() => Promise.race([answer, noAnswer()]));
  rmSync(directory, { recursive: true, force: true });
  return outcome;
}

/** So that what never ends is told as the difference that it is. */
async function noAnswer(): Promise<never> {
  await setTimeout(10_000, undefined, { ref: false });
  throw new Error('There was no answer');
}

async function read(
  from: Package,
  { at, path: folder, use, filter }: TreeQuestion,
  hosted: Hosted,
  directory: string,
): Promise<TreeAnswer> {
  const asked: unknown[][] = [];
  const url = hosted.webUrl({ at, path: folder });
  const tree = await readerFrom(from, {
    of: url,
    workingDirectory: directory,
  }).readTree(url, {
    filter:
      filter &&
      ((name, info) => {
        asked.push([name, { ...info }]);
        return keeps(filter, name, info?.size ?? 0);
      }),
  });
  return { etag: tree.etag, files: await filesOf(tree, use), asked };
}

function keeps(filter: TreeFilter, name: string, size: number): boolean {
  const { every, least, most } = filter;
  return name.length % every !== 0 && size >= least && size <= most;
}

type Tree = Awaited<
  ReturnType<InstanceType<Package['AzureUrlReader']>['readTree']>
>;

async function filesOf(
  tree: Tree,
  use: TreeQuestion['use'],
): Promise<TreeFile[]> {
  switch (use) {
    case 'files':
      return Promise.all(
        (await tree.files()).map(async file => ({
          path: file.path,
          // Upstream has an array in the place of no bytes.
          content: Buffer.from(await file.content()),
        })),
      );
    case 'archive':
      return unzip(await buffer(await tree.archive())).map(
        ({ path: name, content }) => ({ path: name, content }),
      );
    default:
      return filesIn(await tree.dir());
  }
}

/** What is below a folder, by name: no link is followed. */
async function filesIn(directory: string, prefix = ''): Promise<TreeFile[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const files = entries.map(async (entry): Promise<TreeFile[]> => {
    const own = path.join(directory, entry.name);
    const name = prefix + entry.name;
    if (entry.isDirectory()) return filesIn(own, `${name}/`);
    if (entry.isSymbolicLink()) {
      const content = await readlink(own, 'buffer');
      return [{ path: name, content, is: 'link' }];
    }
    const { mode } = await stat(own);
    const is = mode & 0o111 ? 'executable' : 'file';
    return [{ path: name, content: await readFile(own), is }];
  });
  const found = (await Promise.all(files)).flat();
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const filter = fc.record({
  every: fc.integer({ min: 2, max: 50 }),
  least: fc.constantFrom(0, 0, 1, 100),
  most: fc.constantFrom(Infinity, Infinity, 1000, -1),
});

/** Several questions about each repository, because each takes time to make. */
export const treeQuestions: fc.Arbitrary<TreeQuestion[]> = drafts.chain(draft =>
  fc.array(
    fc
      .record({
        draft: fc.constant(draft),
        at: fc.constantFrom(...PLACES),
        path: pathIn(draft),
        use: fc.constantFrom<TreeQuestion['use']>('files', 'dir', 'archive'),
        filter: fc.option(filter, { nil: undefined, freq: 2 }),
      })
      .map(answerable),
    { minLength: 6, maxLength: 6 },
  ),
);

function pathIn(draft: Draft): fc.Arbitrary<string | undefined> {
  const files = draft.files.map(file => file.path);
  const { hollow, submodules } = draft;
  const folders = [...new Set(files.flatMap(foldersOf))];
  const hollows = hollow.flatMap(own => [own, `${own}/empty`]);
  const lists: Array<[weight: number, paths: string[]]> = [
    [6, folders],
    [2, [...files, ...submodules, ...hollows]],
    [1, ['missing', 'missing/a b']],
  ];
  const named = lists.filter(([, paths]) => paths.length > 0);
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(undefined, undefined, '', '/') },
    ...named.map(([weight, paths]) => ({
      weight,
      arbitrary: fc
        .tuple(
          fc.constantFrom('/', '/', '/', ''),
          fc.constantFrom(...paths),
          fc.constantFrom('', '', '/'),
        )
        .map(parts => parts.join('')),
    })),
  );
}

function foldersOf(file: string): string[] {
  const names = file.split('/');
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
}

/**
 * Upstream throws where nobody can catch it when an empty file is to go to the archive of a folder,
 * and when a path that begins with two dots, or with a slash, is to go to the disk. Where a path has
 * not its one form, a filter is asked something else, and so would answer something else.
 */
function answerable(asked: TreeQuestion): TreeQuestion {
  const below = draftBelow(asked);
  const isOneForm = asked.draft.files.every(
    ({ path: name }) => placeOf(name) === name.replaceAll('\\', '/'),
  );
  const question = isOneForm ? asked : { ...asked, filter: undefined };
  const { use, filter: own } = question;
  const names = [...below.keys()];
  if (use === 'dir' && names.some(place => /^(\.\.|\/)/.test(place))) {
    return { ...question, use: 'files' };
  }
  const hasEmpty = [...below.values()].some(({ content }) => !content.length);
  if (use !== 'archive' || !hasEmpty) return question;
  const { every, most } = own ?? { every: 10_000, most: Infinity };
  return { ...question, filter: { every, most, least: 1 } };
}

/** The files of a draft by the place that they have below the URL's folder. */
export function draftBelow({ draft, path: at = '' }: TreeQuestion) {
  const folder = at.replace(/^\/+|\/+$/g, '');
  const start = folder ? `${folder}/` : '';
  const below = draft.files.filter(file => file.path.startsWith(start));
  return new Map(
    below.map(file => [placeOf(file.path.slice(start.length)), file]),
  );
}
