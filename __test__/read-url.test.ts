import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import {
  AzureIntegration,
  AzureUrlReader,
  DefaultAzureDevOpsCredentialsProvider,
  type AzureDevOpsCredential,
  type AzureDevOpsCredentialsProvider,
} from 'backstage-azure-devops-native';
import {
  DEFAULT_TOKEN,
  standIn,
  type Hosted,
  type Misbehaviour,
} from '../testing/azure-devops';
import { rejection } from '../testing/rejection';
import { until } from '../testing/until';

const azure = standIn();
const MANIFEST = 'kind: Component\n';
const LARGE = Buffer.alloc(8 * 1024 * 1024, 'large ');
const HOSTS = ['server', 'tfs', 'dev.azure.com', 'visualstudio.com'] as const;

let hosted: Hosted;

beforeAll(async () => {
  hosted = await azure.addRepository({
    organization: 'read-url',
    project: 'A Project',
    repository: 'repo & more',
    files: { 'catalog-info.yaml': MANIFEST, 'large.bin': LARGE, empty: '' },
  });
  await hosted.git.tag('v1');
  await hosted.git.commit({ files: { 'catalog-info.yaml': 'kind: API\n' } });
});

beforeEach(() => azure.reset());

describe.each(HOSTS)('at %s', at => {
  it('reads a file, as itself, with the token', async () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml', at });
    const response = await readerOf(url).readUrl(url);
    expect(String(await response.buffer())).toBe('kind: API\n');
    expect(response.etag).toMatch(/^"[0-9a-f]{40}"$/);
    const [request] = azure.requests;
    expect(request.credential).toBe('pat');
    expect(request.headers['user-agent']).toMatch(
      /^backstage-azure-devops-native\/\d+\.\d+\.\d+$/,
    );
  });

  it('reads a tag and a commit as what they are', async () => {
    const path = '/catalog-info.yaml';
    const commit = await hosted.git.resolveRef('refs/tags/v1');
    for (const version of ['GTv1', `GC${commit}`]) {
      const url = hosted.webUrl({ path, version, at });
      expect(String(await readerOf(url).read(url))).toBe(MANIFEST);
    }
  });

  it('asks only for what is new', async () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml', at });
    const reader = readerOf(url);
    const { etag } = await reader.readUrl(url);
    for (const ask of ['readUrl', 'search'] as const) {
      await expect(reader[ask](url, { etag })).rejects.toMatchObject({
        name: 'NotModifiedError',
      });
      expect(azure.requests.at(-1)!.status).toBe(304);
    }
    const changed = await reader.readUrl(url, { etag: '"other"' });
    expect((await changed.buffer()).length).toBeGreaterThan(0);
  });

  it('answers a search of an exact path, missing or not', async () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml', at });
    const { files, etag } = await readerOf(url).search(url);
    expect(files.map(file => file.url)).toEqual([url]);
    expect(String(await files[0].content())).toBe('kind: API\n');
    expect(etag).toMatch(/^"[0-9a-f]{40}"$/);
    const missing = hosted.webUrl({ path: '/nope.yaml', at });
    const nothing = await readerOf(missing).search(missing);
    expect(nothing).toEqual({ files: [], etag: '' });
  });

  it('is read while others hold large files that they do not read', async () => {
    const url = hosted.webUrl({ path: '/large.bin', at });
    const held = await Promise.all(
      Array.from({ length: 20 }, () => readerOf(url).readUrl(url)),
    );
    const small = hosted.webUrl({ path: '/catalog-info.yaml', at });
    const { buffer } = await readerOf(small).readUrl(small);
    expect((await buffer()).length).toBeGreaterThan(0);
    const contents = await Promise.all(held.map(file => file.buffer()));
    expect(contents.every(content => content.equals(LARGE))).toBe(true);
  });

  it('lets a stream hold the server back, and closes with it', async () => {
    // More than the network itself holds back on one machine.
    const body = Buffer.alloc(64 * 1024 * 1024, 'large ');
    azure.misbehave({ match: 'large.bin', status: 200, body });
    const url = hosted.webUrl({ path: '/large.bin', at });
    const stream = (await readerOf(url).readUrl(url)).stream!();
    const [first] = (await stream.iterator({ destroyOnReturn: false }).next())
      .value;
    expect(first).toBe('l'.charCodeAt(0));
    await settled(() => azure.requests[0].bytesSent);
    expect(azure.requests[0].bytesSent).toBeLessThan(body.length);
    stream.destroy();
    await until(() => azure.requests[0].aborted);
  });

  it('ends with its signal, in the head and in the body', async () => {
    azure.misbehave({ match: 'catalog-info', delayMs: 5_000 });
    const waiting = hosted.webUrl({ path: '/catalog-info.yaml', at });
    const inHead = new AbortController();
    const read = readerOf(waiting).readUrl(waiting, { signal: inHead.signal });
    await until(() => azure.requests.length > 0);
    inHead.abort();
    await expect(read).rejects.toThrow(
      `Unable to read ${waiting}, AbortError: This operation was aborted`,
    );
    await until(() => azure.requests[0].aborted);

    azure.misbehave({ match: 'large', stallAfter: 100_000 });
    const stalling = hosted.webUrl({ path: '/large.bin', at });
    const inBody = new AbortController();
    const { signal } = inBody;
    const response = await readerOf(stalling).readUrl(stalling, { signal });
    const buffer = response.buffer();
    inBody.abort(new Error('enough'));
    await expect(buffer).rejects.toThrow('enough');
    await until(() => azure.requests.at(-1)!.aborted);
  });

  it('rejects what ends before its end', async () => {
    for (const misbehaviour of [
      { truncateAfter: 1000 },
      { resetAfter: 1000 },
    ]) {
      const takeBack = azure.misbehave({ match: 'large', ...misbehaviour });
      const url = hosted.webUrl({ path: '/large.bin', at });
      const read = readerOf(url).read(url);
      await expect(read).rejects.toThrow(`Unable to read ${url}, `);
      takeBack();
    }
  });

  it('takes a sign-in page for what it is', async () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml', at });
    const pages: Misbehaviour[] = [
      { status: 203, headers: { 'content-type': 'text/html' }, body: '<html>' },
      {
        status: 302,
        headers: { location: 'https://login.example.com/_signin' },
      },
      { status: 302, headers: { location: '/_signin?reply_to=here' } },
    ];
    for (const page of pages) {
      const takeBack = azure.misbehave({ match: 'catalog-info', ...page });
      await expect(readerOf(url).readUrl(url)).rejects.toMatchObject({
        name: 'AuthenticationError',
        message: expect.stringContaining('a personal access token'),
      });
      takeBack();
    }
    expect(azure.requests).toHaveLength(3);
    expect(azure.proxyRequests.join()).not.toContain('login.example.com');
  });
});

