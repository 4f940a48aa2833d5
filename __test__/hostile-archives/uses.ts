/** All that can be done with the tree of an archive, and what came of it. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { unzip } from '../../testing/azure-devops/zip';
import type { Package } from '../../testing/packages';
import { readerFrom } from '../../testing/reader';
import type { Case, Held } from './cases';
import { below, leadingOutside } from './inside';

export const USES = [
  'files',
  'files of a folder',
  'files that a filter keeps',
  'dir',
  'dir in a folder of the caller',
  'archive',
  'archive of a folder',
] as const;

export type Use = (typeof USES)[number];

/** What came of it; the last with what is wrong. */
export type Result =
  | { is: 'right' }
  | { is: 'refused'; message: string }
  | { is: 'refused, and files are left'; why: string }
  | { is: 'wrong'; why: string };

const FOLDER = 'd';

/** Uses an archive, in a working directory that is empty before. */
export async function use(
  from: Package,
  url: string,
  how: Use,
  one: Case,
  workingDirectory: string,
): Promise<Result> {
  const { bytes, held } = one;
  const places = { working: path.join(workingDirectory, 'working') };
  mkdirSync(places.working, { recursive: true });
  const targetDir = path.join(workingDirectory, 'target');
  const tree = () => treeOf(from, url, how, places.working);
  let found: Held[];
  try {
    if (how === 'archive') {
      const copy = await buffer(await (await tree()).archive());
      return copy.equals(bytes) ? { is: 'right' } : wrong('another archive');
    }
    found = await heldBy(await tree(), how, targetDir);
  } catch (error) {
    if (error instanceof Outside) return wrong(error.message);
    const { message } = error as Error;
    if (!message) return wrong('no error');
    const left = readdirSync(workingDirectory, { recursive: true });
    const isEmpty = left.every(name => name === 'working');
    return isEmpty
      ? { is: 'refused', message }
      : { is: 'refused, and files are left', why: left.join() };
  }
  return judge(found, { ...one, held: expected(held, how) }, workingDirectory);
}

async function treeOf(
  from: Package,
  url: string,
  how: Use,
  workingDirectory: string,
) {
  const credentials = [{ personalAccessToken: 'p' }];
  const reader = readerFrom(from, { of: url, credentials, workingDirectory });
  const isKept = (name: string) => !isLeftOut(name);
  return reader.readTree(
    how.endsWith('of a folder') ? `${url}?path=/${FOLDER}` : url,
    {
      filter: how === 'files that a filter keeps' ? isKept : undefined,
    },
  );
}

/** What the filter does not keep. */
function isLeftOut(name: string): boolean {
  return name.endsWith('x');
}

type Tree = Awaited<ReturnType<typeof treeOf>>;

async function heldBy(
  tree: Tree,
  how: Use,
  targetDir: string,
): Promise<Held[]> {
  switch (how) {
    case 'dir':
      return heldIn(await tree.dir());
    case 'dir in a folder of the caller':
      return heldIn(await tree.dir({ targetDir }));
    case 'archive of a folder':
      return unzip(await buffer(await tree.archive())).map(
        ({ path: name, content }) => [name, content],
      );
    default: {
      const files = await tree.files();
      const contents = files.map(
        // Upstream has an array in the place of no bytes.
        async (file): Promise<Held> => [
          file.path,
          Buffer.from(await file.content()),
        ],
      );
      return Promise.all(contents);
    }
  }
}

function heldIn(directory: string): Held[] {
  // There is no folder where there are no files.
  if (!existsSync(directory)) return [];
  const outside = leadingOutside(directory);
  if (outside.length > 0) throw new Outside(`${outside} lead outside`);
  return below(directory).flatMap((own): Held[] => {
    const file = path.join(directory, own);
    const there = lstatSync(file);
    if (there.isDirectory()) return [];
    if (!there.isSymbolicLink()) return [[own, readFileSync(file)]];
    return [[own, readlinkSync(file, 'buffer')]];
  });
}

/** Something leads out of a folder. */
class Outside extends Error {}

function expected(held: Held[], how: Use): Held[] {
  if (how.endsWith('of a folder')) {
    const inFolder = held.filter(([name]) => name.startsWith(`${FOLDER}/`));
    return inFolder.map(([name, content]) => [
      name.slice(FOLDER.length + 1),
      content,
    ]);
  }
  if (how === 'files that a filter keeps') {
    return held.filter(([name]) => !isLeftOut(name));
  }
  // On disk there is one file of a name: the last.
  return how.startsWith('dir') ? [...new Map(held)] : held;
}

function judge(found: Held[], one: Case, directory: string): Result {
  const others = readdirSync(directory).filter(
    name => !['working', 'target'].includes(name),
  );
  if (others.length > 0) return wrong(`${others} stand beside it`);
  const left = [...one.held];
  for (const [name, content] of found) {
    if (!isRelative(name)) return wrong(`the path ${name}`);
    const at = left.findIndex(
      ([own, bytes]) =>
        bytes.equals(content) && (one.isMutated || sameName(own, name)),
    );
    if (at < 0) return wrong(`the content of ${name}`);
    left.splice(at, 1);
  }
  const isWhole = one.isMutated || left.length === 0;
  return isWhole ? { is: 'right' } : wrong(`no ${left[0][0]}`);
}

/** Whether it is a path as all have it that leave this package. */
function isRelative(name: string): boolean {
  const parts = name.split('/');
  return (
    !/^[a-z]:\//i.test(name) &&
    parts.every(part => part !== '' && part !== '.' && part !== '..')
  );
}

/** Zips of folders have no drives. */
function sameName(wanted: string, found: string): boolean {
  return wanted === found || wanted.replace(/^\w+:\/*/, '') === found;
}

function wrong(why: string): Result {
  return { is: 'wrong', why };
}
