import { NotModifiedError } from '@backstage/errors';
import { metrics, type Attributes } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import { AzureUrlReader } from 'backstage-azure-devops-native';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { standIn, type Gate, type Hosted } from '../testing/azure-devops';
import { limitCache } from '../testing/limits';
import { until } from '../testing/until';
import { reader } from '../testing/reader';

const azure = standIn();
const logger = {
  info: jest.fn(),
  warn: jest.fn(),
  error: jest.fn(),
  debug: jest.fn(),
  child: jest.fn(),
};
const credential = 'a personal access token';
const place = 'integrations.azure[0].credentials[0]';

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const metricReader = new PeriodicExportingMetricReader({
  exporter,
  exportIntervalMillis: 3_600_000,
});

let count = 0;
let gate: Gate;
let host: string;
let hosted: Hosted;
let organization: string;
let token: string;

// As an application does it, before anything of the backend is there.
beforeAll(() => {
  metrics.setGlobalMeterProvider(
    new MeterProvider({ readers: [metricReader] }),
  );
  limitCache({});
});

afterAll(() => metricReader.shutdown());

// Each with a host, an organization and an identity of its own: what is measured is of the process.
beforeEach(async () => {
  azure.reset();
  gate = await azure.openGate();
  host = gate.host;
  jest.resetAllMocks();
  count += 1;
  organization = `telemetry-${count}`;
  token = `s3cret-${count}`;
  azure.addToken(token);
  hosted = await azure.addRepository({
    organization,
    project: 'p',
    repository: 'r',
    files: { 'a.yaml': 'a: 1\n', 'b/c.yaml': 'c: 1\n', 'd/c.yaml': 'd: 1\n' },
  });
});

afterEach(() => gate.close());

describe('OpenTelemetry', () => {
  it('counts and times requests, by operation and status', async () => {
    const requests = await counted('azure_devops.requests');
    const durations = await timed('azure_devops.request.duration');
    await text('/a.yaml');
    await expect(text('/missing.yaml')).rejects.toThrow(/404/);
    const of = { host, credential, place, organization, operation: 'file' };
    expect(await requests({ ...of, status: '200' })).toBe(1);
    expect(await requests({ ...of, status: '404' })).toBe(1);
    expect(await durations(of)).toBe(2);
  });

  it('says which version runs', async () => {
    readerOf();
    const { version } = require('../package.json');
    const info = await level('azure_devops.info');
    expect(info({ version })).toBe(1);
  });

  it('counts what is asked again, and why', async () => {
    const retries = await counted('azure_devops.retries');
    azure.misbehave({ status: 503, times: 2 });
    await text('/a.yaml');
    const of = { host, credential, place, organization, operation: 'file' };
    expect(await retries({ ...of, reason: '503' })).toBe(2);
  });

  it('counts the bytes of contents', async () => {
    const received = await counted('azure_devops.received');
    await text('/a.yaml');
    const of = { host, credential, place, organization, operation: 'file' };
    expect(await received(of)).toBe('a: 1\n'.length);
  });

  it('times reads, and tells how they ended', async () => {
    const reads = await timed('azure_devops.read.duration');
    await text('/a.yaml');
    await expect(text('/missing.yaml')).rejects.toThrow();
    await search();
    await search();
    expect(await reads({ operation: 'readUrl' })).toBe(1);
    expect(
      await reads({ operation: 'readUrl', 'error.type': 'NotFoundError' }),
    ).toBe(1);
    expect(await reads({ operation: 'search' })).toBe(2);
    // That nothing has changed is an answer.
    const { etag } = await readerOf().readUrl(urlOf('/a.yaml'));
    const again = readerOf().readUrl(urlOf('/a.yaml'), { etag });
    await expect(again).rejects.toThrow(NotModifiedError);
    expect(await reads({ operation: 'readUrl' })).toBe(3);
  });

  it('tells what is found in the cache, and how much is kept', async () => {
    const lookups = await counted('azure_devops.cache.lookups');
    await search();
    expect(await lookups({ cache: 'contents', result: 'miss' })).toBe(2);
    expect(await lookups({ cache: 'contents', result: 'hit' })).toBe(0);
    await search();
    expect(await lookups({ cache: 'contents', result: 'miss' })).toBe(2);
    expect(await lookups({ cache: 'contents', result: 'hit' })).toBe(2);
    const sizes = await level('azure_devops.cache.size');
    expect(sizes({ cache: 'contents' })).toBeGreaterThan(0);
  });

  it('tells how much is kept of archives as they take it on disk', async () => {
    const size = async () =>
      (await level('azure_devops.cache.size'))({ cache: 'archives' }) ?? 0;
    const before = await size();
    const tree = await readerOf().readTree(urlOf('/'));
    const { length } = await buffer(await tree.archive());
    const more = (await size()) - before;
    expect(more).toBeGreaterThanOrEqual(length);
    // Whole blocks, of whatever size.
    expect(more).toBeLessThan(length + 1_000_000);
  });

  it('tells what is left of a budget, of the identity that has least', async () => {
    azure.misbehave({
      status: 200,
      headers: { 'x-ratelimit-limit': '200', 'x-ratelimit-remaining': '150' },
      times: 1,
    });
    await text('/a.yaml');
    const left = await level('azure_devops.throttle.budget');
    const of = { host, credential, place, organization };
    expect(left(of)).toBe(0.75);
  });

  it('tells who waits for a limit, and how long it will be', async () => {
    const cooldowns = await counted('azure_devops.throttle.cooldowns');
    const { abort, reading } = await blocked();
    const of = { host, credential, place };
    expect(await cooldowns({ ...of, source: 'host' })).toBe(1);
    const waiting = await level('azure_devops.queue.length');
    expect(waiting(of)).toBe(1);
    const closed = await level('azure_devops.throttle.remaining');
    expect(closed(of)).toBeGreaterThan(20);
    expect(closed(of)).toBeLessThanOrEqual(30);
    abort();
    await expect(reading).rejects.toThrow();
    const left = await level('azure_devops.queue.length');
    expect(left(of)).toBe(0);
  });

  it('counts answers that stand in for new ones', async () => {
    const stale = await counted('azure_devops.stale_answers');
    await text('/a.yaml', { minutes: 5 });
    const { abort, reading } = await blocked();
    expect(await text('/a.yaml', { minutes: 5 })).toBe('a: 1\n');
    expect(await stale({ host, credential, place })).toBe(1);
    abort();
    await expect(reading).rejects.toThrow();
  });
});

