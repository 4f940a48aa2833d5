// Reads files, trees and searches, 20 at a time, while faults are made at random and commits come in, in
// a process of its own against the stand-in in another: for minutes, or so many files, and trees and
// searches, in turn. Wrong bytes and hangs have to be none. `--plot` draws what the process holds.
//
//   node benches/soak.mjs [--minutes 10] [--faults 0.1] [--seed 1] [--plot FILE]
//   node benches/soak.mjs --reads 1000000 --trees 2000 --faults 0.01 [--plot FILE]
import { readdirSync, readlinkSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answer, Child } from '../testing/measuring/child.mjs';
import { newReader, startStandIn } from '../testing/measuring/host.mjs';
import { writeLines } from './lib/lines.mjs';
import {
  component,
  catalogPaths,
  isShallow,
} from '../testing/measuring/monorepo.mjs';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const SELF = fileURLToPath(import.meta.url);
const AT_ONCE = 20;
const HANG_MS = 60_000;
const SAMPLE_MS = 10_000;
const SAMPLES_A_LINE = 6;

/** What the plot shows of what the process holds. */
const HELD = ['rssMB', 'sockets', 'fds', 'loopMaxMs', 'readsASecond'];
const REPOSITORY = { files: 200, megabytes: 1, matches: 30 };

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    faults: { type: 'string', default: '0.1' },
    seed: { type: 'string', default: '1' },
    reads: { type: 'string' },
    trees: { type: 'string', default: '0' },
    plot: { type: 'string' },
    token: { type: 'string' },
  },
});

if (values.token) {
  await serve(values.token);
} else {
  await soak();
}

async function soak() {
  const standIn = startStandIn();
  const host = await standIn.ask('host', REPOSITORY);
  const args = ['--token', host.token];
  const child = new Child(SELF, { args, env: host.env });
  const [reads, trees] = [Number(values.reads ?? 0), Number(values.trees)];
  await child.ask('start', { url: host.url, reads, trees });
  const [share, seed] = [Number(values.faults), Number(values.seed)];
  // To be limited is to be slow, which would take days.
  const limits = reads === 0;
  await standIn.ask('misbehave', { share, seed, limits });
  const samples = await sampled({ standIn, child });
  await child.ask('stop');
  report('end', await figures({ standIn, child }));
  if (values.plot) writeLines(values.plot, { names: HELD, samples });
  await child.end();
  await standIn.end();
}

/** What the process holds every few seconds, until it has read enough. */
async function sampled({ standIn, child }) {
  const startedAt = Date.now();
  const samples = [];
  const isEnough = ({ isDone, at }) =>
    values.reads ? isDone : at >= Number(values.minutes) * 60_000;
  for (let last = { reads: 0, at: 0 }; !isEnough(last);) {
    await pause(SAMPLE_MS);
    // A new commit, so that lists and archives are read again.
    const notes = { changes: [['notes.md', 0]], description: `${last.at}` };
    await standIn.ask('commit', notes);
    const now = await figures({ standIn, child });
    const at = Date.now() - startedAt;
    const readsASecond = Math.round(
      ((now.reads - last.reads) / (at - last.at)) * 1000,
    );
    last = { ...now, at, readsASecond };
    samples.push(last);
    if (samples.length % SAMPLES_A_LINE === 0)
      report(`minute ${Math.round(at / 60_000)}`, last);
  }
  return samples;
}

async function figures({ standIn, child }) {
  const made = await standIn.ask('misbehaviour');
  return { ...(await child.ask('figures')), ...made };
}

function report(when, { wrong, hangs, ...others }) {
  console.log(`${when}: ${JSON.stringify({ wrong, hangs, ...others })}`);
  if (wrong + hangs > 0) process.exitCode = 1;
}

/** Reads in this process. */
async function serve(token) {
  const workingDirectory = temporaryFolder('soak');
  const reader = await newReader('native', { token, workingDirectory });
  const loop = monitorEventLoopDelay({ resolution: 10 });
  const counts = {
    reads: 0,
    trees: 0,
    right: 0,
    wrong: 0,
    hangs: 0,
    errors: {},
  };
  let running = true;
  let atWork = AT_ONCE;
  let workers;
  const start = ({ url, ...wanted }) => {
    loop.enable();
    const turns = turnsOf(wanted);
    const work = async () => {
      for (const read of turns) {
        if (!running) break;
        await readOnce(read, { reader, url, counts });
      }
      atWork -= 1;
    };
    workers = Array.from({ length: AT_ONCE }, work);
  };
  const stop = async () => {
    running = false;
    await Promise.all(workers);
  };
  const figures = () => ({ ...counts, isDone: atWork === 0, ...held(loop) });
  answer({ start, stop, figures });
}