describe('redirects', () => {
  it('are followed on the host, credential and all', async () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml', at: 'server' });
    const reader = readerOf(url);
    await reader.read(url);
    const location = azure.requests[0].url;
    azure.misbehave({ times: 1, status: 307, headers: { location } });
    expect(String(await reader.read(url))).toBe('kind: API\n');
    expect(azure.requests.at(-1)!.credential).toBe('pat');
  });

  it('never leave it', async () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml' });
    const reader = readerOf(url);
    await reader.read(url);
    const location = `https://other.visualstudio.com${azure.requests[0].url}`;
    azure.misbehave({
      match: 'catalog-info',
      status: 302,
      headers: { location },
    });
    await expect(reader.read(url)).rejects.toThrow('other.visualstudio.com');
    const hosts = azure.requests.map(request => request.host);
    expect(new Set(hosts)).toEqual(new Set(['dev.azure.com']));
  });

  it('do not go round for ever', async () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml', at: 'server' });
    azure.misbehave({ status: 302, headers: { location: '/x/_apis/git' } });
    await expect(readerOf(url).read(url)).rejects.toThrow(
      'redirects in circles',
    );
  });
});

describe('a response', () => {
  const conflict = {
    name: 'ConflictError',
    message: 'Cannot use buffer() and stream() from the same ReadUrlResponse',
  };

  it.each(['/catalog-info.yaml', '/large.bin', '/empty'])(
    'of %s gives its content as a buffer or as a stream, not both',
    async path => {
      const url = hosted.webUrl({ path, at: 'server' });
      const buffered = await readerOf(url).readUrl(url);
      const content = await buffered.buffer();
      expect(await buffered.buffer()).toBe(content);
      expect(thrown(() => buffered.stream!())).toMatchObject(conflict);

      const streamed = await readerOf(url).readUrl(url);
      const stream = streamed.stream!();
      expect(streamed.stream!()).toBe(stream);
      expect(thrown(() => streamed.buffer())).toMatchObject(conflict);
      const pieces: Buffer[] = [];
      for await (const piece of stream) pieces.push(piece);
      expect(Buffer.concat(pieces).equals(content)).toBe(true);
    },
  );

  it('comes when its head is there, however slow the rest is', async () => {
    azure.misbehave({ match: 'catalog', drip: { bytes: 1, everyMs: 40 } });
    const url = hosted.webUrl({ path: '/catalog-info.yaml', at: 'server' });
    const response = await readerOf(url).readUrl(url);
    expect(azure.requests[0].bytesSent).toBeLessThan(5);
    expect(String(await response.buffer())).toBe('kind: API\n');
  });

  it('has the time that the server says', async () => {
    const lastModified = new Date('2024-02-29T12:00:00Z');
    const dated = await azure.addRepository({
      organization: 'dated',
      project: 'p',
      repository: 'r',
      files: { a: 'a' },
      lastModified,
    });
    const url = dated.webUrl({ path: '/a', at: 'server' });
    const response = await readerOf(url).readUrl(url);
    expect(response.lastModifiedAt).toEqual(lastModified);
    const later = { lastModifiedAfter: new Date('2024-03-01') };
    await expect(readerOf(url).readUrl(url, later)).rejects.toMatchObject({
      name: 'NotModifiedError',
    });
    expect(azure.requests.at(-1)!.status).toBe(304);
    const earlier = { lastModifiedAfter: new Date('2024-02-01') };
    expect(
      String(await (await readerOf(url).readUrl(url, earlier)).buffer()),
    ).toBe('a');
  });
});

