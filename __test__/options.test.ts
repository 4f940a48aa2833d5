/** What callers give beside a URL, in whichever form: as upstream takes it, and told to no one else. */
import {
  AzureIntegration,
  AzureUrlReader,
  DefaultAzureDevOpsCredentialsProvider,
} from 'backstage-azure-devops-native';
import { inspect } from 'node:util';
import { standIn, type Hosted } from '../testing/azure-devops';
import { reader as newReader, upstreamReader } from '../testing/reader';
import { readerService } from '../testing/readerService';
import { until } from '../testing/until';

const azure = standIn();
const { reader } = readerService();
const ANONYMOUS = { of: 'dev.azure.com', credentials: [] };

const USERS_TOKEN = 'a-users-own-token';
const part = (value: object) =>
  Buffer.from(JSON.stringify(value)).toString('base64url');
const JWT = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ sub: 'user' })}.c2ln`;

let hosted: Hosted;
let secret: Hosted;

beforeAll(async () => {
  const files = { 'a.md': 'a', 'docs/b.md': 'b', 'docs/c.md': 'c' };
  hosted = await azure.addRepository({
    organization: 'options',
    project: 'p',
    repository: 'r',
    files,
  });
  secret = await azure.addRepository({
    organization: 'users-only',
    project: 'p',
    repository: 'r',
    files,
  });
  azure.addToken({ token: USERS_TOKEN, organizations: ['users-only'] });
  azure.addToken({ token: JWT, organizations: ['users-only'] });
});

beforeEach(() => azure.reset());

describe('options', () => {
  it.each([null, undefined, {}])('may be %j', async given => {
    const options = given as undefined;
    const file = hosted.webUrl({ path: '/a.md' });
    const read = await reader.readUrl(file, options);
    expect(String(await read.buffer())).toBe('a');
    const tree = await reader.readTree(hosted.webUrl(), options);
    expect(await tree.files()).toHaveLength(3);
    for (const path of ['/a.md', '/docs/*.md']) {
      const { files } = await reader.search(hosted.webUrl({ path }), options);
      expect(files).toHaveLength(path === '/a.md' ? 1 : 2);
    }
  });

  it('may each be null or undefined', async () => {
    for (const none of [null, undefined] as undefined[]) {
      const options = { etag: none, signal: none, token: none, filter: none };
      const url = hosted.webUrl({ path: '/a.md' });
      const read = await reader.readUrl(url, {
        ...options,
        lastModifiedAfter: none,
      });
      expect(String(await read.buffer())).toBe('a');
      const tree = await reader.readTree(hosted.webUrl(), options);
      expect(await tree.files()).toHaveLength(3);
      const pattern = hosted.webUrl({ path: '/docs/*.md' });
      expect((await reader.search(pattern, options)).files).toHaveLength(2);
    }
  });
});

it('configuration may be null where upstream takes null', async () => {
  const config = { host: 'dev.azure.com', credentials: null } as never;
  const own = { retry: null, staleIfThrottled: null, ...(config as object) };
  const list = () => [{ config: own as never }];
  const provider = DefaultAzureDevOpsCredentialsProvider.fromIntegrations({
    azure: { list },
  });
  const none = new AzureUrlReader(new AzureIntegration(own as never), {
    treeResponseFactory: {} as never,
    credentialsProvider: provider,
  });
  azure.anonymous.add('options');
  const read = await none.readUrl(hosted.webUrl({ path: '/a.md' }));
  expect(String(await read.buffer())).toBe('a');
});

it.each([
  ['an object', (own: [string, string]) => Object.fromEntries([own])],
  ['pairs', (own: [string, string]) => [own]],
  ['Headers', (own: [string, string]) => new Headers([own])],
  ['a Map', (own: [string, string]) => new Map([own])],
])('headers of a provider may be %s', async (_what, made) => {
  const headers = made(['Authorization', `Bearer ${JWT}`]);
  const own = new AzureUrlReader(
    new AzureIntegration({ host: 'dev.azure.com' }),
    {
      treeResponseFactory: {} as never,
      credentialsProvider: {
        getCredentials: async () => ({ headers }) as never,
      },
    },
  );
  const read = await own.readUrl(secret.webUrl({ path: '/a.md' }));
  expect(String(await read.buffer())).toBe('a');
});

it.each([
  'http://dev.azure.com',
  'http://org.visualstudio.com:8080',
  'http://DEV.azure.com:443',
])('%s is not asked, with or without a token', async origin => {
  const { host } = new URL(origin);
  const plain = readerService([host]).reader;
  const url = `${origin}/o/p/_git/r?path=/a.md`;
  for (const options of [undefined, { token: USERS_TOKEN }]) {
    for (const read of [
      () => plain.readUrl(url, options),
      () => plain.readTree(url, options),
      () => plain.search(url.replace('a.md', '*'), options),
    ]) {
      await expect(read()).rejects.toMatchObject({
        name: 'InputError',
        message: expect.stringContaining('write https in place of http'),
      });
    }
  }
  expect(azure.requests).toEqual([]);
  expect(azure.proxyRequests).toEqual([]);
});

describe('a URL', () => {
  const url = () => new URL(hosted.webUrl({ path: '/a.md' }));
  const readers = () =>
    [newReader, upstreamReader].map(make => make(ANONYMOUS));

  it('may be an object', async () => {
    const read = await reader.readUrl(url() as never);
    expect(String(await read.buffer())).toBe('a');
    const folder = new URL(hosted.webUrl({ path: '/docs' }));
    const tree = await reader.readTree(folder as never);
    expect(await tree.files()).toHaveLength(2);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['an object', {}],
  ])('that is %s is refused as upstream refuses it', async (_what, value) => {
    for (const call of ['readUrl', 'readTree', 'search'] as const) {
      const [ours, theirs] = await Promise.all(
        readers().map(own =>
          own[call](value as never).then(
            () => 'read',
            ({ name, message }) => `${name}: ${message}`,
          ),
        ),
      );
      expect(ours).toBe(theirs);
    }
  });

  it('that is an object is refused by search as upstream refuses it', async () => {
    for (const own of readers()) {
      await expect(own.search(url() as never)).rejects.toThrow(
        'The url must be a string.',
      );
    }
  });
});

describe('what cannot be taken', () => {
  const SECRET = 'pa55word';
  const holder = () => new URL(`https://user:${SECRET}@dev.azure.com/o`);

  it.each<[string, () => unknown]>([
    ['an etag', () => read({ etag: holder() })],
    ['a token', () => read({ token: { value: SECRET } })],
    ['a token in a list', () => read({ token: [SECRET, 5] })],
    ['a time', () => read({ lastModifiedAfter: new Date(SECRET) })],
    ['what is no time', () => read({ lastModifiedAfter: SECRET })],
    ['a folder', () => dirOf({ targetDir: holder() })],
    ['a credential', () => providerOf({ personalAccessToken: [SECRET] })],
    ['organizations', () => providerOf({ organizations: { a: SECRET } })],
    [
      'an integration',
      () =>
        DefaultAzureDevOpsCredentialsProvider.fromIntegrations(
          holder() as never,
        ),
    ],
  ])('%s is not shown', async (_what, use) => {
    const failure = await Promise.resolve()
      .then(use)
      .then(
        () => 'taken',
        error => error,
      );
    expect(failure.name).toMatch(/Error$/);
    expect(inspect(failure, { depth: 9 })).not.toContain(SECRET);
    expect(String(failure.stack)).not.toContain(SECRET);
  });

  const read = (options: object) =>
    reader.readUrl(hosted.webUrl({ path: '/a.md' }), options as never);
  const dirOf = async (options: object) =>
    (await reader.readTree(hosted.webUrl())).dir(options as never);
  const providerOf = (fields: object) =>
    DefaultAzureDevOpsCredentialsProvider.fromIntegrations({
      azure: {
        list: () => [
          {
            config: {
              host: 'dev.azure.com',
              credentials: [
                { kind: 'PersonalAccessToken', ...fields } as never,
              ],
            },
          },
        ],
      },
    });
});

