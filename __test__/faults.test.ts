/**
 * Faults at generated points of every operation: the right bytes or a clear error, in time, and
 * nothing left. `FAULT_CASES` says how many, `PARITY_SEED` from which seed.
 */
import fc from 'fast-check';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  standIn,
  type Hosted,
  type Misbehaviour,
} from '../testing/azure-devops';
import { limitCache, NOTHING } from '../testing/limits';
import { cases, isSilent, type Case } from '../testing/faults';
import {
  hostFiles,
  isSame,
  operationsOn,
  readerOf,
  type Contents,
  type Operation,
} from './faults/operations';
import { isShared, Place, type Usual } from './faults/Place';
import { seed } from './parity/seed';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const CASES = Number(process.env.FAULT_CASES ?? 1_000);
const AT_ONCE = 96;

/** How long a read may take, with what it waits for between attempts. */
const LIMIT = 30_000;

/** When the caller ends a read that nothing else ends. */
const PATIENCE = 400;

/** How long a connection on which nothing comes may be kept for the next request. */
const LET_GO = 120_000;

const MEBIBYTE = 2 ** 20;

const azure = standIn();

let hosted: Hosted;
let operations: Operation[];
let usual: Map<Operation, Usual>;
let workingDirectory: string;

beforeAll(async () => {
  limitCache(NOTHING);
  workingDirectory = temporaryFolder('faults');
  hosted = await hostFiles();
  operations = await operationsOn(hosted);
  usual = new Map();
  for (const operation of operations) {
    const place = await Place.of('server', operation, hosted, workingDirectory);
    usual.set(operation, await place.measure());
    await place.close();
  }
});

afterEach(() => azure.reset());

afterAll(() => limitCache({}));

describe('whatever breaks', () => {
  it.each([
    ['nothing is kept', NOTHING, CASES],
    ['what was read is kept', {}, CASES / 4],
  ])(
    'it is read right or told why, in time, while %s',
    async (_what, limits, count) => {
      limitCache(limits);
      const all = fc.sample(cases(operations.length), { seed, numRuns: count });
      azure.closeConnections();
      await wait(200);
      const before = resources();
      const failures = await failuresOf(all);
      limitCache(NOTHING);
      expect(failures.slice(0, 10)).toEqual([]);
      expect(readdirSync(workingDirectory)).toEqual([]);
      await expectNoMoreThan(before);
    },
    60_000 + CASES * 100 + LET_GO,
  );
});

it('a stream that is cut off without an error is not taken for whole', async () => {
  const url = hosted.webUrl({ path: '/docs/large.bin' });
  azure.misbehave({ times: 1, resetAfter: 9_000, resetCode: 'NO_ERROR' });
  const operation = operations.find(({ path: own }) => own?.includes('large'))!;
  const outcome = await outcomeOf(
    operation.run(readerOf(url, workingDirectory, 0), url),
  );
  expect(outcome).toBeInstanceOf(Error);
});

it('a connection that fell silent is not read over again', async () => {
  const organization = 'faults-silent';
  const own = await azure.addRepository({
    organization,
    project: 'p',
    repository: 'r',
    git: hosted.git,
  });
  const url = own.webUrl({ path: '/docs/large.bin', at: 'visualstudio.com' });
  const { host } = new URL(url);
  // It is made, and then nothing more comes: a proxy that hangs, or what is behind it.
  azure.breakConnections({
    host,
    times: 1,
    how: 'stall',
    from: 'server',
    after: 20_000,
  });
  const read = async (patience: number) => {
    const signal = AbortSignal.timeout(patience);
    const reader = readerOf(url, workingDirectory);
    return (await reader.readUrl(url, { signal })).buffer();
  };
  await expect(read(500)).rejects.toThrow();
  const again = read(45_000);
  await again.catch(() => {}).finally(() => azure.closeTunnels(host));
  expect(await again).toHaveLength(90_000);
});

describe('what a retry would mend', () => {
  const read = () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml', at: 'server' });
    return readerOf(url, workingDirectory).read(url);
  };
  const requests = () => azure.requests.length;

  it.each<[string, Misbehaviour]>([
    ...[408, 429, 500, 502, 503, 504].map((status): [string, Misbehaviour] => [
      `a ${status}`,
      { status },
    ]),
    ['a 503 that says when', { status: 503, headers: { 'retry-after': '1' } }],
    ['a reset before the head', { resetAfter: -1 }],
    ['a reset in the body', { resetAfter: 3 }],
    ['an end before the head', { truncateAfter: -1 }],
    ['an end in the body', { truncateAfter: 3 }],
  ])('is %s', async (_what, misbehaviour) => {
    azure.misbehave({ times: 1, ...misbehaviour });
    expect(String(await read())).toBe('kind: API\n');
  });

  it.each([400, 401, 403, 404, 405, 409, 410, 411, 422, 501])(
    'is no %d, which is not asked again',
    async status => {
      azure.misbehave({ status });
      await expect(read()).rejects.toThrow(`${status}`);
      expect(requests()).toBe(1);
    },
  );

  it('is told where it did not, with how often and how long', async () => {
    azure.misbehave({ status: 503 });
    await expect(read()).rejects.toThrow(
      /\d+ (times|attempts).* \d+(\.\d+)? ?(ms|s)/,
    );
  });
});

