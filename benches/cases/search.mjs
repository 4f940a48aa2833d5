// Searches of a monorepo by the shape of their pattern: the first, the same with its etag while nothing
// has changed, and the same once more without.
import {
  leadFetchThroughProxy,
  newReader,
} from '../../testing/measuring/host.mjs';
import { catalogPaths, isShallow } from '../../testing/measuring/monorepo.mjs';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

const MONOREPO = { files: 5100, megabytes: 64, matches: 300 };
const PATHS = catalogPaths(MONOREPO.matches);

/** The patterns, with how many files match each. */
const PATTERNS = [
  ['/**/catalog-info.yaml', PATHS.length],
  ['/services/*/catalog-info.yaml', PATHS.filter(isShallow).length],
  ['/**', MONOREPO.files],
];

const STEPS = ['first', 'unchanged', 'again'];

/** How many files a repository has, of which a tenth match. */
const SIZES = [1000, 10_000, 100_000];

const SHAPES = PATTERNS.flatMap(([pattern, matches]) =>
  STEPS.map(step => ({
    name: `search ${pattern}, ${matches} matches, ${step}`,
    rounds: 3,
    hosts: MONOREPO,
    options: { pattern, matches, step, first: PATHS[0] },
  })),
);

const GROWTH = SIZES.flatMap(files => {
  const hosts = { files, megabytes: files / 1000, matches: files / 10 };
  const [first] = catalogPaths(hosts.matches);
  const glob = { pattern: '/**/catalog-info.yaml', matches: hosts.matches };
  const of = `of ${files.toLocaleString('en')} files`;
  const make = (name, options, more) => ({
    name: `search ${name} ${of}`,
    rounds: 1,
    // The built-in reader downloads and unpacks all of it each time.
    contenders: files > 10_000 ? ['native'] : ['native', 'upstream'],
    hosts,
    options: { first, ...options },
    ...more,
  });
  return [
    make('/**/catalog-info.yaml, first,', { ...glob, step: 'first' }),
    make('/**/catalog-info.yaml, unchanged,', { ...glob, step: 'unchanged' }),
    make(
      '/**/catalog-info.yaml, one file changed,',
      { ...glob, step: 'changed', readsAll: false },
      { change: [[first, 0]] },
    ),
    make('/**, contents left alone,', {
      pattern: '/**',
      matches: files,
      step: 'first',
      readsAll: false,
    }),
  ];
});

export const cases = [...SHAPES, ...GROWTH].map(it => ({
  group: 'search',
  contenders: ['native', 'upstream'],
  needs: 'stand-in',
  delayEveryMs: 1,
  ...it,
}));

/** Searches as often as comes before the step, and then, measured, as the step says. */
export async function prepare({ contender, options, server }) {
  const { pattern, matches, step, first, readsAll = true } = options;
  await leadFetchThroughProxy();
  const workingDirectory = temporaryFolder('bench');
  const { url, token } = server;
  const reader = await newReader(contender, { token, workingDirectory });
  await (await reader.readUrl(`${url}?path=/${first}`)).buffer();
  const search = async etag => {
    const asked = `${url}?path=${encodeURIComponent(pattern)}`;
    const found = await searchAll(reader, asked, { etag, readsAll });
    const expected = etag && step === 'unchanged' ? 0 : matches;
    if (found.count !== expected)
      throw new Error(`found ${found.count} of ${expected}`);
    return found.etag;
  };
  const etag = step === 'first' ? undefined : await search();
  return async () => {
    await search(step === 'again' ? undefined : etag);
    return { units: 1 };
  };
}

/** Searches, and reads all contents, as the catalog does, or one of them. */
async function searchAll(reader, url, { etag, readsAll }) {
  try {
    const response = await reader.search(url, { etag });
    const read = readsAll ? response.files : response.files.slice(0, 1);
    for (const file of read) await file.content();
    return { etag: response.etag, count: response.files.length };
  } catch (error) {
    if (error.name !== 'NotModifiedError') throw error;
    return { etag, count: 0 };
  }
}
