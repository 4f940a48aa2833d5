import { ConfigReader } from '@backstage/config';
import {
  AzureUrl,
  AzureUrlReader,
  readAzureIntegrationConfig,
} from 'backstage-azure-devops-native';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import {
  standIn,
  type Hosted,
  type Misbehaviour,
} from '../testing/azure-devops';
import { limitCache, NOTHING } from '../testing/limits';
import { until } from '../testing/until';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { reader } from '../testing/reader';

const azure = standIn();
const LARGE = Buffer.from('0123456789abcdef'.repeat(32 * 1024));

let count = 0;
let hosted: Hosted;
let token: string;
let workingDirectory: string;

beforeAll(() => limitCache(NOTHING));

// Each with an identity of its own, which nobody else has made wait.
beforeEach(async () => {
  azure.reset();
  count += 1;
  token = `retries-${count}`;
  azure.addToken(token);
  hosted = await azure.addRepository({
    organization: `retries-${count}`,
    project: 'p',
    repository: 'r',
    files: { 'a.yaml': 'a: 1\n', 'b/c.yaml': 'c: 1\n', 'large.bin': LARGE },
  });
  workingDirectory = temporaryFolder('retries');
});

describe.each(['dev.azure.com', 'server'] as const)('at %s', at => {
  const urlOf = (file = '/a.yaml') => hosted.webUrl({ path: file, at });

  it.each([408, 429, 500, 502, 503, 504])(
    'what was answered with %s is asked again',
    async status => {
      azure.misbehave({ status, times: 1 });
      expect(await textAt(urlOf())).toBe('a: 1\n');
      expect(azure.requests).toHaveLength(2);
    },
  );

  it.each([400, 403, 404, 409, 410, 501])(
    'what was answered with %s is not',
    async status => {
      azure.misbehave({ status });
      await expect(readerOf().readUrl(urlOf())).rejects.toThrow(`${status}`);
      expect(azure.requests).toHaveLength(1);
    },
  );

  it.each([
    ['before its head', { resetAfter: -1 }],
    ['in its body', { resetAfter: 2 }],
    ['before its end', { truncateAfter: 3 }],
  ])('an answer that breaks off %s is asked for again', async (_at, how) => {
    azure.misbehave({ ...how, times: 2 });
    expect(await textAt(urlOf())).toBe('a: 1\n');
    expect(azure.requests).toHaveLength(3);
  });

  it.each([
    ['small', 5],
    ['large', 500_000],
  ])('a %s file without an etag is asked for anew', async (_size, length) => {
    const headers = { 'content-type': 'application/octet-stream' };
    const body = randomBytes(length);
    const answer = { status: 200, headers, body };
    azure.misbehave({ ...answer, resetAfter: length / 2, times: 1 });
    azure.misbehave({ ...answer, truncateAfter: length - 1, times: 1 });
    azure.misbehave({ ...answer, times: 1 });
    const response = await readerOf().readUrl(urlOf());
    expect((await response.buffer()).equals(body)).toBe(true);
    expect(azure.requests).toHaveLength(3);
  });

  it('a large file goes on where it broke off', async () => {
    azure.misbehave({ resetAfter: 200_000, times: 1 });
    azure.misbehave({ truncateAfter: 400_000, times: 1 });
    const response = await readerOf().readUrl(urlOf('/large.bin'));
    expect((await response.buffer()).equals(LARGE)).toBe(true);
    expect(azure.requests).toHaveLength(3);
  });

  it('a stream that broke off after the file has changed fails', async () => {
    azure.misbehave({ resetAfter: 200_000, times: 1 });
    const response = await readerOf().readUrl(urlOf('/large.bin'));
    await hosted.git.commit({ files: { 'large.bin': `x${LARGE}` } });
    await expect(response.buffer()).rejects.toThrow(
      /was truncated.* It was tried 2 times/,
    );
  });

  it.each(['files', 'archive', 'dir'] as const)(
    'an archive that breaks off is downloaded again for %s()',
    async way => {
      azure.misbehave({ match: '/items', resetAfter: 5_000, times: 1 });
      azure.misbehave({ match: '/items', truncateAfter: 9_000, times: 1 });
      const tree = await readerOf().readTree(hosted.webUrl({ at }));
      if (way === 'files') {
        const [first, , large] = await tree.files();
        expect(String(await first.content())).toBe('a: 1\n');
        expect((await large.content()).equals(LARGE)).toBe(true);
      } else if (way === 'dir') {
        expect(readdirSync(await tree.dir()).sort()).toEqual(
          ['a.yaml', 'b', 'large.bin'].sort(),
        );
      } else {
        const bytes = await buffer(await tree.archive());
        expect(bytes.subarray(0, 2).toString()).toBe('PK');
      }
    },
  );

  it.each(['/commits', '/items', '/blobs'])(
    'a search goes on where %s fails',
    async part => {
      azure.misbehave({ match: part, truncateAfter: 3, times: 1 });
      azure.misbehave({ match: part, status: 503, times: 1 });
      const { files } = await readerOf().search(urlOf('/*/*.yaml'));
      expect(String(await files[0].content())).toBe('c: 1\n');
    },
  );

  it('an error says how often and how long it was tried', async () => {
    azure.misbehave({ status: 503 });
    await expect(readerOf({ maxRetries: 2 }).readUrl(urlOf())).rejects.toThrow(
      / 503 .*It was tried 3 times in \d+\.\d s$/,
    );
    azure.reset();
    azure.misbehave({ resetAfter: -1 });
    await expect(readerOf({ maxRetries: 1 }).readUrl(urlOf())).rejects.toThrow(
      /It was tried 2 times in \d+\.\d s$/,
    );
  });

  it('nothing is asked again where that is configured', async () => {
    azure.misbehave({ status: 503 });
    await expect(readerOf({ maxRetries: 0 }).readUrl(urlOf())).rejects.toThrow(
      / 503 /,
    );
    expect(azure.requests).toHaveLength(1);
  });

  it('a status that is not in the list is not asked again, a limit neither', async () => {
    const retry = { retryStatusCodes: [503] };
    azure.misbehave({
      status: 429,
      headers: { 'retry-after': '1' },
      times: 1,
    });
    await expect(readerOf(retry).readUrl(urlOf())).rejects.toThrow(/ 429 /);
    expect(azure.requests).toHaveLength(1);
    // What it says is kept all the same.
    await readerOf(retry).readUrl(urlOf());
    const [refused, next] = azure.requests;
    expect(next.at - refused.at).toBeGreaterThan(900);
  });

  it('a limit that names every request is kept for redirects as well', async () => {
    const { pathname, search } = new URL(
      AzureUrl.fromRepoUrl(urlOf()).toFileUrl(),
    );
    const headers = { location: `${pathname}${search}` };
    azure.misbehave({ status: 302, headers, times: 2 });
    const reader = readerOf({ maxApiRequestsPerMinute: 2 });
    const controller = new AbortController();
    const { signal } = controller;
    const reading = reader.readUrl(urlOf(), { signal });
    await until(() => azure.requests.length === 2);
    await wait(500);
    expect(azure.requests).toHaveLength(2);
    controller.abort();
    await expect(reading).rejects.toThrow();
  });

  it('a redirect may say that the next request has to wait', async () => {
    const { pathname, search } = new URL(
      AzureUrl.fromRepoUrl(urlOf()).toFileUrl(),
    );
    const location = `${pathname}${search}`;
    const headers = { location, 'retry-after': '1' };
    azure.misbehave({ status: 302, headers, times: 1 });
    const reader = readerOf();
    await reader.readUrl(urlOf());
    await reader.readUrl(urlOf());
    const [redirected, , next] = azure.requests;
    expect(next.at - redirected.at).toBeGreaterThan(900);
  });

  it.each<[string, Misbehaviour]>([
    ['a status', { status: 503 }],
    ['a reset', { resetAfter: -1 }],
    [
      'a stream that is refused',
      { resetAfter: -1, resetCode: 'REFUSED_STREAM' },
    ],
    ['a connection that goes away', { goAwayAfter: -1, resetAfter: -1 }],
    ['an end that is missing', { truncateAfter: 3 }],
  ])('nothing is asked twice after %s with maxRetries 0', async (_why, how) => {
    azure.misbehave(how);
    const read = async () =>
      (await readerOf({ maxRetries: 0 }).readUrl(urlOf())).buffer();
    await expect(read()).rejects.toThrow();
    expect(azure.requests).toHaveLength(1);
  });

  it('a list of which the end is missing is asked for again', async () => {
    const truncateAfter = 30;
    azure.misbehave({
      match: '/commits',
      truncateAfter,
      chunked: true,
      times: 1,
    });
    const { files } = await readerOf().search(urlOf('/*/*.yaml'));
    expect(String(await files[0].content())).toBe('c: 1\n');
  });

  it('an error is told soon, although its words do not come', async () => {
    const headers = { 'content-type': 'application/json' };
    azure.misbehave({
      status: 400,
      headers,
      body: '{"message"',
      stallAfter: 3,
    });
    await expect(readerOf().readUrl(urlOf())).rejects.toThrow(/ 400 /);
  }, 30_000);

  it('other statuses are asked again where they are configured', async () => {
    azure.misbehave({ status: 409, times: 1 });
    const reader = readerOf({ retryStatusCodes: [409] });
    expect(String(await (await reader.readUrl(urlOf())).buffer())).toBe(
      'a: 1\n',
    );
  });
});

