import type { UrlReaderServiceSearchResponse } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import {
  AzureUrlReader,
  readAzureIntegrationConfig,
} from 'backstage-azure-devops-native';
import { setTimeout as wait } from 'node:timers/promises';
import { standIn, type Hosted } from '../testing/azure-devops';
import { limitCache } from '../testing/limits';
import { reader } from '../testing/reader';
import { until } from '../testing/until';

const azure = standIn();
const logger = {
  info: jest.fn(),
  warn: jest.fn(),
  error: jest.fn(),
  debug: jest.fn(),
  child: jest.fn(),
};

let count = 0;
let hosted: Hosted;
let token: string;
let url: string;

beforeAll(() => limitCache({}));

// Each with an identity of its own, so that none is blocked by what another one did.
beforeEach(async () => {
  azure.reset();
  jest.resetAllMocks();
  count += 1;
  token = `stale-${count}`;
  azure.addToken(token);
  hosted = await azure.addRepository({
    organization: `stale-${count}`,
    project: 'p',
    repository: 'r',
    files: { 'a.yaml': 'a: 1\n', 'b/a.yaml': 'b: 1\n', 'c.txt': 'c' },
  });
  url = hosted.webUrl({ path: '/a.yaml', at: 'server' });
});

describe('while an identity is blocked', () => {
  it('a file is as it was read last', async () => {
    const reader = readerOf({ minutes: 5 });
    const { etag } = await reader.readUrl(url);
    await block();
    const response = await reader.readUrl(url);
    expect(String(await response.buffer())).toBe('a: 1\n');
    expect(response.etag).toBe(etag);
    await expect(reader.readUrl(url, { etag })).rejects.toMatchObject({
      name: 'NotModifiedError',
    });
    expect(azure.requests).toEqual([]);
    // The log is written when the event loop has turned.
    await until(() => warnings('stale').length > 0);
    expect(warnings('stale')).toEqual([
      expect.stringContaining('what was read of'),
    ]);
  });

  it('a file is not modified for whoever has it by its time', async () => {
    const modified = 'Sun, 13 Sep 2020 12:26:40 GMT';
    const headers = { 'last-modified': modified, etag: '"1"' };
    const answer = { status: 200, headers, body: 'a: 1\n' };
    azure.misbehave({ ...answer, times: 1 });
    const reader = readerOf({ minutes: 5 });
    const lastModifiedAfter = new Date(modified);
    await reader.readUrl(url);
    await block();
    await expect(
      reader.readUrl(url, { lastModifiedAfter }),
    ).rejects.toMatchObject({ name: 'NotModifiedError' });
    const before = new Date(lastModifiedAfter.getTime() - 60_000);
    const response = await reader.readUrl(url, { lastModifiedAfter: before });
    expect(String(await response.buffer())).toBe('a: 1\n');
  });

  it('a file is not as it was before one that is too large', async () => {
    const reader = readerOf({ minutes: 5 });
    await reader.readUrl(url);
    const large = 'x'.repeat(1024 * 1024 + 1);
    await hosted.git.commit({ files: { 'a.yaml': large } });
    const read = async () => String(await (await reader.readUrl(url)).buffer());
    expect(await read()).toBe(large);
    await block(1);
    expect(await read()).toBe(large);
    expect(azure.requests).toHaveLength(1);
  });

  it('a file is not older than what its caller has', async () => {
    const reader = readerOf({ minutes: 5 });
    await reader.readUrl(url);
    await hosted.git.commit({ files: { 'a.yaml': 'a: 2\n' } });
    const { etag } = await readerOf().readUrl(url);
    const notModified = { name: 'NotModifiedError' };
    await expect(reader.readUrl(url, { etag })).rejects.toMatchObject(
      notModified,
    );
    await block(1);
    const response = await reader.readUrl(url);
    expect(String(await response.buffer())).toBe('a: 2\n');
  });

  it('a file is so for whoever is refused in that moment', async () => {
    const reader = readerOf({ minutes: 5 });
    await reader.readUrl(url);
    azure.misbehave(tooMany());
    const response = await reader.readUrl(url);
    expect(String(await response.buffer())).toBe('a: 1\n');
  });

  it('a file that comes slowly is ended by its signal', async () => {
    azure.misbehave({ stallAfter: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const reading = readerOf({ minutes: 5 }).readUrl(url, { signal });
    const outcome = expect(reading).rejects.toThrow(/enough/);
    await wait(300);
    controller.abort(new Error('enough'));
    await outcome;
  }, 10_000);

  it('a search is as it was read last', async () => {
    const reader = readerOf({ minutes: 5 });
    const pattern = hosted.webUrl({ path: '/**/*.yaml', at: 'server' });
    const before = await reader.search(pattern);
    await block();
    const after = await reader.search(pattern);
    expect(after.etag).toBe(before.etag);
    expect(after.files.map(file => file.url)).toEqual(
      before.files.map(file => file.url),
    );
    const contents = await Promise.all(after.files.map(f => f.content()));
    expect(contents.map(String)).toEqual(['a: 1\n', 'b: 1\n']);
    expect(azure.requests).toEqual([]);
  });

  it.each(['/%62/*.yaml', '/%62/**/*.yaml', '/%62/no*'])(
    'a search for %s, whose folder is found decoded, is as it was read last',
    async pattern => {
      const reader = readerOf({ minutes: 5 });
      const before = await reader.search(patternOf(pattern));
      await block();
      const after = await reader.search(patternOf(pattern));
      expect(after.etag).toBe(before.etag);
      expect(await contentsOf(after)).toEqual(await contentsOf(before));
      expect(azure.requests).toEqual([]);
    },
  );

  it('a search is as it was read last, whatever another search has seen since', async () => {
    const reader = readerOf({ minutes: 5 });
    const before = await reader.search(patternOf('/**/*.yaml'));
    await hosted.git.commit({ files: { 'a.yaml': 'a: 2\n' } });
    await reader.search(patternOf('/b/*.yaml'));
    await block();
    const after = await reader.search(patternOf('/**/*.yaml'));
    expect(after.etag).toBe(before.etag);
    expect(await contentsOf(after)).toEqual(['a: 1\n', 'b: 1\n']);
    expect(azure.requests).toEqual([]);
  });

  it.each([
    ['its list', '/items?'],
    ['its contents', '/blobs'],
  ])('a search is so where %s is refused', async (_what, part) => {
    const reader = readerOf({ minutes: 5 });
    const before = await reader.search(patternOf('/**/*.yaml'));
    await hosted.git.commit({ files: { 'a.yaml': 'a: 2\n' } });
    azure.misbehave({ ...tooMany(), match: part });
    for (let n = 0; n < 2; n += 1) {
      const after = await reader.search(patternOf('/**/*.yaml'));
      expect(after.etag).toBe(before.etag);
      expect(await contentsOf(after)).toEqual(['a: 1\n', 'b: 1\n']);
    }
  });

  it('a search of an archive is as it was read last', async () => {
    const isList = ({ url }: { url: string }) =>
      /itemsbatch|scopePath/.test(url) && !url.includes('download');
    azure.misbehave({ match: isList, status: 404 });
    const reader = readerOf({ minutes: 5 });
    const before = await reader.search(patternOf('/**/*.yaml'));
    await hosted.git.commit({ files: { 'a.yaml': 'a: 2\n' } });
    azure.misbehave({ ...tooMany(), match: 'download=true', times: 1 });
    for (let n = 0; n < 2; n += 1) {
      const after = await reader.search(patternOf('/**/*.yaml'));
      expect(after.etag).toBe(before.etag);
      expect(await contentsOf(after)).toEqual(['a: 1\n', 'b: 1\n']);
    }
  });

  it('a search that found what the caller has finds it still', async () => {
    const reader = readerOf({ minutes: 5 });
    const { etag } = await reader.search(patternOf('/**/*.yaml'));
    await hosted.git.commit({ files: { 'a.yaml': 'a: 2\n' } });
    const newest = await readerOf().search(patternOf('/**/*.yaml'));
    expect(newest.etag).not.toBe(etag);
    const again = { etag: newest.etag };
    const notModified = { name: 'NotModifiedError' };
    const search = () => reader.search(patternOf('/**/*.yaml'), again);
    await expect(search()).rejects.toMatchObject(notModified);
    await block();
    await expect(search()).rejects.toMatchObject(notModified);
    expect(azure.requests).toEqual([]);
  });

  it.each([
    ['nothing is configured', undefined],
    ['it is too old', { milliseconds: 1 }],
  ])('a file is waited for where %s', async (_why, maxAge) => {
    const reader = readerOf(maxAge);
    await reader.readUrl(url);
    await block(1);
    const response = await reader.readUrl(url);
    expect(String(await response.buffer())).toBe('a: 1\n');
    expect(azure.requests).toHaveLength(1);
    expect(warnings('stale')).toEqual([]);
  });

  it('what was gone before does not come back', async () => {
    const reader = readerOf({ minutes: 5 });
    await reader.readUrl(url);
    await hosted.git.commit({ files: { 'a.yaml': null } });
    await expect(reader.readUrl(url)).rejects.toThrow(/404/);
    await block(1);
    await expect(reader.readUrl(url)).rejects.toThrow(/404/);
  });

  it('a file is still so after a sign-in page', async () => {
    const reader = readerOf({ minutes: 5 });
    await reader.readUrl(url);
    azure.misbehave({ ...tooMany(1), times: 1 });
    azure.misbehave({ status: 302, headers: { location: '/_signin' } });
    for (let n = 0; n < 3; n += 1) {
      const response = await reader.readUrl(url);
      expect(String(await response.buffer())).toBe('a: 1\n');
      await wait(700);
    }
  });

  it('nothing is read by a credential that was refused before', async () => {
    const reader = readerOf({ minutes: 5 });
    const other = hosted.webUrl({ path: '/c.txt', at: 'server' });
    await reader.readUrl(url);
    await reader.readUrl(other);
    azure.revokeToken(token);
    await expect(reader.readUrl(other)).rejects.toMatchObject({
      name: 'AuthenticationError',
    });
    azure.misbehave({ ...tooMany(1), times: 1 });
    await expect(reader.readUrl(url)).rejects.toMatchObject({
      name: 'AuthenticationError',
    });
  });
});

function patternOf(path: string): string {
  return hosted.webUrl({ path, at: 'server' });
}

async function contentsOf({
  files,
}: UrlReaderServiceSearchResponse): Promise<string[]> {
  const contents = await Promise.all(files.map(file => file.content()));
  return contents.map(String);
}

/** What the log was warned of. */
function warnings(event: string): string[] {
  const calls = logger.warn.mock.calls.filter(([, it]) => it?.event === event);
  return calls.map(([message]) => message);
}

it.each([
  [{ minutes: -5 }, "a.example: 'staleIfThrottled.maxAge' must be longer"],
  [{ minuts: 5 }, 'a.example: '],
  ['soon', 'staleIfThrottled.maxAge'],
  [5, 'staleIfThrottled.maxAge'],
  [undefined, 'staleIfThrottled.maxAge'],
])('a time that is none is refused: %j', (maxAge, why) => {
  const config = { host: 'a.example', staleIfThrottled: { maxAge } };
  const read = () =>
    readAzureIntegrationConfig(new ConfigReader(config as never));
  expect(read).toThrow(why);
});

/** Lets the identity know, by a read of something else, that it may not read for so long. */
async function block(seconds = 30): Promise<void> {
  azure.misbehave({ ...tooMany(seconds), times: 1 });
  const controller = new AbortController();
  const other = hosted.webUrl({ path: '/README.md', at: 'server' });
  const reading = readerOf().readUrl(other, { signal: controller.signal });
  await until(() => azure.requests.some(it => it.status === 429));
  // The answer is on its way.
  await wait(50);
  controller.abort();
  await expect(reading).rejects.toThrow();
  azure.clearRequests();
}

function tooMany(seconds = 30) {
  return { status: 429, headers: { 'retry-after': String(seconds) } };
}

function readerOf(maxAge?: object): AzureUrlReader {
  const host = maxAge && { staleIfThrottled: { maxAge } };
  const credentials = [{ personalAccessToken: token }];
  return reader({ of: azure.host, credentials, host, logger });
}
