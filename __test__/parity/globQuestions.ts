/** Questions about searches with a pattern, and how a package answers them. */
import fc from 'fast-check';
import { standIn, type Hosted } from '../../testing/azure-devops';
import { outcomeOf, type Outcome } from './outcome';
import type { Package } from '../../testing/packages';
import { readerFrom } from '../../testing/reader';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

export interface GlobQuestion {
  /** The path in the URL. */
  pattern: string;
}

export interface GlobAnswer {
  etag: string;
  found: FoundFile[];
}

export interface FoundFile {
  /** What is in the file: its path. */
  content: string;
  /** Where it is said to be, and the path and the other parameters there, decoded. */
  place: string;
  path: string | null;
  others: string[][];
}

const FOLDERS = [
  ...['services', 'docs', 'a', 'a b', '[id]', '(group)', '!not', '.github'],
  ...['{x,y}', '@(a|b)', 'ü', '🚀'],
];

const FILES = [
  ...['catalog-info.yaml', 'README.md', 'a', 'b', 'ab', 'A', '1', '2', '10'],
  ...[
    '.env',
    '.hidden.md',
    '[a].md',
    '{a}.md',
    '#a.md',
    '!a.md',
    'ü',
    'u\u0308',
  ],
  ...['é', '🚀.md', 'ß', '-dash', '$x', '50%.md', 'a&b=c;d'],
];

/** Every file in the root, in every folder, and some of them one folder deeper. */
export const GLOB_FILES = [
  ...FILES.filter(file => !FOLDERS.includes(file)),
  ...FOLDERS.flatMap(folder => FILES.map(file => `${folder}/d/${file}`)),
  ...FOLDERS.slice(1).flatMap(folder =>
    FILES.slice(0, 12).map(file => `services/${folder}/${file}`),
  ),
];

let hosted: Promise<Hosted> | undefined;

/** Where all of them are. */
export const GLOB_PLACE = 'https://dev.azure.com/globs/Project/_git/Parity';

/** Upstream takes patterns for patterns on Azure's own hosts only. */
export async function answerGlob(
  from: Package,
  { pattern }: GlobQuestion,
): Promise<Outcome> {
  hosted ??= standIn().addRepository({
    organization: 'globs',
    project: 'Project',
    repository: 'Parity',
    files: Object.fromEntries(GLOB_FILES.map(own => [own, own])),
  });
  const url = (await hosted).webUrl({ at: 'dev.azure.com', path: pattern });
  const reader = readerFrom(from, { of: url, workingDirectory });
  return outcomeOf(async (): Promise<GlobAnswer> => {
    const { etag, files } = await reader.search(url);
    const found = files.map(async file =>
      foundAt(file.url, String(await file.content())),
    );
    return { etag, found: inOrder(await Promise.all(found)) };
  });
}

function foundAt(url: string, content: string): FoundFile {
  const { origin, pathname, hash, searchParams } = new URL(url);
  const others = [...searchParams].filter(([name]) => name !== 'path');
  const path = searchParams.get('path');
  return { content, place: `${origin}${pathname}${hash}`, path, others };
}

function inOrder(found: FoundFile[]): FoundFile[] {
  return found.sort((a, b) => (a.content < b.content ? -1 : 1));
}

const workingDirectory = temporaryFolder('globs');

const literal = fc.constantFrom(...FOLDERS, ...FILES, '.md', 'a', 'b', '-');
const wildcard = fc.constantFrom('*', '*', '?', '**', '???', '*.*', '.*');
const letters = fc.constantFrom(
  ...['[a-z]', '[!a]', '[^a]', '[[:alpha:]]', '[[:upper:]]', '[à-ÿ]', '[🚀]'],
  ...['[a', '[]', '[!]', '[]a]', '[\\]]', '\\*', '\\{a,b}', '\\[a]'],
);
const braces = fc.oneof(
  fc.constantFrom('{1..3}', '{01..10}', '{a..c}', '{}', '{,a}', '{a}', '{a,'),
  fc
    .array(fc.oneof(literal, wildcard, fc.constantFrom('', 'docs/*')), {
      minLength: 2,
      maxLength: 3,
    })
    .map(parts => `{${parts.join()}}`),
);
const group = fc
  .tuple(
    fc.constantFrom('@', '!', '+', '*', '?'),
    fc.array(fc.oneof(literal, wildcard, letters), {
      minLength: 1,
      maxLength: 2,
    }),
  )
  .map(([mark, parts]) => `${mark}(${parts.join('|')})`);

const segment = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('**', '*', '.', '..', '*.md') },
  { weight: 3, arbitrary: fc.constantFrom(...FOLDERS.slice(0, 4), 'd') },
  {
    weight: 6,
    arbitrary: fc
      .array(fc.oneof(literal, wildcard, wildcard, letters, braces, group), {
        minLength: 1,
        maxLength: 3,
      })
      .map(parts => parts.join('')),
  },
);

/** Patterns of minimatch's grammar: a path without a wildcard is none. */
export const globQuestions: fc.Arbitrary<GlobQuestion> = fc
  .tuple(
    fc.constantFrom('/', '/', '/', '//', '', '/!', '/#', '/./'),
    fc.array(segment, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('/', '/', '/', '/', '//', '/./', '/../'),
    fc.constantFrom('', '', '', '/'),
  )
  .map(([start, segments, between, end]) => ({
    pattern: start + segments.join(between) + end,
  }))
  .filter(({ pattern }) => /[*?]/.test(pattern));
