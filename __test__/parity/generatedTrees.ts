/** Generated git repositories: every kind of entry, and names of whatever git and a zip can hold. */
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { standIn, type Hosted } from '../../testing/azure-devops';
import type { FileToCommit } from '../../testing/azure-devops/GitRepository';

/** A file, or a link, as it is committed. */
export interface DraftFile {
  path: string;
  content: Buffer;
  mode: '100644' | '100755' | '120000';
}

/** What a repository is made of. */
export interface Draft {
  files: DraftFile[];
  /** Folders with nothing in them but empty folders. */
  hollow: string[];
  submodules: string[];
}

const LETTERS = ['a', 'B', 'z', '0', '_', 'README', 'docs', '.md', 'x y'];

/** What shells, URLs, zips, JSON, patterns, Windows or people read in their own ways. */
const MARKS = [
  ...['#', '?', '%', '%20', '%2F', '%zz', '&', ';', '|', '<', '>', '"', "'"],
  ...['*', '**', '[', ']', '{', '}', '(', ')', '!', '$', '^', '`', '=', ','],
  ...[
    '+',
    '@',
    '~',
    ' ',
    '  ',
    '-',
    '--',
    '.',
    '..',
    '...',
    ':a',
    'aux',
    '\\a',
  ],
];

const UNICODE = [
  ...[
    'ü',
    'u\u0308',
    'é',
    'e\u0301',
    'ß',
    'İ',
    'ﬁ',
    '한',
    '한'.normalize('NFD'),
  ],
  ...['🚀', '👩‍👩‍👧', '🇩🇪', '\u{10ffff}', '\u200d', '\u202e', '\ufeff', '\uffff'],
  ...['\ue000', '\ufffd', '\x80', '\x85', '\xa0', '\xff', '\u2028', '\u3000'],
];

const CONTROLS = [...'\x01\x07\b\t\n\v\f\r\x1a\x1b\x1f\x7f'];

/** As long as a name may be: 255 bytes. */
const LONGEST = [
  'x'.repeat(255),
  `${'é'.repeat(127)}y`,
  `${'🚀'.repeat(63)}.md`,
  '한'.repeat(85),
];

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...LETTERS) },
  { weight: 4, arbitrary: fc.constantFrom(...MARKS) },
  { weight: 3, arbitrary: fc.constantFrom(...UNICODE) },
  { weight: 1, arbitrary: fc.constantFrom(...CONTROLS) },
);

const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'docs', '.hidden', 'c d') },
  {
    weight: 12,
    arbitrary: fc
      .array(piece, { minLength: 1, maxLength: 4 })
      .map(pieces => pieces.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom(...LONGEST) },
);

const deep = fc
  .tuple(
    fc.constantFrom('d', 'ü', 'a b', '🚀'),
    fc.integer({ min: 8, max: 60 }),
  )
  .map(([own, depth]) => Array<string>(depth).fill(own));

const filePath = fc
  .tuple(
    fc.oneof(
      { weight: 12, arbitrary: fc.array(name, { maxLength: 3 }) },
      { weight: 1, arbitrary: deep },
    ),
    name,
  )
  .map(([folders, own]) => [...folders, own].join('/'));

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(300) },
  { weight: 2, arbitrary: fc.nat(70_000) },
  { weight: 1, arbitrary: fc.nat(700_000) },
);

const content = fc.oneof(
  { weight: 2, arbitrary: fc.constant(Buffer.alloc(0)) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary' }).map(Buffer.from) },
  { weight: 3, arbitrary: fc.tuple(fc.nat(), size).map(incompressible) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), size)
      .map(([bytes, length]) => Buffer.alloc(length, bytes)),
  },
);

const target = fc.oneof(
  filePath,
  fc.constantFrom('', '.', '..', './a', '../a', 'a/..', 'docs/../../a', 'a/'),
  fc.constantFrom('/etc/passwd', '/', '../../../etc/passwd', 'nowhere', 'a//b'),
  fc.constantFrom('a\\b', 'C:\\a', '..\\a', './/../a', 'docs/./a', './.'),
  fc.constantFrom(...[255, 256, 5000].map(n => 'x'.repeat(n))),
);

