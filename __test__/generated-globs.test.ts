/** Patterns of minimatch's whole grammar, held against minimatch over what git lists. */
import { AzureUrlReader } from 'backstage-azure-devops-native';
import fc from 'fast-check';
import { Minimatch } from 'minimatch';
import { standIn, type Hosted } from '../testing/azure-devops';
import type {
  FileToCommit,
  TreeEntry,
} from '../testing/azure-devops/GitRepository';
import { seed } from './parity/seed';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { reader } from '../testing/reader';

/** Names that patterns are about, and such as a pattern must escape. */
const FOLDERS = [
  ...['services', 'docs', 'src', '.github', 'a', 'a b', '[id]', '(group)'],
  ...['!not', '#hash', '{x,y}', '@(a|b)', '*', '**', 'ü', 'u\u0308', '🚀'],
];
const FILES = [
  ...['catalog-info.yaml', 'catalog-info.yml', 'README.md', 'a', 'b', 'ab'],
  ...['A', '1', '2', '10', '.env', '.hidden.md', 'x?.md', '[a].md', '{a}.md'],
  ...['#a.md', '!a.md', '*.md', 'a+b (1).md', "it's.md", 'ü.md', 'u\u0308.md'],
  ...['🚀.md', 'é', '50%.md', 'a&b=c;d', '~tilde', '@at', '-dash', '$x', 'ß'],
];

const azure = standIn();

let hosted: Hosted;
let files: TreeEntry[];
let others: Set<string>;
const workingDirectory = temporaryFolder('globs');

beforeAll(async () => {
  hosted = await azure.addRepository({
    organization: 'globs',
    project: 'Project',
    repository: 'Repo',
    files: someHundredFiles(),
  });
  const entries = await hosted.git.tree((await hosted.git.head())!);
  files = entries.filter(entry => entry.type === 'blob');
  others = new Set(
    entries.filter(entry => entry.type !== 'blob').map(entry => entry.path),
  );
});

it('finds what minimatch finds in what git lists', async () => {
  let found = 0;
  let count = 0;
  await fc.assert(
    fc.asyncProperty(question, async ({ pattern, slashes, at }) => {
      const name = `${slashes}${pattern}`;
      fc.pre(!isRefused(name));
      const url = hosted.webUrl({ path: name, at });
      const error = refusalOf(name);
      if (error) {
        await expect(readerOf(url).search(url)).rejects.toThrow(error.message);
        return;
      }
      const { files: ours, etag } = await readerOf(url).search(url);
      const expected = expectedOf(name);
      const urls = expected.map(({ path: own }) => urlOf(own, name, url));
      expect(ours.map(file => file.url)).toEqual(urls);
      const ids = await Promise.all(ours.map(file => file.content()));
      for (const [index, content] of ids.entries()) {
        const blob = await hosted.git.blob(expected[index].id);
        expect(content.equals(blob)).toBe(true);
      }
      if (isPattern(name)) expect(etag).toBe(await hosted.git.head());
      found += ours.length > 0 ? 1 : 0;
      count += 1;
    }),
    { numRuns: 700, seed },
  );
  expect(files.length).toBeGreaterThan(300);
  expect(count).toBeGreaterThanOrEqual(500);
  // Of those that find nothing, many would teach nothing.
  expect(found).toBeGreaterThan(count / 5);
});

it('finds what minimatch finds above a folder', async () => {
  const url = hosted.webUrl({ path: '/docs/../*.md' });
  const { files: ours } = await readerOf(url).search(url);
  expect(ours).toHaveLength(expectedOf('/docs/../*.md').length);
});

/** Every folder has some of the names, and some folders are in others; some contents are the same. */
function someHundredFiles(): Record<string, FileToCommit> {
  const [first, second, third, name] = [1, 2, 3, 4].map(salt =>
    fc.sample(fc.constantFrom(...(salt === 4 ? FILES : FOLDERS)), {
      seed: seed + salt,
      numRuns: 500,
    }),
  );
  const paths = name.map((own, n) =>
    [first[n], second[n], third[n]].slice(0, n % 4).concat(`${own}`),
  );
  const folders = new Set(
    paths.flatMap(names =>
      names.slice(1).map((_, n) => names.slice(0, n + 1).join('/')),
    ),
  );
  const possible = paths.map(names => names.join('/'));
  const entries = possible
    .filter(own => !folders.has(own))
    .map((own, n): [string, FileToCommit] => [own, fileNo(n)]);
  const submodule = { id: '1'.repeat(40), mode: '160000' } as const;
  return Object.fromEntries([...entries, ['a b/module', submodule]]);
}

function fileNo(n: number): FileToCommit {
  if (n % 40 === 0) return { content: 'README.md', mode: '120000' };
  return n % 10 === 0 ? 'the same' : `content ${n}\n`.repeat(n % 50);
}

/** Whether the path is a pattern; else it is the name of one file. */
function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}

/** Folders and submodules are no files, and no path is no question. */
function isRefused(name: string): boolean {
  const plain = name.replace(/^\/+|\/+$/g, '');
  return !isPattern(name) && (plain === '' || others.has(plain));
}