describe('a failure', () => {
  it('says what was read, as what, by whom, and what Azure DevOps said', async () => {
    const url = hosted.webUrl({ path: '/nope.yaml' });
    const error = await rejection(readerOf(url).readUrl(url));
    expect(error.name).toBe('NotFoundError');
    expect(error.message).toMatch(
      /^https:\/\/dev\.azure\.com\/read-url\/.* could not be read as https:\/\/dev\.azure\.com\/read-url\/A%20Project\/_apis\/.*, 404 Not Found\. Azure DevOps said: TF401174: .*\. Read with a personal access token \(.*credentials\[0\]\) for dev\.azure\.com, organization read-url: check the names in the URL .*$/,
    );
  });

  it('repeats the phrase that the server has for the status', async () => {
    azure.misbehave({ status: 418, reason: 'Short And Stout' });
    const url = hosted.webUrl({ path: '/nope.yaml', at: 'server' });
    await expect(readerOf(url).readUrl(url)).rejects.toThrow(
      ', 418 Short And Stout',
    );
  });

  it.each([
    [401, 'AuthenticationError', 'has not expired'],
    [403, 'NotAllowedError', 'its owner may read the repository'],
    [500, 'Error', '500 Internal Server Error'],
  ])('of status %d is of its class', async (status, name, part) => {
    azure.misbehave({ status });
    const url = hosted.webUrl({ path: '/catalog-info.yaml' });
    await expect(readerOf(url).readUrl(url)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(part),
    });
  });

  it('of the network names the host and what to check', async () => {
    const url = 'http://127.0.0.1:9/c/p/_git/r?path=/a';
    await expect(readerOf(url).readUrl(url)).rejects.toThrow(
      /^Unable to read http:\/\/127\.0\.0\.1:9\/.*, no connection to 127\.0\.0\.1:9: connection refused\. Check the port in the URL, and that the server runs\. Read with /,
    );
  });
});

