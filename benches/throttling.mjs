// Reads more than the budget of an identity, through this package and through Backstage's own
// reader, in one run, each in a process of its own: files and a few patterns, by many readers at
// once. Meanwhile another identity of the same process reads a file of another organization.
//
//   node benches/throttling.mjs [--reads 720] [--readers 60] [--searches 12] [--plot FILE]
//     [--capacity 250] [--units-per-second 40] [--refusals-before-401 300]
//
// Azure DevOps counts over five minutes; here the units of a budget come back within seconds. What a
// request takes says `unitsOf` in `testing/azure-devops/Budget.ts`. `--plot` draws both runs.
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answer, Child } from '../testing/measuring/child.mjs';
import { median, percentile } from '../testing/measuring/figures.mjs';
import {
  leadFetchThroughProxy,
  newReader,
  startStandIn,
  SUBJECTS,
} from '../testing/measuring/host.mjs';
import { catalogPaths } from '../testing/measuring/monorepo.mjs';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { writePlot } from './lib/plot.mjs';

const SELF = fileURLToPath(import.meta.url);
const OTHER = { organization: 'other', token: 'token-of-the-other-identity' };

const { values } = parseArgs({
  options: {
    reads: { type: 'string', default: '720' },
    readers: { type: 'string', default: '60' },
    searches: { type: 'string', default: '12' },
    capacity: { type: 'string', default: '250' },
    'units-per-second': { type: 'string', default: '40' },
    'refusals-before-401': { type: 'string', default: '300' },
    plot: { type: 'string' },
    subject: { type: 'string' },
    token: { type: 'string' },
  },
});

const [reads, readers, searches] = ['reads', 'readers', 'searches'].map(name =>
  Number(values[name]),
);

const BUDGET = {
  capacity: Number(values.capacity),
  unitsPerSecond: Number(values['units-per-second']),
  refusalsBefore401: Number(values['refusals-before-401']),
};

if (values.subject) {
  await serve(values);
} else {
  await compare();
}

async function compare() {
  const standIn = startStandIn();
  const matches = reads;
  const size = { files: matches + 100, megabytes: 1, matches };
  const host = await standIn.ask('host', size);
  const other = await standIn.ask('hostOther', OTHER);
  console.log(
    `${reads} reads, ${searches} of them patterns, by ${readers} readers; ${BUDGET.capacity} units, of which ${BUDGET.unitsPerSecond} come back each second, and 401 after ${BUDGET.refusalsBefore401} refusals`,
  );
  const panels = [];
  for (const subject of SUBJECTS) {
    const result = await run(subject, { standIn, host, other });
    report(subject, result);
    const { requests, left } = result.timeline;
    panels.push({ name: subject, requests: requests.map(asDrawn), left });
  }
  await standIn.end();
  if (values.plot)
    writePlot(values.plot, { panels, capacity: BUDGET.capacity });
}

/** The reads of one process: the other identity alone, and then beside the many. */
async function run(subject, { standIn, host, other }) {
  const args = ['--subject', subject, '--token', host.token];
  const options = ['--readers', values.readers];
  const child = new Child(SELF, { args: [...args, ...options], env: host.env });
  await child.ask('warmUp', [...urls(host).slice(0, 1), other]);
  const alone = await child.ask('alone', other);
  await standIn.ask('limit', BUDGET);
  const result = await child.ask('readAll', { urls: urls(host), other });
  const timeline = await standIn.ask('timeline');
  await child.end();
  return { ...result, alone, timeline };
}

/** Every file once, and patterns evenly among them. */
function urls(host) {
  const every = Math.floor(reads / searches);
  return catalogPaths(reads).map((file, n) => {
    const isPattern = n % every === every - 1;
    const folder = path.dirname(file);
    const asked = isPattern ? `${folder}/catalog-*.yaml` : file;
    return `${host.url}?path=/${encodeURIComponent(asked)}`;
  });
}

function report(subject, { failures, ms, alone, meanwhile, timeline }) {
  const { requests } = timeline;
  const [refused, unknown] = [429, 401].map(status =>
    count(requests, it => it.status === status),
  );
  const share = (100 * (refused + unknown)) / requests.length;
  const least = leastSeconds(requests);
  const ratio = least > 0 ? (ms / 1000 / least).toFixed(2) : '-';
  console.log(`\n${subject}
  failed reads: ${failures.length} of ${reads}
  requests: ${requests.length}, rejected ${share.toFixed(1)} % (${refused} with 429, ${unknown} with 401)
  time: ${(ms / 1000).toFixed(1)} s; for what was answered the budget allows ${least.toFixed(1)} s at least (${ratio}x)
  the other identity: alone ${latency(alone)}, meanwhile ${latency(meanwhile)}`);
  if (failures.length > 0)
    console.log(`  the last failure: ${failures.at(-1)}`);
}

/** The time that the budget takes to give what was answered, to one who asks as soon as it may. */
function leastSeconds(requests) {
  const units = requests
    .filter(request => !isRejected(request))
    .reduce((sum, request) => sum + request.units, 0);
  return Math.max(0, units - BUDGET.capacity) / BUDGET.unitsPerSecond;
}

function isRejected({ status }) {
  return status === 429 || status === 401;
}

function asDrawn(request) {
  return { at: request.at, isRejected: isRejected(request) };
}

function count(all, test) {
  return all.filter(test).length;
}

function latency(all) {
  const [middle, high] = [median(all), percentile(all, 95)];
  return `${middle.toFixed(1)} ms, p95 ${high.toFixed(1)} ms (${all.length} reads)`;
}

/** Reads in this process. */
async function serve({ subject, token }) {
  await leadFetchThroughProxy();
  const workingDirectory = temporaryFolder('bench');
  const { organization, token: personalAccessToken } = OTHER;
  const others = [{ organizations: [organization], personalAccessToken }];
  const options = { token, others, workingDirectory };
  const reader = await newReader(subject, options);
  const warmUp = async all => {
    for (const url of all) await read(reader, url);
  };
  const alone = url => latencies(reader, url, 40);
  const readAll = ({ urls: all, other }) => readMany(reader, all, other);
  answer({ warmUp, alone, readAll });
}

/** Reads everything, so many at once, and goes on where a read fails. */
async function readMany(reader, all, other) {
  const left = [...all];
  const failures = [];
  let isDone = false;
  const worker = async () => {
    while (left.length > 0)
      await read(reader, left.shift()).catch(error =>
        failures.push(error.message),
      );
  };
  const startedAt = performance.now();
  const beside = latencies(reader, other, Infinity, () => isDone);
  await Promise.all(Array.from({ length: readers }, worker));
  const ms = performance.now() - startedAt;
  isDone = true;
  return { failures, ms, meanwhile: await beside };
}

/** What each read takes of some, one every 50 ms. */
async function latencies(reader, url, most, isDone = () => false) {
  const all = [];
  while (all.length < most && !isDone()) {
    const startedAt = performance.now();
    await read(reader, url);
    all.push(performance.now() - startedAt);
    await wait(50);
  }
  return all;
}

/** Reads a file, or the files that match a pattern. */
async function read(reader, url) {
  if (!url.includes('*')) {
    await (await reader.readUrl(url)).buffer();
    return;
  }
  const { files } = await reader.search(url);
  if (files.length === 0) throw new Error(`nothing matches ${url}`);
  for (const file of files) await file.content();
}
