// Refreshes a real catalog whose locations are files of one repository, with this package and with
// Backstage's own reader, in one run, each in a process of its own: once while nothing has changed,
// and once after a commit that touches three of the files. `npm run bench` measures the reads alone:
// the catalog's own work is most of its CPU.
//
//   node benches/catalog.mjs [--locations 1000] [--files 5100] [--megabytes 64] [--seconds 20]
//
// `--seconds` is over how long a refresh is spread; by default a catalog refreshes everything within
// 100 to 150.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CatalogRefreshes } from './lib/catalog-refreshes.mjs';
import { answer, Child } from '../testing/measuring/child.mjs';
import { beside, measure } from '../testing/measuring/figures.mjs';
import {
  leadFetchThroughProxy,
  startStandIn,
  SUBJECTS,
} from '../testing/measuring/host.mjs';
import { catalogPaths } from '../testing/measuring/monorepo.mjs';

const SELF = fileURLToPath(import.meta.url);
const TOUCHED = 3;

const { values } = parseArgs({
  options: {
    locations: { type: 'string', default: '1000' },
    files: { type: 'string', default: '5100' },
    megabytes: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '20' },
    subject: { type: 'string' },
    token: { type: 'string' },
  },
});

const [locations, files, megabytes, seconds] = [
  'locations',
  'files',
  'megabytes',
  'seconds',
].map(name => Number(values[name]));

if (values.subject) {
  await serve(values);
} else {
  await compare();
}

async function compare() {
  const standIn = startStandIn();
  const matches = locations;
  const host = await standIn.ask('host', { files, megabytes, matches });
  console.log(
    `${locations} locations in ${files} files of ${megabytes} MiB, a refresh over ${seconds} s`,
  );
  const results = {};
  for (const subject of SUBJECTS)
    results[subject] = await run(subject, { standIn, host });
  for (const step of Object.keys(results.native)) {
    const [ours, theirs] = SUBJECTS.map(name => [results[name][step]]);
    console.log(`${step}: ${beside(ours, theirs)}`);
  }
  await standIn.end();
}

/** The refreshes of one process. */
async function run(subject, { standIn, host }) {
  const args = ['--subject', subject, '--token', host.token];
  const options = [...args, '--seconds', values.seconds];
  const child = new Child(SELF, { args: options, env: host.env });
  const paths = catalogPaths(locations);
  const urls = paths.map(file => `${host.url}?path=/${file}`);
  const measured = async (command, parameter) => {
    await standIn.ask('clear');
    const figures = await child.ask(command, parameter);
    return { ...(await standIn.ask('account')), ...figures };
  };
  const { requests, KB } = await measured('start', urls);
  // The refresh after the first is the first that finds everything as it left it.
  await child.ask('refresh');
  const unchanged = await measured('refresh');
  const description = `Changed for ${subject}`;
  const changes = paths.slice(0, TOUCHED).map((file, n) => [file, n]);
  await standIn.ask('commit', { changes, description });
  const touched = await measured('refresh', { description });
  await child.end();
  const first = { requests, KB };
  return { first, unchanged, [`${TOUCHED} touched`]: touched };
}

/** Reads in this process. */
async function serve({ subject, token }) {
  await leadFetchThroughProxy();
  let catalog;
  const start = async urls => {
    catalog = await CatalogRefreshes.start(subject, { token, urls });
  };
  const refresh = async ({ description } = {}) => {
    const { figures } = await measure(() => catalog.refresh(seconds));
    if (description) await catalog.expect(TOUCHED, description);
    // A refresh takes as long as it is spread.
    const { cpuMs, loopMs } = figures;
    return { cpuMs, loopMs };
  };
  answer({ start, refresh });
}
