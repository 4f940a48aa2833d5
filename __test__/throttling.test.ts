import { UrlReaders } from '@backstage/backend-defaults/urlReader';
import type { UrlReaderService } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import { AzureUrlReader } from 'backstage-azure-devops-native';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  Budget,
  standIn,
  tokenOf,
  type BudgetOptions,
  type Hosted,
  type Misbehaviour,
  type RecordedRequest,
} from '../testing/azure-devops';
import { NOTHING } from '../testing/limits';
import { mockLogger } from '../testing/mockLogger';
import { until } from '../testing/until';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { rejection } from '../testing/rejection';

const azure = standIn();
const READERS = 40;
const READS = 200;
/** Long enough for the reader to have seen an answer that was sent. */
const SEEN = 500;
const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };
const WORDS =
  "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource 'TSTU' in namespace 'User'.";

let hosted: Hosted;
let other: Hosted;
/** One that was never seen before, so that nothing of an earlier test counts. */
let token: string;

beforeAll(async () => {
  const files = Array.from({ length: READS }, (_, n) => [
    `services/s${n}/catalog-info.yaml`,
    `kind: Component ${n}\n`,
  ]);
  hosted = await azure.addRepository({
    organization: 'throttling',
    project: 'p',
    repository: 'r',
    files: Object.fromEntries(files),
  });
  other = await azure.addRepository({
    organization: 'not-throttling',
    project: 'p',
    repository: 'r',
    files: { 'catalog-info.yaml': 'kind: Other\n' },
  });
});

beforeEach(() => {
  azure.reset();
  token = newToken();
});

describe('many readers', () => {
  /** Takes a few seconds, in which most answers would come late or not at all. */
  const budget = { capacity: 100, unitsPerSecond: 40 };

  it.each<[string, 'dev.azure.com' | 'server', Partial<BudgetOptions>]>([
    ['with seconds', 'dev.azure.com', {}],
    ['with a date', 'server', { retryAfter: 'date' }],
    ['when blocked only', 'server', { retryAfterWhenLate: false }],
  ])(
    'read all within a budget, told Retry-After %s, and are rarely rejected',
    async (_how, at, options) => {
      azure.limit(new Budget({ ...budget, ...options }));
      const reader = newReader();
      await many(READS, READERS, n => readAny(reader, n, at));
      const rejected = requests().filter(isRejected);
      expect(rejected.length).toBeLessThanOrEqual(requests().length * 0.05);
    },
  );

  it('do not slow another identity down', async () => {
    const otherToken = newToken();
    const reader = newReader({ otherToken });
    const blocked = await blockedRead(reader, { 'Retry-After': '30' });
    const reads = Array.from({ length: 20 }, () =>
      reader.readUrl(other.webUrl({ path: '/catalog-info.yaml' })),
    );
    await Promise.all(reads);
    const [request] = requests();
    expect(Date.now()).toBeLessThan(request.answeredAt! + 30_000);
    expect(requests(otherToken)).toHaveLength(20);
    expect(requests()).toHaveLength(1);
    await blocked.abort();
  });
});

describe('Retry-After', () => {
  const seconds = () => '3';
  const date = () =>
    new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_000).toUTCString();

  it.each<[number, string, () => string]>([
    [429, 'in seconds', seconds],
    [429, 'as a date', date],
    [503, 'in seconds', seconds],
    [200, 'in seconds', seconds],
    [200, 'as a date', date],
  ])(
    'of a %d, %s, stops all of the identity until then',
    async (status, _how, value) => {
      const headers = { 'Retry-After': value() };
      answerOnce({ status, headers });
      const reader = newReader();
      const reads = [later(read(reader, 0))];
      const [first] = await answered();
      await wait(SEEN);
      for (let n = 1; n < 6; n += 1) reads.push(read(reader, n));
      await Promise.all(reads);
      const end = endOf(headers['Retry-After'], first);
      const others = requests().slice(1);
      expect(others.length).toBeGreaterThanOrEqual(5);
      for (const { at } of others) expect(at).toBeGreaterThanOrEqual(end - 10);
    },
  );

  it('is waited for no longer than a signal says', async () => {
    const reader = newReader();
    const blocked = await blockedRead(reader, { 'Retry-After': '30' });
    const controller = new AbortController();
    const outcome = later(rejection(read(reader, 1, controller.signal)));
    await wait(SEEN);
    controller.abort();
    expect((await outcome).message).toContain('AbortError');
    await blocked.abort();
    const [request] = requests();
    expect(Date.now()).toBeLessThan(request.answeredAt! + 30_000);
    expect(requests()).toHaveLength(1);
  });

  it('is followed by few requests before many', async () => {
    const reader = newReader();
    answerOnce({ status: 429, headers: { 'Retry-After': '3' } });
    const reads = [later(read(reader, 0))];
    await answered();
    await wait(SEEN);
    misbehave({ delayMs: 200 });
    for (let n = 1; n < 100; n += 1) reads.push(read(reader, n));
    await Promise.all(reads);
    const after = requests().slice(1);
    const firstAnswer = Math.min(...after.map(it => it.answeredAt!));
    const few = after.filter(({ at }) => at < firstAnswer).length;
    expect(few).toBeLessThanOrEqual(5);
    const most = Math.max(...after.map(it => it.inProgress));
    expect(most).toBeGreaterThanOrEqual(8);
  });
});

