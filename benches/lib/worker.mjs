// One measurement, in a process of its own: prepares what a case wants, and then measures it once.
import { setTimeout as wait } from 'node:timers/promises';
import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { answer } from '../../testing/measuring/child.mjs';
import { measure } from '../../testing/measuring/figures.mjs';

/** How long a process may rest before and after, so that what it has begun of its own accord has ended. */
const REST_MS = 100;

let work;

answer({
  async prepare({ file, ...parameters }) {
    const { prepare } = await import(file);
    work = await prepare(parameters);
    await settle();
  },
  run,
});

/** Does the work, and tells what it took, and what it gave as figures besides. */
async function run({ delayEveryMs = 5, settles = false }) {
  const delay = monitorEventLoopDelay({ resolution: delayEveryMs });
  const idle = memory().now;
  forgetPeak();
  delay.enable();
  const { result, figures } = await measure(work);
  delay.disable();
  const { peak } = memory();
  const ofDelay = nanoseconds => Math.max(0, nanoseconds / 1e6 - delayEveryMs);
  const measured = {
    ...figures,
    delayP50: ofDelay(delay.percentile(50)),
    delayP99: ofDelay(delay.percentile(99)),
    delayMax: ofDelay(delay.max),
    peakMiB: peak - idle,
  };
  if (settles) {
    await settle();
    measured.leftMiB = memory().now - idle;
  }
  return { ...measured, ...result };
}

async function settle() {
  for (let n = 0; n < 3; n += 1) {
    global.gc();
    await wait(REST_MS);
  }
}

/** What is in memory, and the most since the peak was forgotten, in MiB. */
function memory() {
  if (process.platform !== 'linux') {
    const now = process.memoryUsage.rss() / 2 ** 20;
    return { now, peak: process.resourceUsage().maxRSS / 1024 };
  }
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = name =>
    Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]) / 1024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

function forgetPeak() {
  if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
}