describe('the log', () => {
  it('says once who reads', async () => {
    const reader = readerOf();
    await Promise.all([1, 2, 3].map(() => text('/a.yaml', undefined, reader)));
    expect(lines(logger.info, 'credential chosen')).toEqual([
      [
        expect.stringContaining(
          `organization ${organization} with ${credential} (${place})`,
        ),
        expect.objectContaining({ credential, place }),
      ],
    ]);
  });

  it('says who reads where the first read fails, too', async () => {
    azure.misbehave({ status: 404, times: 1 });
    await expect(text('/a.yaml')).rejects.toThrow('404');
    expect(lines(logger.info, 'credential chosen')).toHaveLength(1);
  });

  it('says that a credential is refused once, and when it works again', async () => {
    await text('/a.yaml');
    azure.revokeToken(token);
    for (const _time of [1, 2, 3]) {
      await expect(text('/a.yaml')).rejects.toThrow('401');
    }
    const fields = { host, organization, credential, place };
    expect(lines(logger.warn, 'credential refused')).toEqual([
      [
        expect.stringMatching(
          /refuses a personal access token \(integrations\.azure\[0\]\.credentials\[0\]\): check that the token has not expired/,
        ),
        expect.objectContaining(fields),
      ],
    ]);
    expect(lines(logger.info, 'credential accepted')).toEqual([]);
    azure.addToken(token);
    await text('/a.yaml');
    await text('/a.yaml');
    expect(lines(logger.info, 'credential accepted')).toEqual([
      [expect.stringContaining('again'), expect.objectContaining(fields)],
    ]);
  });

  it('says which of two credentials is refused', async () => {
    const revoked = `revoked-${count}`;
    const credentials = [
      { personalAccessToken: token },
      { personalAccessToken: revoked, organizations: [organization] },
    ];
    const reading = readerOf({ credentials }).readUrl(urlOf('/a.yaml'));
    await expect(reading).rejects.toThrow(
      'Read with a personal access token (integrations.azure[0].credentials[1])',
    );
    expect(lines(logger.warn, 'credential refused')).toMatchObject([
      [expect.any(String), { place: 'integrations.azure[0].credentials[1]' }],
    ]);
  });

  it('warns of an organization that nobody reads while the host has credentials', async () => {
    const credentials = [
      { personalAccessToken: token, organizations: ['another'] },
    ];
    const reading = readerOf({ credentials }).readUrl(urlOf('/a.yaml'));
    await expect(reading).rejects.toThrow();
    expect(lines(logger.warn, 'credential chosen')).toEqual([
      [
        expect.stringMatching(
          /with no credential: those of the host .* are for other organizations/,
        ),
        expect.objectContaining({ credential: 'no credential' }),
      ],
    ]);
    expect(lines(logger.info, 'credential chosen')).toEqual([]);
  });

  it('says why a search found nothing', async () => {
    const { files } = await readerOf().search(urlOf('/missing.yaml'));
    expect(files).toEqual([]);
    await until(() => lines(logger.info, 'not found').length > 0);
    expect(lines(logger.info, 'not found')).toEqual([
      [
        expect.stringMatching(
          /TF401174.*check the names in the URL.*may read the repository/,
        ),
        expect.anything(),
      ],
    ]);
  });

  it('says that reads wait for our own limit, where that is so', async () => {
    const retry = { maxApiRequestsPerMinute: 1 };
    const controller = new AbortController();
    await readerOf({ retry }).readUrl(urlOf('/a.yaml'));
    const reading = readerOf({ retry }).readUrl(urlOf('/b/c.yaml'), {
      signal: controller.signal,
    });
    reading.catch(() => {});
    await until(() => lines(logger.info, 'waiting').length > 0);
    controller.abort();
    expect(lines(logger.info, 'waiting')).toEqual([
      [
        expect.stringMatching(
          /wait, because maxApiRequestsPerMinute lets 1 go in a minute/,
        ),
        expect.objectContaining({ cause: 'maxApiRequestsPerMinute' }),
      ],
    ]);
  });

  it('says that reads wait for a slow server, where that is so', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    azure.misbehave({ delayMs: 60_000 });
    const readings = Array.from({ length: 12 }, async (_, number) =>
      readerOf().readUrl(urlOf(`/${number}.yaml`), { signal }),
    );
    const ended = Promise.allSettled(readings);
    await until(() => lines(logger.info, 'waiting').length > 0);
    controller.abort();
    await ended;
    expect(lines(logger.info, 'waiting')).toEqual([
      [
        expect.stringMatching(/answers slowly: 10 are on their way/),
        expect.objectContaining({ cause: 'unanswered' }),
      ],
    ]);
  });

  it('says that reads wait while they wait', async () => {
    const { abort, reading } = await blocked();
    expect(lines(logger.info, 'waiting')).toEqual([]);
    await until(() => lines(logger.info, 'waiting').length > 0);
    expect(lines(logger.info, 'waiting')).toEqual([
      [
        expect.stringMatching(
          /because Azure DevOps throttles them\. One has waited \d+\.\d s, 1 are waiting/,
        ),
        expect.objectContaining({
          host,
          credential,
          place,
          cause: 'limited',
          waiting: 1,
        }),
      ],
    ]);
    abort();
    await expect(reading).rejects.toThrow();
  });

  it('says once that an identity is limited, and not for every read', async () => {
    const { abort, reading } = await blocked();
    const others = [1, 2, 3].map(() => blocked(reading));
    abort();
    const all = await Promise.all(others);
    all.forEach(other => other.abort());
    await Promise.allSettled([reading, ...all.map(other => other.reading)]);
    expect(lines(logger.warn, 'throttled')).toEqual([
      [
        expect.stringMatching(
          /throttles a personal access token \(integrations\.azure\[0\]\.credentials\[0\]\) at .* 30\.0 s/,
        ),
        expect.objectContaining({
          host: host,
          organization,
          credential,
          place,
          seconds: expect.closeTo(30, 0),
        }),
      ],
    ]);
  });

  it('says once what is asked again', async () => {
    azure.misbehave({ status: 500, times: 3 });
    await text('/a.yaml');
    expect(lines(logger.info, 'retried')).toEqual([
      [
        expect.stringMatching(/again \(file\) in .*: answered 500$/),
        expect.objectContaining({ operation: 'file', reason: '500' }),
      ],
    ]);
  });

  it('says once what a server does not know', async () => {
    azure.misbehave({ match: '/itemsbatch', status: 404 });
    azure.misbehave({ match: '/blobs', status: 404 });
    await search();
    await search();
    const fallenBack = lines(logger.info, 'fallen back');
    expect(fallenBack.map(([, fields]) => fields.missing).sort()).toEqual([
      'blobs',
      'lists of many folders',
    ]);
  });

  it('does not take a folder that is not there for what a server does not know', async () => {
    const url = urlOf('/nowhere/*/c.yaml');
    expect((await readerOf().search(url)).files).toEqual([]);
    expect(lines(logger.info, 'fallen back')).toEqual([]);
  });

  it('holds no secret', async () => {
    azure.misbehave({ status: 500, times: 1 });
    await text('/a.yaml');
    const { abort, reading } = await blocked();
    abort();
    await Promise.allSettled([reading]);
    const said = JSON.stringify([
      logger.info.mock.calls,
      logger.warn.mock.calls,
    ]);
    expect(said).toContain(organization);
    expect(said).not.toContain(token);
    expect(said).not.toContain(Buffer.from(`:${token}`).toString('base64'));
  });
});