/** What is wrong with the cases, each with the case. */
async function failuresOf(all: Case[]): Promise<string[]> {
  const failures: string[] = [];
  const work = async (left: Case[]) => {
    for (let one = left.pop(); one; one = left.pop()) {
      const failure = await failureOf(one);
      if (failure) failures.push(`${failure}: ${JSON.stringify(one)}`);
    }
  };
  const apart = all.filter(({ at }) => !isShared(at));
  const shared = all.filter(({ at }) => isShared(at));
  const workers = Array.from({ length: AT_ONCE }, () => work(apart));
  await Promise.all([work(shared), ...workers]);
  return failures;
}

/** What is wrong with the case, if anything is. */
async function failureOf(one: Case): Promise<string | undefined> {
  const operation = operations[one.operation];
  const place = await Place.of(one.at, operation, hosted, workingDirectory);
  const takeBack = await place.breakAs(one, usual.get(operation)!);
  const isEnded = isSilent(one.fault);
  const signal = isEnded ? AbortSignal.timeout(PATIENCE) : undefined;
  const outcome = await outcomeOf(place.read(one.maxRetries, signal));
  const isLetGo = await takeBack();
  // Its connections were closed just now: one that has not noticed yet costs an attempt.
  const retries = one.maxRetries === 0 ? 1 : one.maxRetries;
  const again = await outcomeOf(place.read(retries));
  await place.close();
  const isGood = again instanceof Map && isSame(again, operation.expected);
  return (
    wrongWith(outcome, one, place.url) ??
    (isLetGo ? undefined : 'The request was held on to') ??
    (isGood ? undefined : `Not read where nothing breaks: ${told(again)}`)
  );
}

type Outcome = Contents | Error;

/** What comes of a read, if something does in time. */
async function outcomeOf(reading: Promise<Contents>): Promise<Outcome> {
  const late = new AbortController();
  const tooLate = wait(LIMIT, new Error('HANGS'), { signal: late.signal });
  const outcome = reading.catch((error: Error) => error);
  const first = await Promise.race([outcome, tooLate]);
  late.abort();
  await tooLate.catch(() => {});
  return first;
}

function wrongWith(
  outcome: Outcome,
  one: Case,
  url: string,
): string | undefined {
  const { expected } = operations[one.operation];
  if (outcome instanceof Map) {
    const isRight = isSame(outcome, expected) || saysThereIsNone(outcome, one);
    return isRight ? undefined : `Wrong bytes: ${told(outcome)}`;
  }
  if (isSilent(one.fault) && outcome.name === 'TimeoutError') return undefined;
  const [repository] = url.split('?');
  const isClear =
    outcome.name === nameFor(one) &&
    outcome.message.includes(repository) &&
    /^(Unable to read|Failed to read tree from|https?:\S+ could not be read as) \S+, .{10}/.test(
      outcome.message,
    );
  return isClear ? undefined : `No clear error: ${told(outcome)}`;
}

/** A search of one file finds nothing where it is not found. */
function saysThereIsNone(outcome: Contents, { fault, operation }: Case) {
  const { mayBeMissing } = operations[operation];
  const isMissing = fault.how === 'status' && fault.status === 404;
  return isMissing && mayBeMissing && outcome.size === 0;
}

function nameFor({ fault }: Case): string {
  const names: Record<number, string> = {
    401: 'AuthenticationError',
    403: 'NotAllowedError',
    404: 'NotFoundError',
  };
  if (fault.how !== 'status') return 'Error';
  // Who is told when to come back is not unknown, and has asked too often.
  const isLimit = fault.status === 401 && fault.retryAfter === '1';
  return (!isLimit && names[fault.status]) || 'Error';
}

function told(outcome: Outcome): string {
  if (!(outcome instanceof Map)) return `${outcome.name}: ${outcome.message}`;
  return [...outcome].map(([name, { length }]) => `${name} ${length}`).join();
}

interface Resources {
  files: number;
  heap: number;
  resident: number;
}

/** What the process holds, without what can be let go of at once. */
function resources(): Resources {
  setFlagsFromString('--expose_gc');
  runInNewContext('gc')();
  const { heapUsed: heap, rss: resident } = process.memoryUsage();
  // Of TLS that was broken off Node keeps some of the stand-in's own ends.
  const files = readdirSync('/proc/self/fd').length - azure.openSockets;
  return { files, heap, resident };
}

/** What is open, with the states of connections, to find out why. */
function openFiles(): string {
  const states = new Map(
    readFileSync('/proc/self/net/tcp', 'utf8')
      .split('\n')
      .slice(1)
      .map(line => line.trim().split(/\s+/))
      .map(([, own, other, state, , , , , , inode]) => [
        `socket:[${inode}]`,
        `tcp ${own} ${other} ${state}`,
      ]),
  );
  const names = readdirSync('/proc/self/fd').map(fd => {
    try {
      const name = readlinkSync(`/proc/self/fd/${fd}`);
      return states.get(name) ?? name;
    } catch {
      return 'gone';
    }
  });
  return names.sort().join('\n');
}

/** No file and no socket is left, nor memory beyond what allocators keep for themselves. */
async function expectNoMoreThan(before: Resources): Promise<void> {
  azure.clearRequests();
  const deadline = Date.now() + LET_GO;
  do {
    // One that was still being made when others were closed would be kept for the next request.
    azure.closeConnections();
    await wait(100);
  } while (resources().files > before.files && Date.now() < deadline);
  const after = resources();
  if (after.files > before.files) {
    throw new Error(
      `${after.files} are open and not ${before.files}, of the stand-in ${azure.openSockets}: ${openFiles()}`,
    );
  }
  expect(after.heap - before.heap).toBeLessThan(64 * MEBIBYTE);
  expect(after.resident - before.resident).toBeLessThan(256 * MEBIBYTE);
}
