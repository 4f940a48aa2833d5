import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

it('however many organizations are read, the log does not grow with the reads', async () => {
  const { lines } = await readsMany('organizations');
  const told = lines.filter(({ event }) => event === 'credential chosen');
  expect(told).toHaveLength(1_000);
  const last = lines.filter(({ event }) => event === 'not told');
  expect(last.map(({ message }) => message)).toEqual([
    "More than 1000 different lines of the event 'credential chosen' were told in an hour; others are not told for an hour",
  ]);
});

// Other systems than Linux answer at 127.0.0.1 alone.
const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux(
  'however many hosts are read, every request is counted, and the log says once that some are together',
  async () => {
    const { lines, requests } = await readsMany('hosts');
    const total = requests.reduce((sum, { count }) => sum + count, 0);
    expect(total).toBe(3_000);
    expect(requests.some(({ host }) => host === 'other')).toBe(true);
    const told = lines.filter(({ event }) => event === 'series');
    expect(told).toHaveLength(1);
  },
);

interface Many {
  lines: Array<{ event: string; message: string }>;
  requests: Array<{ host: string; count: number }>;
}

/** Reads in a process of its own: what it remembers of so many would be in the way of other tests. */
async function readsMany(what: 'organizations' | 'hosts'): Promise<Many> {
  const script = path.join(__dirname, 'full', 'many.mjs');
  const options = { cwd: __dirname, maxBuffer: 64 * 1024 * 1024 };
  const command = [script, what];
  const reads = promisify(execFile)(process.execPath, command, options);
  return JSON.parse((await reads).stdout);
}