describe('a token', () => {
  it.each([
    ['personal access token', USERS_TOKEN, `Basic ${btoa(`:${USERS_TOKEN}`)}`],
    ['access token', JWT, `Bearer ${JWT}`],
  ])('that is a %s reads as the caller', async (_kind, token, sent) => {
    const file = secret.webUrl({ path: '/a.md' });
    const read = await reader.readUrl(file, { token });
    expect(String(await read.buffer())).toBe('a');
    const tree = await reader.readTree(secret.webUrl(), { token });
    expect(await tree.files()).toHaveLength(3);
    for (const path of ['/a.md', '/docs/*.md']) {
      await reader.search(secret.webUrl({ path }), { token });
    }
    const headers = azure.requests.map(request => request.headers);
    expect(new Set(headers.map(own => own.authorization))).toEqual(
      new Set([sent]),
    );
  });

  it('comes before a credentials provider, which is not asked', async () => {
    const own = new AzureUrlReader(
      new AzureIntegration({ host: 'dev.azure.com' }),
      {
        treeResponseFactory: {} as never,
        credentialsProvider: {
          getCredentials: async () => {
            throw new Error('asked');
          },
        },
      },
    );
    const url = secret.webUrl({ path: '/a.md' });
    const read = await own.readUrl(url, { token: USERS_TOKEN });
    expect(String(await read.buffer())).toBe('a');
    await own.readTree(secret.webUrl(), { token: USERS_TOKEN });
    const pattern = secret.webUrl({ path: '/docs/*.md' });
    await own.search(pattern, { token: USERS_TOKEN });
  });

  it.each(['', ' \n', false, 0])('that is %j is none', async token => {
    const url = hosted.webUrl({ path: '/a.md' });
    const read = await reader.readUrl(url, { token: token as string });
    expect(String(await read.buffer())).toBe('a');
  });

  it('may stand between blanks', async () => {
    const url = secret.webUrl({ path: '/a.md' });
    const read = await reader.readUrl(url, { token: ` ${USERS_TOKEN}\n` });
    expect(String(await read.buffer())).toBe('a');
  });

  it('is sent to the host of the reader alone', async () => {
    const own = newReader(ANONYMOUS);
    const url = secret.webUrl({ path: '/a.md', at: 'server' });
    const options = { token: USERS_TOKEN };
    for (const read of [
      () => own.readUrl(url, options),
      () => own.readTree(url, options),
      () => own.search(url.replace('a.md', '*.md'), options),
    ]) {
      await expect(read()).rejects.toMatchObject({
        name: 'InputError',
        message: expect.stringContaining('is for dev.azure.com'),
      });
    }
    expect(azure.requests).toEqual([]);
  });

  it('leaves nothing behind, for others or for itself', async () => {
    const own = await azure.addRepository({
      organization: 'users-only',
      project: 'p',
      repository: 'not-read-before',
      files: { 'a.md': 'a', 'docs/b.md': 'b', 'docs/c.md': 'c' },
    });
    const once = async () => {
      azure.clearRequests();
      const tree = await reader.readTree(own.webUrl(), { token: JWT });
      await tree.files();
      const pattern = own.webUrl({ path: '/docs/*.md' });
      const { files } = await reader.search(pattern, { token: JWT });
      await Promise.all(files.map(file => file.content()));
      return azure.requests.map(request => request.url);
    };
    const first = await once();
    expect(await once()).toEqual(first);
    expect(first.join('\n')).toMatch(/download=true/);
    expect(first.join('\n')).toMatch(/itemsbatch/);
    expect(first.join('\n')).toMatch(/blobs/);
  });

  it('that is refused says whose it is, and shows nothing of it', async () => {
    const url = hosted.webUrl({ path: '/a.md' });
    for (const token of [USERS_TOKEN, JWT]) {
      const error = await reader.readUrl(url, { token }).then(
        () => undefined,
        cause => cause,
      );
      expect(error.name).toBe('AuthenticationError');
      expect(error.message).toContain('token in the options of the read');
      expect(inspect(error)).not.toContain(token);
    }
    const odd = `${USERS_TOKEN}\u20ac`;
    await expect(reader.readUrl(url, { token: odd })).rejects.toMatchObject({
      name: 'InputError',
      message: expect.not.stringContaining(USERS_TOKEN),
    });
  });

  it('has limits of its own', async () => {
    const url = secret.webUrl({ path: '/a.md' });
    azure.misbehave({
      match: ({ headers }) =>
        !headers.authorization?.includes(btoa(`:${USERS_TOKEN}`)),
      times: 1,
      status: 429,
      headers: { 'retry-after': '2' },
    });
    const startedAt = Date.now();
    const waiting = reader.readUrl(hosted.webUrl({ path: '/a.md' }));
    await until(() => azure.requests.some(({ status }) => status === 429));
    await (await reader.readUrl(url, { token: USERS_TOKEN })).buffer();
    expect(Date.now() - startedAt).toBeLessThan(1_500);
    await waiting;
    expect(Date.now() - startedAt).toBeGreaterThan(1_500);
  });
});
