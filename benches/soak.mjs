// Reads files, trees and searches for minutes, 20 at a time, while faults are made at random, in a
// process of its own against the stand-in in another. Wrong bytes and hangs have to be none.
//
//   node benches/soak.mjs [--minutes 10] [--faults 0.1] [--seed 1]
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answer, Child } from './lib/child.mjs';
import { newReader, startStandIn } from './lib/host.mjs';
import { component, catalogPaths, isShallow } from './lib/monorepo.mjs';

const SELF = fileURLToPath(import.meta.url);
const AT_ONCE = 20;
const HANG_MS = 60_000;
const REPOSITORY = { files: 200, megabytes: 1, matches: 30 };

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    faults: { type: 'string', default: '0.1' },
    seed: { type: 'string', default: '1' },
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
  await child.ask('start', host.url);
  const [share, seed] = [Number(values.faults), Number(values.seed)];
  await standIn.ask('misbehave', { share, seed });
  for (let minute = 1; minute <= Number(values.minutes); minute += 1) {
    await pause(60_000);
    await print(`minute ${minute}`, { standIn, child });
  }
  await child.ask('stop');
  await print('end', { standIn, child });
  await child.end();
  await standIn.end();
}

async function print(when, { standIn, child }) {
  const made = await standIn.ask('misbehaviour');
  const { wrong, hangs, ...read } = await child.ask('figures');
  const figures = { wrong, hangs, ...read, ...made };
  console.log(`${when}: ${JSON.stringify(figures)}`);
  if (wrong + hangs > 0) process.exitCode = 1;
}

/** Reads in this process. */
async function serve(token) {
  const workingDirectory = mkdtempSync(path.join(tmpdir(), 'soak-'));
  const reader = await newReader('native', { token, workingDirectory });
  const loop = monitorEventLoopDelay({ resolution: 10 });
  const counts = { reads: 0, right: 0, wrong: 0, hangs: 0, errors: {} };
  let running = true;
  let workers;
  const start = url => {
    loop.enable();
    const work = async worker => {
      for (let n = worker; running; n += AT_ONCE) {
        await readOnce(READS[n % READS.length], { reader, url, counts });
      }
    };
    workers = Array.from({ length: AT_ONCE }, (_, worker) => work(worker));
  };
  const stop = async () => {
    running = false;
    await Promise.all(workers);
  };
  answer({ start, stop, figures: () => ({ ...counts, ...held(loop) }) }, () =>
    rmSync(workingDirectory, { recursive: true }),
  );
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

/** What is read in turn, each with the catalog files that it has to find. */
const READS = [
  ...[0, 7, 13].map(n => ({ paths: [paths[n]], run: readUrl(paths[n]) })),
  { paths: shallow, run: search('/services/*/catalog-info.yaml') },
  { paths, run: readTree(files) },
  ...[3, 9, 17].map(n => ({ paths: [paths[n]], run: search(`/${paths[n]}`) })),
  { paths, run: search('/**/catalog-info.yaml') },
  { paths, run: readTree(folder) },
  { paths: undefined, run: readTree(archive) },
];

async function readOnce({ paths: wanted, run }, { reader, url, counts }) {
  counts.reads += 1;
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