describe('an identity that asked for more than it may', () => {
  const file = () => hosted.webUrl({ path: '/a.yaml', at: 'server' });

  it.each([
    ['429 and seconds', 429, () => '1'],
    ['503 and seconds', 503, () => '1'],
    ['429 and a date', 429, () => new Date(Date.now() + 2_000).toUTCString()],
  ])('asks nothing before the time of %s', async (_how, status, after) => {
    azure.misbehave({ status, headers: { 'retry-after': after() }, times: 1 });
    const reader = readerOf();
    const first = reader.readUrl(file());
    await until(() => azure.requests.some(it => it.status === status));
    await wait(50);
    const others = Array.from({ length: 20 }, () => reader.readUrl(file()));
    await Promise.all([first, ...others]);
    const [refused, ...rest] = azure.requests;
    expect(rest).toHaveLength(21);
    for (const { at } of rest) expect(at - refused.at).toBeGreaterThan(900);
  });

  it('asks nothing before the time that a good answer names', async () => {
    const reader = readerOf();
    azure.misbehave({
      status: 200,
      body: 'a: 1\n',
      headers: { 'retry-after': '1' },
      times: 1,
    });
    await reader.readUrl(file());
    await reader.readUrl(file());
    const [first, second] = azure.requests;
    expect(second.at - first.at).toBeGreaterThan(900);
  });

  it('keeps nobody else waiting', async () => {
    const limited = basic(token);
    azure.misbehave({
      match: ({ headers }) => headers.authorization === limited,
      status: 429,
      headers: { 'retry-after': '30' },
    });
    const controller = new AbortController();
    const { signal } = controller;
    const blocked = readerOf().readUrl(file(), { signal });
    await until(() => azure.requests.some(it => it.status === 429));
    azure.addToken('somebody-else');
    token = 'somebody-else';
    expect(await textAt(file())).toBe('a: 1\n');
    controller.abort();
    await expect(blocked).rejects.toThrow();
  });

  it('is not taken for unknown while it is blocked', async () => {
    const reader = readerOf();
    await reader.readUrl(file());
    azure.misbehave({
      status: 429,
      headers: { 'retry-after': '1' },
      times: 1,
    });
    // After the limit, whichever of the requests comes first.
    azure.misbehave({ status: 401, delayMs: 300, times: 3 });
    const texts = Array.from({ length: 4 }, async () =>
      String(await (await reader.readUrl(file())).buffer()),
    );
    expect(await Promise.all(texts)).toEqual(Array(4).fill('a: 1\n'));
  });

  it('is not taken for unknown where it was never known before', async () => {
    const headers = { 'retry-after': '1' };
    azure.misbehave({ status: 429, headers, times: 1 });
    azure.misbehave({ status: 401, times: 1 });
    expect(await textAt(file())).toBe('a: 1\n');
  });

  it('is not taken for unknown where a 401 says when to come back', async () => {
    const headers = { 'retry-after': '1' };
    azure.misbehave({ status: 401, headers, times: 1 });
    expect(await textAt(file())).toBe('a: 1\n');
    const [refused, next] = azure.requests;
    expect(next.at - refused.at).toBeGreaterThan(900);
  });

  it('is not taken for unknown where it is sent to sign in', async () => {
    const reader = readerOf({ maxRetries: 1 });
    const limit = { 'retry-after': '1' };
    const location = '/_signin';
    azure.misbehave({ status: 429, headers: limit, times: 1 });
    azure.misbehave({ status: 302, headers: { location } });
    await expect(reader.readUrl(file())).rejects.toMatchObject({
      name: 'Error',
      message: expect.stringContaining('more than Azure DevOps allows'),
    });
  });

  it('is told what it is, where that does not end', async () => {
    azure.misbehave({
      status: 429,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'TF400733: blocked' }),
    });
    await expect(
      readerOf({ maxRetries: 1 }).readUrl(file()),
    ).rejects.toMatchObject({
      name: 'Error',
      message: expect.stringMatching(
        / 429 .*TF400733: blocked\. Read with a personal access token \(integrations\.azure\[\d\]\.credentials\[\d\]\) for .*more than Azure DevOps allows.* It was tried 2 times in /,
      ),
    });
  });

  it('is told at once, where there is no time to wait', async () => {
    azure.misbehave({
      status: 429,
      headers: { 'retry-after': '3600' },
      times: 1,
    });
    await expect(readerOf().readUrl(file())).rejects.toThrow(
      /asks to wait for another 3\d\d\d s/,
    );
  });

  it('leaves the queue with its signal', async () => {
    azure.misbehave({
      status: 429,
      headers: { 'retry-after': '60' },
      times: 1,
    });
    const reader = readerOf();
    const controller = new AbortController();
    const { signal } = controller;
    const reads = Array.from({ length: 5 }, () =>
      reader.readUrl(file(), { signal }),
    );
    const outcomes = Promise.allSettled(reads);
    await until(() => azure.requests.some(it => it.status === 429));
    const abortedAt = Date.now();
    controller.abort();
    await outcomes;
    expect(Date.now() - abortedAt).toBeLessThan(5_000);
  });
});

