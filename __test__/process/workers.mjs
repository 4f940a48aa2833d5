// Reads in worker threads, several at once and round after round, none of them the main thread's;
// half of them end with a read under way. The main thread reads last.
import { once } from 'node:events';
import {
  isMainThread,
  parentPort,
  Worker,
  workerData,
} from 'node:worker_threads';
import { readerOf } from '../../testing/processReader.mjs';

const file = new URL(import.meta.url);

async function work({ url, endsBusy }) {
  const reader = readerOf(url);
  for (let i = 0; i < 20; i += 1) {
    await reader.read(url);
  }
  parentPort.postMessage('read');
  if (endsBusy) {
    reader.readUrl(url).catch(() => {});
    setImmediate(() => process.exit());
  }
}

async function startWorkers(url) {
  for (let round = 0; round < 4; round += 1) {
    const workers = [false, true, false].map(
      endsBusy => new Worker(file, { workerData: { url, endsBusy } }),
    );
    await Promise.all(workers.map(worker => once(worker, 'exit')));
  }
  const terminated = new Worker(file, { workerData: { url } });
  await once(terminated, 'message');
  await terminated.terminate();
  console.log(String(await readerOf(url).read(url)));
}

await (isMainThread ? startWorkers(process.argv[2]) : work(workerData));