function urlOf(file: string): string {
  const url = hosted.webUrl({ path: file, at: 'server' });
  return url.replace(azure.host, host);
}

type Line = [message: string, fields: Record<string, unknown>];

function lines(method: jest.Mock, event: string): Line[] {
  const calls = method.mock.calls as Line[];
  return calls.filter(([, fields]) => fields?.event === event);
}

async function text(
  file: string,
  maxAge?: object,
  reader = readerOf(maxAge && { staleIfThrottled: { maxAge } }),
): Promise<string> {
  const url = urlOf(file);
  const response = await reader.readUrl(url);
  return String(await response.buffer());
}

async function search(): Promise<void> {
  const url = urlOf('/*/c.yaml');
  const { files } = await readerOf().search(url);
  await Promise.all(files.map(file => file.content()));
}

/** Reads with an identity that is told to wait for half a minute, or that waits already. */
async function blocked(waiting?: Promise<unknown>) {
  if (!waiting) {
    const headers = { 'retry-after': '30' };
    azure.misbehave({ status: 429, headers, times: 1 });
  }
  const controller = new AbortController();
  const { signal } = controller;
  const url = urlOf('/b/c.yaml');
  const reading = readerOf().readUrl(url, { signal });
  reading.catch(() => {});
  await until(() => azure.requests.some(({ status }) => status === 429));
  // The answer is on its way.
  await wait(200);
  return { abort: () => controller.abort(), reading };
}