const file = fc.oneof<fc.Arbitrary<DraftFile>[]>(
  fc.record({
    path: filePath,
    content,
    mode: fc.constantFrom('100644', '100644', '100755'),
  }),
  fc.record({
    path: filePath,
    content: fc.oneof(
      { weight: 9, arbitrary: target.map(text => Buffer.from(text)) },
      { weight: 1, arbitrary: content.map(bytes => bytes.subarray(0, 50)) },
    ),
    mode: fc.constant('120000'),
  }),
);

/** Names that no zip may have: it is refused whole. */
const outside = fc.constantFrom('c:x', 'a\\..\\b', '\\a', 'a/..\\b', 'C:/x/y');

/** Names that have another form in a zip, where a backslash counts as a slash. */
const dotted = fc.constantFrom('.\\dotted', 'docs\\.\\dotted', 'd/.\\.\\x');

/** Repositories with up to twenty entries, which are all there is; some are empty. */
export const drafts: fc.Arbitrary<Draft> = fc
  .record({
    files: fc.oneof(
      { weight: 1, arbitrary: fc.constant([]) },
      { weight: 9, arbitrary: fc.array(file, { maxLength: 16, size: 'max' }) },
    ),
    refused: fc.option(outside, { nil: undefined, freq: 15 }),
    dotted: fc.option(dotted, { nil: undefined, freq: 4 }),
    hollow: fc.array(filePath, { maxLength: 2 }),
    submodules: fc.array(filePath, { maxLength: 2 }),
  })
  .map(({ files, refused, dotted: own, hollow, submodules }): Draft => {
    const names = [refused, own].filter(name => name !== undefined);
    const more = names.map(name => plain(name));
    const isPossible = possible();
    return {
      files: [...more, ...files].filter(own => isPossible(own.path)),
      hollow: hollow.filter(isPossible),
      submodules: submodules.filter(isPossible),
    };
  });

const hosted = new WeakMap<Draft, Promise<Hosted>>();

/** The repository, on the stand-in. */
export function hostDraft(draft: Draft): Promise<Hosted> {
  const known = hosted.get(draft) ?? host(draft);
  hosted.set(draft, known);
  return known;
}

async function host({ files, hollow, submodules }: Draft): Promise<Hosted> {
  count += 1;
  const own = await standIn().addRepository({
    organization: 'trees',
    project: 'Project',
    repository: `Repo ${count}`,
  });
  const { git } = own;
  const empty = git.folderOfEmptyFolders(['.empty', 'empty']);
  const commit = 'c0ffee'.padEnd(40, '0');
  await git.commit({
    files: Object.fromEntries<FileToCommit>([
      ...hollow.map(at => [at, { id: empty, mode: '040000' }] as const),
      ...submodules.map(at => [at, { id: commit, mode: '160000' }] as const),
      ...files.map(({ path: at, ...rest }) => [at, rest] as const),
    ]),
  });
  return own;
}

let count = 0;

/** The place that an entry has in a folder, where `\\` counts as `/` as all readers of zips have it. */
export function placeOf(at: string): string {
  return path.posix.normalize(at.replaceAll('\\', '/')).replace(/\/$/, '');
}

/**
 * Which paths git takes, and can be written beside those before them.
 *
 * Where two entries of a zip are one place on disk, or one is a folder of the other, upstream
 * neither answers nor fails.
 */
function possible(): (at: string) => boolean {
  const files = new Set<string>();
  const folders = new Set<string>(['.']);
  return at => {
    const names = at.split('/');
    const place = placeOf(at);
    const parents = parentsOf(place);
    const isTaken =
      files.has(place) ||
      folders.has(place) ||
      parents.some(parent => files.has(parent));
    if (isTaken || !names.every(isPossibleName)) return false;
    files.add(place);
    parents.forEach(parent => folders.add(parent));
    return Buffer.byteLength(at) <= 1000;
  };
}

function isPossibleName(own: string): boolean {
  const isReserved = /^\.{0,2}$|^\.git|^git~/i.test(own);
  // Upstream's archive can have no name that ends at a colon, nor its folder a file at a dot.
  const isUnwritable = /:$|:\\|\\\.$/.test(own);
  return !isReserved && !isUnwritable && Buffer.byteLength(own) <= 255;
}

function parentsOf(place: string): string[] {
  const names = place.split('/');
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
}

function plain(at: string): DraftFile {
  return { path: at, content: Buffer.from('plain'), mode: '100644' };
}

function incompressible([from, length]: [number, number]): Buffer {
  const hash = createHash('shake256', { outputLength: Math.max(length, 1) });
  return hash.update(String(from)).digest().subarray(0, length);
}
