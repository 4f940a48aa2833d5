// Reads with many readers at once from a host that limits what an identity may ask for, through this
// package and through Backstage's own reader, in one run, each in a process of its own; and meanwhile
// as somebody else, whom the host limits not.
//
//   node benches/throttling.mjs [--readers 60] [--reads 720] [--capacity 200] [--perSecond 20]
//     [--plot throttling.svg]
//
// `--plot` draws requests, refusals and the budget over time.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answer, Child } from './lib/child.mjs';
import {
  leadFetchThroughProxy,
  newReader,
  startStandIn,
  SUBJECTS,
} from './lib/host.mjs';
import { catalogPaths } from './lib/monorepo.mjs';
import { plot } from './lib/plot.mjs';

const SELF = fileURLToPath(import.meta.url);
const FILES = 1000;
const PAUSE_MS = 50;
const ALONE_MS = 2_000;

const { values } = parseArgs({
  options: {
    readers: { type: 'string', default: '60' },
    reads: { type: 'string', default: '720' },
    capacity: { type: 'string', default: '200' },
    perSecond: { type: 'string', default: '20' },
    plot: { type: 'string' },
    subject: { type: 'string' },
    url: { type: 'string' },
  },
});

const [readers, reads, capacity, perSecond] = [
  'readers',
  'reads',
  'capacity',
  'perSecond',
].map(name => Number(values[name]));

if (values.subject) {
  await serve(values);
} else {
  await compare();
}

async function compare() {
  const standIn = startStandIn();
  const host = await standIn.ask('host', {
    files: FILES,
    megabytes: 1,
    matches: FILES,
  });
  const least = Math.max(0, (reads - capacity) / perSecond);
  console.log(
    `${reads} reads by ${readers} readers; a budget of ${capacity}, and ${perSecond} a second: ${least} s at least`,
  );
  const histories = {};
  for (const subject of SUBJECTS) {
    const token = `limited-${subject}`;
    await standIn.ask('limit', { token, capacity, perSecond });
    const args = ['--subject', subject, '--url', host.url];
    const child = new Child(SELF, {
      args: [...args, '--readers', values.readers, '--reads', values.reads],
      env: host.env,
    });
    const outcome = await child.ask('read', { token, other: host.token });
    await child.end();
    histories[subject] = await standIn.ask('history', { token });
    report(subject, outcome, { history: histories[subject], least });
  }
  if (values.plot) writeFileSync(values.plot, plot(histories, capacity));
  await standIn.end();
}

function report(subject, { seconds, failed, alone, meanwhile }, context) {
  const { history, least } = context;
  const refused = history.filter(({ isRefused }) => isRefused).length;
  const share = ((100 * refused) / history.length).toFixed(1);
  console.log(
    [
      `${subject}: ${failed} of ${reads} reads failed`,
      `${refused} of ${history.length} requests were refused (${share} %)`,
      `${seconds.toFixed(1)} s, ${(seconds / least).toFixed(2)} of what the budget takes`,
      `somebody else: median ${alone.median.toFixed(0)} ms alone, ${meanwhile.median.toFixed(0)} ms meanwhile; 95 % within ${alone.most.toFixed(0)} ms, ${meanwhile.most.toFixed(0)} ms`,
    ].join('; '),
  );
}

/** Reads in this process. */
async function serve({ subject, url }) {
  await leadFetchThroughProxy();
  const workingDirectory = mkdtempSync(path.join(tmpdir(), 'bench-'));
  const paths = catalogPaths(FILES);
  const urlOf = n => `${url}?path=/${paths[n % FILES]}`;
  const read = async ({ token, other }) => {
    const [limited, free] = await Promise.all(
      [token, other].map(own =>
        newReader(subject, { token: own, workingDirectory }),
      ),
    );
    const alone = await latencies(free, urlOf, setTimeout(ALONE_MS));
    const startedAt = performance.now();
    const all = readAll(limited, urlOf);
    const meanwhile = await latencies(free, urlOf, all);
    const { failed, endedAt } = await all;
    const seconds = (endedAt - startedAt) / 1000;
    return { seconds, failed, alone, meanwhile };
  };
  answer({ read }, () => rmSync(workingDirectory, { recursive: true }));
}

async function readAll(reader, urlOf) {
  let failed = 0;
  let next = 0;
  const one = async () => {
    while (next < reads) {
      next += 1;
      try {
        await (await reader.readUrl(urlOf(next))).buffer();
      } catch {
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: readers }, one));
  return { failed, endedAt: performance.now() };
}

/** How long reads take one after the other, with pauses, until something is over. */
async function latencies(reader, urlOf, end) {
  let isOver = false;
  const over = end.then(() => {
    isOver = true;
  });
  const times = [];
  while (!isOver) {
    const startedAt = performance.now();
    await (await reader.readUrl(urlOf(times.length))).buffer();
    times.push(performance.now() - startedAt);
    await setTimeout(PAUSE_MS);
  }
  await over;
  times.sort((a, b) => a - b);
  const at = share => times[Math.floor(share * (times.length - 1))];
  return { median: at(0.5), most: at(0.95) };
}
