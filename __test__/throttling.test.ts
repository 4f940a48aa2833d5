import { ConfigReader } from '@backstage/config';
import {
  AzureIntegration,
  AzureUrlReader,
  DefaultAzureDevOpsCredentialsProvider,
} from 'backstage-azure-devops-native';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { standIn, type Hosted } from './azure-devops';
import { limitCache, NOTHING } from './cacheLimits';
import { until } from './until';
import { upstreamFactory } from './upstreamFactory';

const FILES = 100;

const azure = standIn();

let count = 0;
let hosted: Hosted;
let token: string;

beforeAll(() => limitCache(NOTHING));

beforeEach(async () => {
  azure.reset();
  count += 1;
  token = `throttled-${count}`;
  azure.addToken(token);
  hosted = await azure.addRepository({
    organization: `throttled-${count}`,
    project: 'p',
    repository: 'r',
    files: Object.fromEntries(
      Array.from({ length: FILES }, (_, n) => [`f${n}.yaml`, `n: ${n}\n`]),
    ),
  });
});

describe.each(['server', 'dev.azure.com'] as const)('a budget at %s', at => {
  it('is kept by many readers, and none of them fails', async () => {
    const budget = azure.limit({ token, capacity: 100, perSecond: 50 });
    const read = async (n: number) => {
      const url = hosted.webUrl({ path: `/f${n % FILES}.yaml`, at });
      const response = await readerOf(token).readUrl(url);
      expect(String(await response.buffer())).toBe(`n: ${n % FILES}\n`);
    };
    const reads = Array.from({ length: 40 }, async (_, reader) => {
      for (let n = 0; n < 5; n += 1) await read(reader * 5 + n);
    });
    await Promise.all(reads);
    const refused = budget.history.filter(({ isRefused }) => isRefused);
    expect(refused.length).toBeLessThanOrEqual(200 * 0.05);
  });
});

it('a search of many contents keeps the budget too', async () => {
  azure.limit({ token, capacity: 10, perSecond: 5 });
  const url = hosted.webUrl({ path: '/*.yaml', at: 'server' });
  const searches = Array.from({ length: 5 }, () => readerOf(token).search(url));
  for (const { files } of await Promise.all(searches)) {
    expect(files).toHaveLength(FILES);
  }
});

it('somebody else is not slowed down', async () => {
  azure.limit({ token, capacity: 5, perSecond: 1, blockedFor: 20 });
  const url = hosted.webUrl({ path: '/f1.yaml', at: 'server' });
  const controller = new AbortController();
  const { signal } = controller;
  const blocked = Array.from({ length: 30 }, () =>
    readerOf(token).readUrl(url, { signal }),
  );
  const outcomes = Promise.allSettled(blocked);
  await until(() => azure.requests.some(({ status }) => status === 429));
  azure.addToken('somebody-else');
  const startedAt = Date.now();
  for (let n = 0; n < 50; n += 1) await readerOf('somebody-else').readUrl(url);
  expect(Date.now() - startedAt).toBeLessThan(10_000);
  controller.abort();
  await outcomes;
});

it('who was blocked begins with few', async () => {
  const reader = readerOf(token);
  const url = hosted.webUrl({ path: '/f1.yaml', at: 'server' });
  await reader.readUrl(url);
  const headers = { 'retry-after': '1' };
  azure.misbehave({ status: 429, headers, times: 1 });
  azure.misbehave({ delayMs: 100 });
  azure.clearRequests();
  await Promise.all(Array.from({ length: 30 }, () => reader.readUrl(url)));
  const times = azure.requests.map(request => request.at);
  const reopened = times.findIndex((time, n) => time - times[n - 1] > 500);
  const first = times.slice(reopened);
  // Until the first answer there is one, and then two.
  expect(first[1] - first[0]).toBeGreaterThanOrEqual(90);
  expect(first[3] - first[1]).toBeGreaterThanOrEqual(90);
});

it('no minute has more requests than are configured', async () => {
  const reader = readerOf(token, { maxApiRequestsPerMinute: 20 });
  const url = hosted.webUrl({ path: '/f1.yaml', at: 'server' });
  const controller = new AbortController();
  const { signal } = controller;
  const reads = Array.from({ length: 30 }, () =>
    reader.readUrl(url, { signal }),
  );
  const done = reads.map(read => read.then(() => true).catch(() => false));
  await until(() => azure.requests.length >= 20);
  await new Promise(resolve => setTimeout(resolve, 1_500));
  expect(azure.requests).toHaveLength(20);
  controller.abort();
  const succeeded = (await Promise.all(done)).filter(Boolean);
  expect(succeeded).toHaveLength(20);
});

function readerOf(personalAccessToken: string, retry?: object) {
  const hosts = ['dev.azure.com', azure.host];
  const credentials = [{ personalAccessToken }];
  const config = new ConfigReader({
    integrations: {
      azure: hosts.map(host => ({
        host,
        credentials,
        ...(retry && { retry }),
      })),
    },
  });
  const integrations = AzureIntegration.factory({ config });
  return new AzureUrlReader(integrations.byHost(azure.host)!, {
    treeResponseFactory: upstreamFactory(
      mkdtempSync(path.join(tmpdir(), 'throttling-')),
    ),
    credentialsProvider: DefaultAzureDevOpsCredentialsProvider.fromIntegrations(
      {
        azure: integrations,
      },
    ),
  });
}