/** How much a counter has grown since now. */
async function counted(name: string) {
  const before = await level(name);
  return async (attributes: Attributes) => {
    const after = await level(name);
    return (after(attributes) ?? 0) - (before(attributes) ?? 0);
  };
}

/** How many times were noted since now. */
async function timed(name: string) {
  const count = async () => {
    const values = await points<Histogram>(name);
    return (attributes: Attributes) => values(attributes)?.count ?? 0;
  };
  const before = await count();
  return async (attributes: Attributes) => {
    const after = await count();
    return after(attributes) - before(attributes);
  };
}

async function level(name: string) {
  return points<number>(name);
}

/** What is exported of a metric now, by its attributes. */
async function points<T>(name: string) {
  exporter.reset();
  await metricReader.forceFlush();
  const all = exporter
    .getMetrics()
    .flatMap(resource => resource.scopeMetrics)
    .flatMap(scope => scope.metrics)
    .filter(metric => metric.descriptor.name === name)
    .flatMap(
      metric =>
        metric.dataPoints as Array<{ attributes: Attributes; value: unknown }>,
    );
  return (attributes: Attributes) =>
    all.find(point => equal(point.attributes, attributes))?.value as
      T | undefined;
}

function equal(one: Attributes, other: Attributes): boolean {
  const sorted = (of: Attributes) => JSON.stringify(Object.entries(of).sort());
  return sorted(one) === sorted(other);
}

function readerOf(own?: object): AzureUrlReader {
  const credentials = [{ personalAccessToken: token }];
  return reader({ of: host, credentials, host: own, logger });
}
