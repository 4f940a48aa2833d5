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

export const cases = PATTERNS.flatMap(([pattern, matches]) =>
  STEPS.map(step => ({
    group: 'search',
    name: `search ${pattern}, ${matches} matches, ${step}`,
    contenders: ['native', 'upstream'],
    rounds: 3,
    needs: 'stand-in',
    hosts: MONOREPO,
    delayEveryMs: 1,
    options: { pattern, matches, step, first: PATHS[0] },
  })),
);

/** Searches as often as comes before the step, and then, measured, as the step says. */
export async function prepare({ contender, options, server }) {
  const { pattern, matches, step, first } = options;
  await leadFetchThroughProxy();
  const workingDirectory = temporaryFolder('bench');
  const { url, token } = server;
  const reader = await newReader(contender, { token, workingDirectory });
  await (await reader.readUrl(`${url}?path=/${first}`)).buffer();
  const search = async etag => {
    const found = await searchAll(
      reader,
      `${url}?path=${encodeURIComponent(pattern)}`,
      etag,
    );
    const expected = etag ? 0 : matches;
    if (found.count !== expected)
      throw new Error(`found ${found.count} of ${expected}`);
    return found.etag;
  };
  const etag = step === 'first' ? undefined : await search();
  return async () => {
    await search(step === 'unchanged' ? etag : undefined);
    return { units: 1 };
  };
}

/** Searches as the catalog does, which wants all contents. */
async function searchAll(reader, url, etag) {
  try {
    const response = await reader.search(url, { etag });
    for (const file of response.files) await file.content();
    return { etag: response.etag, count: response.files.length };
  } catch (error) {
    if (error.name !== 'NotModifiedError') throw error;
    return { etag, count: 0 };
  }
}
