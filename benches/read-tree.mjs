// Reads a tree of 5,100 files through this package and through Backstage's own reader, in one run,
// each in a process of its own, and through `unzip`: time, event loop and memory, as ratios.
//
//   node benches/read-tree.mjs [--files 5100] [--megabytes 64] [--pairs 5]
import { execFileSync, spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../testing/measuring/figures.mjs';
import { newReader, SUBJECTS } from '../testing/measuring/host.mjs';
import { text } from '../testing/measuring/text.mjs';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const WAYS = ['dir', 'files', 'archive'];
const SELF = fileURLToPath(import.meta.url);

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '5100' },
    megabytes: { type: 'string', default: '64' },
    pairs: { type: 'string', default: '5' },
    subject: { type: 'string' },
    way: { type: 'string' },
    url: { type: 'string' },
    json: { type: 'boolean' },
  },
});

if (values.subject) {
  await measure(values);
} else {
  await compare();
}

/** Answers any repository with one commit and one zip. */
async function serve(zip) {
  const server = http.createServer((request, response) => {
    if (request.url.includes('/commits')) {
      const value = [{ commitId: 'a'.repeat(40) }];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ count: 1, value }));
    } else {
      response.setHeader('content-type', 'application/zip');
      response.setHeader('content-length', zip.length);
      response.end(zip);
    }
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function makeZip() {
  const { ZipArchive } = await import('archiver').then(archiver => ({
    ZipArchive: archiver.default,
  }));
  const archive = ZipArchive('zip');
  const pieces = [];
  archive.on('data', piece => pieces.push(piece));
  const count = Number(values.files);
  const size = Math.ceil((Number(values.megabytes) * 1024 * 1024) / count);
  for (let n = 0; n < count; n += 1) {
    const name = `repo/services/${n % 100}/src/${n}.ts`;
    archive.append(text(n, size), { name });
  }
  await archive.finalize();
  return Buffer.concat(pieces);
}

async function compare() {
  const zip = await makeZip();
  const server = await serve(zip);
  const base = `http://127.0.0.1:${server.address().port}/c/p/_git/r`;
  console.log(
    `${values.files} files of ${values.megabytes} MiB, a zip of ${(zip.length / 2 ** 20).toFixed(1)} MiB; medians of ${values.pairs} pairs`,
  );
  const measured = {};
  for (const way of WAYS) {
    const url = way === 'archive' ? `${base}?path=/repo` : base;
    const results = { native: [], upstream: [] };
    for (let pair = 0; pair < Number(values.pairs); pair += 1) {
      for (const subject of SUBJECTS) {
        results[subject].push(await run(subject, way, url));
      }
    }
    report(way, results);
    measured[way] = medians(results);
  }
  timeUnzip(zip);
  server.close();
  if (values.json) console.log(JSON.stringify(measured));
}

/** Each figure of both. */
function medians(results) {
  const of = name => subject =>
    median(results[subject].map(result => result[name]));
  const both = name =>
    Object.fromEntries(SUBJECTS.map(it => [it, of(name)(it)]));
  return {
    ms: both('ms'),
    loopMs: both('loopMs'),
    megabytes: both('megabytes'),
  };
}

async function run(subject, way, url) {
  const args = [SELF, '--subject', subject, '--way', way, '--url', url];
  const child = spawn(process.execPath, ['--expose-gc', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return JSON.parse(line);
  }
  throw new Error(`${subject} ${way} printed nothing`);
}

function report(way, { native, upstream }) {
  const line = name => {
    const [ours, theirs] = [native, upstream].map(all =>
      median(all.map(result => result[name])),
    );
    return `${name} ${ours.toFixed(0)} against ${theirs.toFixed(0)} (${(theirs / ours).toFixed(1)}x)`;
  };
  const names = ['ms', 'loopMs', 'megabytes'];
  console.log(`${way}: ${names.map(line).join(', ')}`);
}

function timeUnzip(zip) {
  const directory = temporaryFolder('bench');
  const times = [];
  for (let n = 0; n < Number(values.pairs); n += 1) {
    const target = path.join(directory, String(n));
    const startedAt = performance.now();
    execFileSync(
      'sh',
      ['-c', `cat > z${n}.zip && unzip -q z${n}.zip -d ${target}`],
      {
        cwd: directory,
        input: zip,
        maxBuffer: 2 ** 31,
      },
    );
    times.push(performance.now() - startedAt);
  }
  console.log(`unzip: ms ${median(times).toFixed(0)}`);
}

/** One read in this process. */
async function measure({ subject, way, url }) {
  const workingDirectory = temporaryFolder('bench');
  const azure = [{ host: new URL(url).host, plainHttp: 'allow' }];
  const reader = await newReader(subject, { azure, workingDirectory });
  global.gc();
  const idle = process.memoryUsage.rss();
  let peak = idle;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 5);
  const before = performance.eventLoopUtilization();
  const startedAt = performance.now();
  const tree = await reader.readTree(url);
  if (way === 'dir') await tree.dir();
  if (way === 'files') {
    for (const file of await tree.files()) await file.content();
  }
  if (way === 'archive') {
    for await (const piece of await tree.archive()) void piece;
  }
  const ms = performance.now() - startedAt;
  const { active } = performance.eventLoopUtilization(before);
  clearInterval(watch);
  peak = Math.max(peak, process.memoryUsage.rss());
  const megabytes = (peak - idle) / 2 ** 20;
  console.log(JSON.stringify({ ms, loopMs: active, megabytes }));
  process.exit();
}