describe('retry in the config', () => {
  const read = (retry: object) =>
    readAzureIntegrationConfig(
      new ConfigReader({ host: 'dev.azure.com', retry } as never),
    );

  it('is read as it is written', () => {
    const retry = { maxRetries: 0, retryStatusCodes: [503] };
    expect(read(retry).retry).toEqual(retry);
  });

  it.each([
    [{ maxRetries: -1 }, "'retry.maxRetries' must be a whole number"],
    [{ retryStatusCodes: [42] }, "'retry.retryStatusCodes' must be a status"],
    [
      { retryStatusCodes: ['503'] },
      "'retry.retryStatusCodes' must be a list of statuses of HTTP, which are numbers",
    ],
    [{ retryStatusCodes: 503 }, "'retry.retryStatusCodes' must be a list"],
    [
      { maxApiRequestsPerMinute: 0 },
      "'retry.maxApiRequestsPerMinute' must be a whole number from 1 on",
    ],
    [{ maxRetries: 'many' }, 'maxRetries'],
  ])('is refused where it makes no sense: %j', (retry, why) => {
    expect(() => read(retry)).toThrow(why);
  });

  it('is refused with the host that it is for', () => {
    for (const retry of [{ maxRetries: -1 }, { retryStatusCodes: 'all' }]) {
      expect(() => read(retry)).toThrow(
        "Invalid Azure integration config for dev.azure.com: 'retry.",
      );
    }
  });
});

async function textAt(url: string): Promise<string> {
  const response = await readerOf().readUrl(url);
  return String(await response.buffer());
}

function basic(pat: string): string {
  return `Basic ${Buffer.from(`:${pat}`).toString('base64')}`;
}

function readerOf(retry?: object): AzureUrlReader {
  return reader({
    of: azure.host,
    also: ['dev.azure.com'],
    credentials: [{ personalAccessToken: token }],
    host: retry && { retry },
    workingDirectory,
  });
}