describe('a 401 to an identity that is blocked', () => {
  /** The first is told that it is blocked, and those on the way with it that they are unknown. */
  function block(count: number): void {
    answerOnce({ delayMs: 500, status: 429, headers: { 'Retry-After': '3' } });
    misbehave({ times: count, delayMs: 1_500, status: 401 });
  }

  it('fails no read', async () => {
    block(5);
    const reader = newReader();
    await Promise.all([0, 1, 2, 3, 4, 5].map(n => read(reader, n)));
  });

  it('costs no other token', async () => {
    const [tenantId, clientId, secret] = [1, 2, 3].map(() => randomUUID());
    azure.entra.addApp({ tenantId, clientId, secrets: [secret] });
    const credential = { tenantId, clientId, clientSecret: secret };
    const reader = newReader({ credential });
    await read(reader, 0);
    block(5);
    await Promise.all([0, 1, 2, 3, 4, 5].map(n => read(reader, n)));
    expect(azure.entra.requests).toHaveLength(1);
  });

  it('is not told as a bad credential', async () => {
    block(5);
    const reader = newReader({ retry: { maxRetries: 0 } });
    const reads = [0, 1, 2, 3, 4, 5].map(n => rejection(read(reader, n)));
    for (const error of await Promise.all(reads)) {
      expect(error.name).not.toBe('AuthenticationError');
      expect(error.message).not.toContain('has not expired');
    }
  });

  it('is one like any other where nothing is blocked', async () => {
    misbehave({ status: 401 });
    const error = await rejection(read(newReader(), 0));
    expect(error.name).toBe('AuthenticationError');
    expect(requests()).toHaveLength(1);
  });
});

describe('a failure that passes', () => {
  it.each<[string, Partial<Misbehaviour>]>([
    ['503', { status: 503 }],
    ['429 without Retry-After', { status: 429 }],
    ['reset connection', { resetAfter: -1 }],
  ])('fails no read: %s', async (_what, misbehaviour) => {
    misbehave({ times: 2, ...misbehaviour });
    await read(newReader(), 0);
    expect(requests()).toHaveLength(3);
  });

  it('is none where Azure DevOps says what is wrong', async () => {
    const body = '{"message":"TF400898: no"}';
    misbehave({ status: 400, headers: JSON_TYPE, body });
    await expect(read(newReader(), 0)).rejects.toThrow('TF400898');
    expect(requests()).toHaveLength(1);
  });
});

describe('retry', () => {
  it('says how often and how long it was tried', async () => {
    misbehave({ status: 503 });
    const reader = newReader({ retry: { maxRetries: 2 } });
    const { message } = await rejection(read(reader, 0));
    expect(requests()).toHaveLength(3);
    expect(message).toContain('503 Service Unavailable');
    expect(message).toMatch(/\b3 (times|attempts|requests)\b/);
    expect(message).toMatch(/\b\d+(\.\d+)? ?(ms|s|seconds)\b/);
  });

  it.each([429, 503])(
    'with maxRetries 0 fails at once, of a %d',
    async status => {
      const headers = { ...JSON_TYPE, 'Retry-After': '30' };
      misbehave({ status, headers, body: blockedBody() });
      const reader = newReader({ retry: { maxRetries: 0 } });
      const error = await rejection(read(reader, 0));
      expect(error.message).toContain(String(status));
      expect(error.message).toContain('TF400733');
      const [request] = requests();
      expect(Date.now()).toBeLessThan(request.answeredAt! + 30_000);
      expect(requests()).toHaveLength(1);
    },
  );

  it('follows retryStatusCodes', async () => {
    misbehave({ times: 1, status: 418 });
    const retry = { retryStatusCodes: [418] };
    await read(newReader({ retry }), 0);
    azure.clearRequests();
    misbehave({ status: 503 });
    await rejection(read(newReader({ retry }), 0));
    expect(requests()).toHaveLength(1);
  });

  it('keeps maxApiRequestsPerMinute', async () => {
    const reader = newReader({ retry: { maxApiRequestsPerMinute: 20 } });
    const { signal, abort } = abortable();
    const reads = Array.from({ length: 60 }, (_, n) => read(reader, n, signal));
    const settled = Promise.allSettled(reads);
    await until(() => requests().length > 0);
    await wait(3_000);
    expect(requests().length).toBeLessThanOrEqual(20);
    abort();
    const outcomes = await settled;
    const done = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(done.length).toBeGreaterThan(0);
    expect(requests().length).toBeLessThanOrEqual(20);
  });
});