describe('credentials', () => {
  it('are not needed where the server reads for anyone', async () => {
    azure.anonymous.add('read-url');
    for (const at of ['server', 'dev.azure.com'] as const) {
      const url = hosted.webUrl({ path: '/catalog-info.yaml', at });
      expect(String(await readerOf(url, []).read(url))).toBe('kind: API\n');
      expect(azure.requests.at(-1)!.credential).toBe('none');
    }
  });

  it('of a provider that is not ours are asked for and used', async () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml' });
    const asked: string[] = [];
    const headers = { Authorization: `Bearer ${DEFAULT_TOKEN}` };
    const reader = readerWith(url, {
      getCredentials: async options => {
        asked.push(options.url);
        return { headers, token: DEFAULT_TOKEN, type: 'bearer' };
      },
    });
    expect(String(await reader.read(url))).toBe('kind: API\n');
    expect(azure.requests[0].credential).toBe('bearer');
    expect(asked).toEqual([`https://dev.azure.com${azure.requests[0].url}`]);
  });

  it('that were not read from a config do not show either', () => {
    const secret = 's3cret-t0ken';
    const config = {
      host: 'dev.azure.com',
      credentials: [token(secret)],
      commitSigningKey: secret,
    };
    const frozen = Object.freeze({
      ...config,
      credentials: [Object.freeze(token(secret))],
    });
    for (const own of [config, frozen]) {
      const integration = new AzureIntegration(own);
      const seen = [integration, integration.config];
      const text = inspect(seen, {
        depth: 10,
        showHidden: true,
        getters: true,
      });
      expect(text).toContain('[redacted]');
      expect(text).not.toContain(secret);
      expect(integration.config).toStrictEqual(own);
      expect({ ...integration.config }).toStrictEqual({ ...own });
      expect(JSON.stringify(integration.config)).toBe(JSON.stringify(own));
    }
    expect(new AzureIntegration(config).config).toBe(config);
  });

  it('are given as headers that others take for plain ones', async () => {
    const url = hosted.webUrl({ path: '/catalog-info.yaml' });
    const provider = providerOf(integrationOf(url, [token('a-token')]));
    const headers = (await provider.getCredentials({ url }))!.headers!;
    const Authorization = `Basic ${btoa(':a-token')}`;
    // As axios and lodash look at it.
    const prototype = Object.getPrototypeOf(headers);
    expect(Object.getPrototypeOf(prototype)).toBeNull();
    expect(headers.constructor).toBe(Object);
    expect(String(headers)).toBe('[object Object]');
    expect(headers).toStrictEqual({ Authorization });
    expect({ ...headers }).toEqual({ Authorization });
    expect([...new Headers(headers)]).toEqual([
      ['authorization', Authorization],
    ]);
    expect(inspect(headers)).toContain('[redacted]');
  });

  it('never show, whatever is inspected or thrown', async () => {
    const secret = 's3cret-t0ken';
    const url = hosted.webUrl({ path: '/catalog-info.yaml' });
    const withUser = url.replace('https://', `https://user:${secret}@`);
    const integration = integrationOf(url, [token(secret)]);
    const provider = providerOf(integration);
    const reader = readerWith(url, provider);
    const errors = [
      await rejection(reader.readUrl(url)),
      await rejection(reader.readUrl(withUser)),
    ];
    const seen = [
      integration,
      provider,
      reader,
      errors,
      await provider.getCredentials({ url }),
    ];
    const text =
      inspect(seen, { depth: 10, showHidden: true }) +
      errors.map(e => e.stack).join();
    expect(text).not.toContain(secret);
    expect(text).not.toContain(btoa(`:${secret}`));
  });
});

function token(personalAccessToken: string): AzureDevOpsCredential {
  return { kind: 'PersonalAccessToken', personalAccessToken };
}

function integrationOf(
  url: string,
  credentials: AzureDevOpsCredential[],
): AzureIntegration {
  return new AzureIntegration({ host: new URL(url).host, credentials });
}

function providerOf(
  integration: AzureIntegration,
): AzureDevOpsCredentialsProvider {
  const azureIntegrations = { azure: { list: () => [integration] } };
  return DefaultAzureDevOpsCredentialsProvider.fromIntegrations(
    azureIntegrations,
  );
}

function readerOf(
  url: string,
  credentials = [token(DEFAULT_TOKEN)],
): AzureUrlReader {
  return readerWith(url, providerOf(integrationOf(url, credentials)));
}

function readerWith(
  url: string,
  credentialsProvider: AzureDevOpsCredentialsProvider,
): AzureUrlReader {
  // Nothing here reads a tree.
  const treeResponseFactory = undefined as never;
  const deps = { treeResponseFactory, credentialsProvider };
  return new AzureUrlReader(integrationOf(url, []), deps);
}

function thrown(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    return error;
  }
}

/** Waits until a number stays the same for a while. */
async function settled(number: () => number): Promise<void> {
  let last = -1;
  while (number() !== last) {
    last = number();
    await wait(200);
  }
}