/** What minimatch says to a pattern that it makes no regular expression from. */
function refusalOf(name: string): Error | undefined {
  try {
    expectedOf(name);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function expectedOf(name: string): TreeEntry[] {
  if (!isPattern(name)) {
    const plain = name.replace(/^\/+|\/+$/g, '');
    return files.filter(file => file.path === plain);
  }
  const matcher = new Minimatch(name.replace(/^\/+/, ''));
  return files.filter(file => matcher.match(file.path));
}

/** A file that is asked for by its name has the URL by which it was asked for. */
function urlOf(own: string, name: string, base: string): string {
  const url = new URL(base);
  if (isPattern(name)) url.searchParams.set('path', `/${own}`);
  return isPattern(name) ? String(url) : base;
}

const literal = fc.constantFrom(
  ...FOLDERS.slice(0, 6),
  ...FILES.slice(0, 12),
  ...['catalog', '.md', '.y', 'a', 'b', '-', '.', '1', 'ü', '🚀', 'é'],
);

/** A name with each letter that has a meaning taken for itself. */
const escaped = fc
  .tuple(fc.constantFrom(...FOLDERS, ...FILES), fc.boolean())
  .map(([name, inClasses]) =>
    name.replace(/[*?[\]{}()!@+|\\#,]/g, mark =>
      inClasses && !/[\]!\\]/.test(mark) ? `[${mark}]` : `\\${mark}`,
    ),
  );

const POSIX = ['alnum', 'alpha', 'ascii', 'blank', 'cntrl', 'digit', 'graph'];
const MORE_POSIX = ['lower', 'print', 'punct', 'space', 'upper', 'word'];

const classes = fc.oneof(
  fc.constantFrom('[a-z]', '[!a]', '[^a]', '[A-Z0-9]', '[abc]', '[.]', '[]a]'),
  fc.constantFrom(
    '[z-a]',
    '[',
    ']',
    '[]',
    '[a',
    '[!]',
    '[a-]',
    '[-a]',
    '[\\]]',
  ),
  fc.constantFrom('[ü]', '[à-ÿ]', '[🚀]', '[a/b]', '[*]', '[?]', '[[]', '[#]'),
  fc
    .tuple(
      fc.constantFrom('', '!', 'x'),
      fc.constantFrom(...POSIX, ...MORE_POSIX, 'xdigit', 'nonsense'),
    )
    .map(([before, own]) => `[${before}[:${own}:]]`),
);

const range = fc.constantFrom(
  ...['{1..3}', '{3..1}', '{01..10}', '{a..c}', '{1..10..3}', '{a..}', '{}'],
  ...['{,a}', '{a}', '{a,', '{x,y}', '$' + '{a,b}', '{a,b}{1,2}'],
);

const { part } = fc.letrec<{ part: string; group: string; brace: string }>(
  tie => ({
    part: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      { weight: 6, arbitrary: literal },
      {
        weight: 6,
        arbitrary: fc.constantFrom('*', '*', '?', '**', '???', '*.*'),
      },
      { weight: 3, arbitrary: escaped },
      { weight: 2, arbitrary: classes },
      { weight: 2, arbitrary: range },
      { weight: 3, arbitrary: tie('group') },
      { weight: 3, arbitrary: tie('brace') },
    ),
    group: fc
      .tuple(
        fc.constantFrom('@', '!', '+', '*', '?'),
        fc.array(tie('part'), { minLength: 1, maxLength: 3 }),
      )
      .map(([mark, parts]) => `${mark}(${parts.join('|')})`),
    brace: fc
      .array(fc.oneof(tie('part'), fc.constantFrom('', 'a/b', 'docs/*')), {
        minLength: 2,
        maxLength: 3,
      })
      .map(parts => `{${parts.join()}}`),
  }),
);

const segment = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('**', '*', ...FOLDERS.slice(0, 5)) },
  { weight: 3, arbitrary: escaped },
  { weight: 1, arbitrary: fc.constantFrom('.', '..', '.*', '*.md', '*.y*ml') },
  {
    weight: 6,
    arbitrary: fc
      .array(part, { minLength: 1, maxLength: 3 })
      .map(parts => parts.join('')),
  },
);

/** Names of files as they are, which may be patterns without wanting to be. */
const unescaped = fc
  .array(fc.constantFrom(...FOLDERS, ...FILES), { minLength: 1, maxLength: 3 })
  .map(names => names.join('/'));

/** The path of a file that is there, with one of its names or letters made a pattern. */
const nearlyThere = fc
  .tuple(fc.nat(), fc.nat(), fc.constantFrom('*', '?', '[!x]', '**', '+(?)'))
  .map(([which, at, mark]) => {
    const all = Object.keys(someHundredFiles());
    const letters = [...all[which % all.length]];
    letters[at % letters.length] = mark;
    return letters.join('').replace(/[[\]{}()!@#\\](?!\()/g, '?');
  });

const pattern = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          '',
          '',
          '',
          '',
          '',
          '',
          '!',
          '!!',
          '#',
          './',
          '\\!',
          '\\#',
        ),
        fc.array(segment, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('/', '/', '/', '/', '//', '/./', '/../'),
        fc.constantFrom('', '', '', '', '', '/', '//', '\\'),
      )
      .map(
        ([start, segments, between, end]) =>
          start + segments.join(between) + end,
      ),
  },
  { weight: 2, arbitrary: unescaped },
  { weight: 6, arbitrary: nearlyThere },
);

const question = fc.record({
  pattern,
  slashes: fc.constantFrom('/', '/', '/', '//', ''),
  at: fc.constantFrom('dev.azure.com', 'server'),
});

function readerOf(url: string): AzureUrlReader {
  return reader({ of: url, workingDirectory });
}