/** What to read one after the other: all in turn without end, or so many files, trees and searches. */
function turnsOf({ reads, trees }) {
  if (reads === 0) return inTurn(() => READS);
  const every = Math.round((reads + trees) / trees);
  const isTree = n => trees > 0 && n % every === every - 1;
  return inTurn(n => (isTree(n) ? TREES : FILES), reads + trees);
}

/** Of what the choice is made is read by all workers together: each takes the next. */
function* inTurn(chosen, most = Infinity) {
  const taken = new Map();
  for (let n = 0; n < most; n += 1) {
    const among = chosen(n);
    const before = taken.get(among) ?? 0;
    taken.set(among, before + 1);
    yield among[before % among.length];
  }
}

/** What the process holds, and how late its event loop was since the last time. */
function held(loop) {
  const files = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  const sockets = files.filter(file => file.startsWith('socket:')).length;
  const rssMB = Math.round(process.memoryUsage.rss() / 1e6);
  const [loopP99Ms, loopMaxMs] = [loop.percentile(99), loop.max].map(
    nanoseconds => Math.round(nanoseconds / 1e5) / 10,
  );
  loop.reset();
  return { fds: files.length, sockets, rssMB, loopP99Ms, loopMaxMs };
}

const paths = catalogPaths(REPOSITORY.matches);
const shallow = paths.filter(isShallow);
const components = new Map(paths.map((name, n) => [name, component(n)]));

/** Files to read, each with the catalog file that it has to be. */
const FILES = [0, 7, 13].map(n => ({
  paths: [paths[n]],
  run: readUrl(paths[n]),
}));

/** Trees and searches, each with the catalog files that it has to find. */
const TREES = [
  { paths: shallow, run: search('/services/*/catalog-info.yaml') },
  { paths, run: readTree(files) },
  ...[3, 9, 17].map(n => ({ paths: [paths[n]], run: search(`/${paths[n]}`) })),
  { paths, run: search('/**/catalog-info.yaml') },
  { paths, run: readTree(folder) },
  { paths: undefined, run: readTree(archive) },
].map(read => ({ ...read, isTree: true }));

const READS = [...FILES, ...TREES];

async function readOnce(
  { paths: wanted, run, isTree },
  { reader, url, counts },
) {
  counts[isTree ? 'trees' : 'reads'] += 1;
  const timer = setTimeout(() => {
    counts.hangs += 1;
  }, HANG_MS);
  try {
    const found = await run(reader, url);
    counts[isRight(found, wanted) ? 'right' : 'wrong'] += 1;
  } catch (error) {
    const kind = `${error.name}${kindOf(error.message)}`;
    counts.errors[kind] = (counts.errors[kind] ?? 0) + 1;
  } finally {
    clearTimeout(timer);
  }
}

/** What kind of status, or what else, an error tells of. */
function kindOf(message) {
  const status = message.match(/, (\d{3}) /)?.[1];
  if (status) return ` ${status[0]}xx`;
  const what = /ended before its end|broke off|no connection|failed|in time/;
  return ` ${message.match(what)?.[0] ?? message}`;
}

/** Whether the catalog files that were found are those that are there, with their contents. */
function isRight(found, wanted) {
  if (wanted === undefined) return found.subarray(0, 2).toString() === 'PK';
  const all = [...found].filter(([name]) => /catalog-info\.yaml$/.test(name));
  const isSame = ([name, content]) =>
    content.toString() === components.get(name);
  return (
    all.length === wanted.length &&
    all.every(entry => wanted.includes(entry[0]) && isSame(entry))
  );
}

function readUrl(file) {
  return async (reader, url) => {
    const response = await reader.readUrl(`${url}?path=/${file}`);
    return new Map([[file, await response.buffer()]]);
  };
}

function search(pattern) {
  return async (reader, url) => {
    const own = `${url}?path=${encodeURIComponent(pattern)}`;
    const { files: found } = await reader.search(own);
    const nameOf = file => new URL(file.url).searchParams.get('path').slice(1);
    return contents(found, nameOf);
  };
}

function readTree(use) {
  return async (reader, url) => use(await reader.readTree(url));
}

async function files(tree) {
  return contents(await tree.files(), file => file.path);
}

async function folder(tree) {
  const dir = await tree.dir();
  const read = paths.map(async name => [
    name,
    await readFile(path.join(dir, name)),
  ]);
  const found = new Map(await Promise.all(read));
  await rm(dir, { recursive: true });
  return found;
}

async function archive(tree) {
  return buffer(await tree.archive());
}

async function contents(found, nameOf) {
  const read = found.map(async file => [nameOf(file), await file.content()]);
  return new Map(await Promise.all(read));
}

function pause(milliseconds) {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}
