// Searches a repository with patterns, through this package and through Backstage's own reader, in
// one run, each in a process of its own: the first search, the same with its etag while nothing has
// changed, and the same once more without.
//
//   node benches/search.mjs [--files 5100] [--megabytes 64] [--matches 300] [--pairs 5]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answer, Child } from '../testing/measuring/child.mjs';
import { beside, measure, median } from '../testing/measuring/figures.mjs';
import {
  leadFetchThroughProxy,
  newReader,
  startStandIn,
  SUBJECTS,
} from '../testing/measuring/host.mjs';
import { catalogPaths, isShallow } from '../testing/measuring/monorepo.mjs';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const SELF = fileURLToPath(import.meta.url);

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '5100' },
    megabytes: { type: 'string', default: '64' },
    matches: { type: 'string', default: '300' },
    pairs: { type: 'string', default: '5' },
    subject: { type: 'string' },
    token: { type: 'string' },
    json: { type: 'boolean' },
  },
});

if (values.subject) {
  await serve(values);
} else {
  await compare();
}

async function compare() {
  const [files, megabytes, matches] = ['files', 'megabytes', 'matches'].map(
    name => Number(values[name]),
  );
  const standIn = startStandIn();
  const host = await standIn.ask('host', { files, megabytes, matches });
  console.log(
    `${files} files of ${megabytes} MiB, an archive of ${(host.archiveBytes / 1000).toFixed(0)} KB; medians of ${values.pairs} pairs`,
  );
  const paths = catalogPaths(matches);
  const pattern = '/**/catalog-info.yaml';
  const all = await comparePattern(pattern, paths, { standIn, host });
  const shallow = paths.filter(isShallow);
  await comparePattern('/services/*/catalog-info.yaml', shallow, {
    standIn,
    host,
  });
  await standIn.end();
  if (values.json) console.log(JSON.stringify(all));
}

async function comparePattern(pattern, paths, { standIn, host }) {
  const results = { native: [], upstream: [] };
  for (let pair = 0; pair < Number(values.pairs); pair += 1) {
    for (const subject of SUBJECTS) {
      const result = await run(subject, pattern, { standIn, host, paths });
      results[subject].push(result);
    }
  }
  console.log(`\n${pattern}, ${paths.length} files`);
  for (const step of Object.keys(results.native[0])) {
    const [ours, theirs] = SUBJECTS.map(subject =>
      results[subject].map(steps => steps[step]),
    );
    console.log(`  ${step}: ${beside(ours, theirs)}`);
  }
  const kilobytes = subject =>
    median(results[subject].map(({ first }) => first.KB));
  return { KB: Object.fromEntries(SUBJECTS.map(it => [it, kilobytes(it)])) };
}

/** The three searches of one process, which has read a file before. */
async function run(subject, pattern, { standIn, host, paths }) {
  const args = ['--subject', subject, '--token', host.token];
  const child = new Child(SELF, { args, env: host.env });
  await child.ask('readUrl', `${host.url}?path=/${paths[0]}`);
  const search = async (etag, expected) => {
    await standIn.ask('clear');
    const url = `${host.url}?path=${encodeURIComponent(pattern)}`;
    const { result, figures } = await child.ask('search', { url, etag });
    if (result.count !== expected)
      throw new Error(`${subject} found ${result.count} of ${expected}`);
    return [result, { ...(await standIn.ask('account')), ...figures }];
  };
  const [{ etag }, first] = await search(undefined, paths.length);
  const [, unchanged] = await search(etag, 0);
  const [, again] = await search(undefined, paths.length);
  await child.end();
  return { first, unchanged, again };
}

/** Reads in this process. */
async function serve({ subject, token }) {
  await leadFetchThroughProxy();
  const workingDirectory = temporaryFolder('bench');
  const reader = await newReader(subject, { token, workingDirectory });
  const readUrl = async url => {
    await (await reader.readUrl(url)).buffer();
  };
  const search = ({ url, etag }) => measure(() => found(reader, url, etag));
  answer({ readUrl, search });
}

/** Searches as the catalog does, which wants all contents. */
async function found(reader, url, etag) {
  try {
    const response = await reader.search(url, { etag });
    for (const file of response.files) await file.content();
    return { etag: response.etag, count: response.files.length };
  } catch (error) {
    if (error.name !== 'NotModifiedError') throw error;
    return { etag, count: 0 };
  }
}