/** Who reads, and how. */
interface ReaderOptions {
  /** In place of this test's token. */
  credential?: object;
  /** Reads the other organization. */
  otherToken?: string;
  retry?: {
    maxRetries?: number;
    retryStatusCodes?: number[];
    maxApiRequestsPerMinute?: number;
  };
}

/** A reader as a backend has it, which keeps nothing. */
function newReader(options: ReaderOptions = {}): UrlReaderService {
  const { otherToken, retry } = options;
  const credential = options.credential ?? { personalAccessToken: token };
  const organizations = ['not-throttling'];
  const others = otherToken
    ? [{ organizations, personalAccessToken: otherToken }]
    : [];
  const credentials = [credential, ...others];
  // A server knows personal access tokens only.
  const hosts = options.credential
    ? ['dev.azure.com']
    : ['dev.azure.com', azure.host];
  const config = new ConfigReader({
    backend: {
      workingDirectory: temporaryFolder('throttling'),
      reading: { azureDevOps: { cache: NOTHING } },
    },
    integrations: { azure: hosts.map(host => ({ host, credentials, retry })) },
  } as never);
  const logger = mockLogger();
  const factories = [AzureUrlReader.factory];
  return UrlReaders.create({ config, logger, factories });
}

/** Misbehaves to this test's identity only, and not to what an earlier test has left behind. */
function misbehave(misbehaviour: Misbehaviour): void {
  azure.misbehave({ match: isMine, ...misbehaviour });
}

function isMine({ headers, credential }: RecordedRequest): boolean {
  return credential === 'bearer' || tokenOf(headers.authorization) === token;
}

function newToken(): string {
  const added = randomUUID();
  azure.addToken(added);
  return added;
}

/** Reads one of the files, and makes sure that it is that one. */
async function read(
  reader: UrlReaderService,
  n: number,
  signal?: AbortSignal,
): Promise<void> {
  const url = hosted.webUrl({ path: `/services/s${n}/catalog-info.yaml` });
  const { buffer } = await reader.readUrl(url, { signal });
  expect(String(await buffer())).toBe(`kind: Component ${n}\n`);
}

/** Mostly files; every twentieth time a pattern, and every hundredth a tree. */
async function readAny(
  reader: UrlReaderService,
  n: number,
  at: 'dev.azure.com' | 'server',
): Promise<void> {
  const folder = `/services/s${n}`;
  if (n % 100 === 99) {
    const url = hosted.webUrl({ path: folder, at });
    const files = await (await reader.readTree(url)).files();
    expect(files.map(file => file.path)).toEqual(['catalog-info.yaml']);
    return;
  }
  const name = n % 20 === 19 ? '*.yaml' : 'catalog-info.yaml';
  const url = hosted.webUrl({ path: `${folder}/${name}`, at });
  const { files } = await reader.search(url);
  const contents = await Promise.all(files.map(file => file.content()));
  expect(contents.map(String)).toEqual([`kind: Component ${n}\n`]);
}

/** Does so many tasks, a number of them at once. */
async function many(
  count: number,
  atOnce: number,
  task: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await task(next - 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** A read whose identity was told to come back later, and that waits. */
async function blockedRead(
  reader: UrlReaderService,
  headers: Record<string, string>,
): Promise<{ abort: () => Promise<void> }> {
  answerOnce({ status: 429, headers });
  const { signal, abort } = abortable();
  const outcome = later(rejection(read(reader, 0, signal)));
  await answered();
  await wait(SEEN);
  return {
    abort: async () => {
      abort();
      const error = await outcome;
      expect(error.message).toContain('AbortError');
    },
  };
}

/** Answers the next request as told: with the file that is read first, or as one who is blocked. */
function answerOnce(misbehaviour: Misbehaviour): void {
  const isContent = misbehaviour.status === 200;
  const body = isContent ? 'kind: Component 0\n' : blockedBody();
  const headers = { ...(isContent ? {} : JSON_TYPE), ...misbehaviour.headers };
  misbehave({ times: 1, body, ...misbehaviour, headers });
}

function blockedBody(): string {
  return JSON.stringify({ message: WORDS, typeKey: 'RequestBlockedException' });
}

/** Waits until this test's identity was answered. */
async function answered(): Promise<RecordedRequest[]> {
  await until(() => requests().some(it => it.answeredAt !== undefined));
  return requests();
}

/** What this test's identity has asked for, or another one. */
function requests(otherToken?: string): RecordedRequest[] {
  return otherToken === undefined
    ? azure.requests.filter(isMine)
    : azure.requests.filter(
        ({ headers }) => tokenOf(headers.authorization) === otherToken,
      );
}

/** When requests are welcome again, in milliseconds since 1970. */
function endOf(retryAfter: string, { answeredAt }: RecordedRequest): number {
  return /^\d+$/.test(retryAfter)
    ? answeredAt! + Number(retryAfter) * 1000
    : Date.parse(retryAfter);
}

function isRejected({ status }: RecordedRequest): boolean {
  return status === 429 || status === 401;
}

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

/** A promise at which the test looks later: until then, nobody minds if it is rejected. */
function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
