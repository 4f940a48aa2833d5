import { Worker } from 'node:worker_threads';
import { InputError } from '@backstage/errors';
import { Minimatch } from 'minimatch';
import type { Candidates } from './native';
import { onAbort } from './onAbort';
import { inTurns } from './turns';

/** The longest pattern that minimatch takes, which it refuses in these words. */
const MOST_CHARACTERS = 65_536;
const TOO_LONG = 'pattern is too long';

/** The steps in which a path may be matched on the event loop: less than its turn takes. */
const MOST_STEPS = 2_000_000;

/** As which shorter paths count: a pattern takes time to be read, too. */
const LEAST_LENGTH = 256;

/** What a thread has at most for the paths of a repository. */
const MOST_SECONDS = 10;
const MOST_MEGABYTES = 256;

/** For how long a pattern that took too much is refused at once for as many paths, and how many are known. */
const REFUSED_MS = 10 * 60 * 1000;
const MOST_REFUSED = 1_000;

/** Until when what is refused, by pattern and number of paths: others wait for the thread meanwhile. */
const refused = new Map<string, number>();

/** The paths that are asked for, or given to a thread, at once: well below a turn of the event loop. */
const BATCH = 1_000;

/** The paths from a place on and before another. */
type PathsAt = (start: number, end: number) => string[];

const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { Minimatch } = require(workerData.minimatch);
  const matcher = new Minimatch(workerData.glob);
  parentPort.on('message', paths => {
    parentPort.postMessage(paths.map(path => matcher.match(path)));
  });
`;

/** The matching in a thread that goes on, or the last that was: one at a time takes one processor. */
let before: Promise<unknown> = Promise.resolve();

/** Refuses what minimatch refuses, before anything is read. */
export function checkLength(glob: string): void {
  if (glob.length > MOST_CHARACTERS) throw new TypeError(TOO_LONG);
}

/**
 * The places of the paths that match a glob, as minimatch matches it.
 *
 * A glob that may take long, as some take twice the time for each further character, is matched in a thread
 * that can be ended.
 */
export async function matchPaths(
  candidates: Candidates,
  pathsAt: PathsAt,
  signal?: AbortSignal,
): Promise<number[]> {
  signal?.throwIfAborted();
  const { glob, weight, count, longest } = candidates;
  if (weight * Math.max(longest, LEAST_LENGTH) > MOST_STEPS) {
    const matching = before.then(() =>
      matchUnlessRefused(candidates, pathsAt, signal),
    );
    before = matching.catch(() => undefined);
    return orAborted(matching, signal);
  }
  const matcher = new Minimatch(glob);
  const places: number[] = [];
  let paths: string[] = [];
  const match = (place: number) => {
    if (place % BATCH === 0) paths = batchAt(place, count, pathsAt);
    if (matcher.match(paths[place % BATCH])) places.push(place);
  };
  await inTurns(count, match, signal);
  return places;
}

function batchAt(start: number, count: number, pathsAt: PathsAt): string[] {
  return pathsAt(start, Math.min(start + BATCH, count));
}

/** The same, but that it does not wait any longer once the signal says so. */
async function orAborted<T>(
  waiting: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  let release = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    release = onAbort(signal, () => reject(signal?.reason));
  });
  return Promise.race([waiting, aborted]).finally(release);
}

async function matchUnlessRefused(
  candidates: Candidates,
  pathsAt: PathsAt,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const { glob, count } = candidates;
  const key = `${count} ${glob}`;
  if (Date.now() < (refused.get(key) ?? 0)) throw tooMuch(glob);
  try {
    return await matchApart(candidates, pathsAt, signal);
  } catch (error) {
    if (error instanceof InputError) {
      const [oldest] = refused.keys();
      if (refused.size >= MOST_REFUSED) refused.delete(oldest);
      refused.set(key, Date.now() + REFUSED_MS);
    }
    throw error;
  }
}

async function matchApart(
  { glob, count }: Candidates,
  pathsAt: PathsAt,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  signal?.throwIfAborted();
  const thread = startThread(glob);
  let end: (reason: unknown) => void = () => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    end = reject;
  });
  thread.once('error', (error: NodeJS.ErrnoException) =>
    end(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch(glob) : error),
  );
  const timer = setTimeout(() => end(tooMuch(glob)), MOST_SECONDS * 1000);
  const release = onAbort(signal, () => end(signal?.reason));
  try {
    return await Promise.race([askThread(thread, count, pathsAt), ended]);
  } finally {
    release();
    clearTimeout(timer);
    await thread.terminate();
  }
}

function startThread(glob: string): Worker {
  // With nothing of the environment but what modules are found by, as those of Yarn's Plug'n'Play.
  const { NODE_OPTIONS } = process.env;
  try {
    return new Worker(THREAD, {
      eval: true,
      env: NODE_OPTIONS === undefined ? {} : { NODE_OPTIONS },
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES },
      workerData: { glob, minimatch: require.resolve('minimatch') },
    });
  } catch (cause) {
    throw new Error(
      `The pattern '${shown(glob)}' is matched in a thread, which could not be started (with Node's permission model, allow it by --allow-worker): ${cause}`,
      { cause },
    );
  }
}

async function askThread(
  thread: Worker,
  count: number,
  pathsAt: PathsAt,
): Promise<number[]> {
  const places: number[] = [];
  for (let start = 0; start < count; start += BATCH) {
    const answer = new Promise<boolean[]>(resolve => {
      thread.once('message', resolve);
    });
    thread.postMessage(batchAt(start, count, pathsAt));
    (await answer).forEach((isMatch, index) => {
      if (isMatch) places.push(start + index);
    });
  }
  return places;
}

function tooMuch(glob: string): Error {
  return new InputError(
    `The pattern '${shown(glob)}' takes more than ${MOST_SECONDS} seconds or ${MOST_MEGABYTES} MiB to match with the paths of the repository: a simpler one has fewer wildcards, groups and braces`,
  );
}

function shown(glob: string): string {
  return glob.length > 100 ? `${glob.slice(0, 100)}…` : glob;
}
