import { AzureUrlReader } from 'backstage-azure-devops-native';
import { readdirSync } from 'node:fs';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import {
  DEFAULT_TOKEN,
  standIn,
  type Hosted,
  type RecordedRequest,
} from '../testing/azure-devops';
import { limitCache, NOTHING } from '../testing/limits';
import { until } from '../testing/until';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { reader } from '../testing/reader';
import { contentsByName } from '../testing/contentsOf';

const azure = standIn();
const run = promisify(execFile);
const SERVICES = 40;

let count = 0;
let hosted: Hosted;
let workingDirectory: string;

/** Every test has a repository of its own, so that nothing of it is kept yet. */
beforeEach(async () => {
  limitCache({});
  const files: Record<string, string> = { 'docs/index.md': '# Docs\n' };
  for (let n = 0; n < SERVICES; n += 1) {
    files[`services/s${n}/catalog-info.yaml`] = `kind: Component ${n}\n`;
    files[`services/s${n}/src/deep/main.ts`] = `main(${n});\n`;
  }
  count += 1;
  hosted = await azure.addRepository({
    organization: 'cache',
    project: 'p',
    repository: `r${count}`,
    files,
  });
  workingDirectory = temporaryFolder('cache');
  azure.reset();
});

afterAll(() => limitCache({}));

describe.each(['dev.azure.com', 'server'] as const)('a tree at %s', at => {
  it.each(['files', 'dir', 'archive'] as const)(
    'whose %s were read costs one small request the next time',
    async way => {
      const url = hosted.webUrl({ at, path: '/services' });
      const first = await read(url, way);
      azure.clearRequests();
      expect(await read(url, way)).toEqual(first);
      expect(azure.requests).toHaveLength(1);
      expect(azure.requests[0].bytesSent).toBeLessThan(2_000);
    },
  );

  it('is read again after a commit', async () => {
    const url = hosted.webUrl({ at, path: '/docs' });
    await read(url, 'files');
    await hosted.git.commit({ files: { 'docs/new.md': 'new' } });
    expect(await read(url, 'files')).toMatchObject({ 'new.md': 'new' });
  });

  it('is read again by another identity', async () => {
    const url = hosted.webUrl({ at });
    azure.addToken('another-token');
    await read(url, 'files');
    azure.clearRequests();
    await read(url, 'files', 'another-token');
    expect(azure.requests).toHaveLength(2);
  });

  it('is not shown to whom the repository is closed', async () => {
    const url = hosted.webUrl({ at });
    azure.addToken('soon-revoked');
    await read(url, 'files', 'soon-revoked');
    azure.revokeToken('soon-revoked');
    await expect(read(url, 'files', 'soon-revoked')).rejects.toMatchObject({
      name: 'AuthenticationError',
    });
  });
});

describe('trees that are read at the same time', () => {
  it('are downloaded once', async () => {
    const url = hosted.webUrl();
    slowly();
    const all = Array.from({ length: 10 }, () => read(url, 'files'));
    const [first, ...others] = await Promise.all(all);
    for (const other of others) expect(other).toEqual(first);
    expect(downloads()).toHaveLength(1);
  });

  it('do not end with the first that is aborted', async () => {
    const url = hosted.webUrl();
    slowly();
    const controller = new AbortController();
    const first = read(url, 'dir', DEFAULT_TOKEN, controller.signal);
    const second = read(url, 'files');
    await until(() => azure.requests.filter(isAnswered).length === 3);
    controller.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect(Object.keys(await second)).toHaveLength(2 * SERVICES + 1);
    expect(downloads()).toHaveLength(1);
  });

  it('end with the last that is aborted', async () => {
    const url = hosted.webUrl();
    azure.misbehave({ match: '/items', drip: { bytes: 100, everyMs: 50 } });
    const controllers = [new AbortController(), new AbortController()];
    const reads = controllers.map(({ signal }) =>
      read(url, 'files', DEFAULT_TOKEN, signal),
    );
    const outcomes = Promise.allSettled(reads);
    await until(() => downloads().length > 0);
    for (const controller of controllers) controller.abort();
    for (const { status } of await outcomes) expect(status).toBe('rejected');
    await until(() => downloads()[0].aborted);
    expect(readdirSync(workingDirectory)).toEqual([]);
  });
});

describe('what is kept', () => {
  it('is not what was damaged', async () => {
    const url = hosted.webUrl();
    azure.misbehave({
      match: '/items',
      times: 2,
      status: 200,
      headers: { 'content-type': 'application/zip' },
      body: 'PK no zip at all',
    });
    for (let n = 0; n < 2; n += 1) {
      await expect(read(url, 'files')).rejects.toThrow('archive is damaged');
    }
    expect(Object.keys(await read(url, 'files'))).not.toHaveLength(0);
  });

  it('is nothing where the configuration says so', async () => {
    limitCache(NOTHING);
    const tree = hosted.webUrl();
    const pattern = hosted.webUrl({ path: '/services/*/catalog-info.yaml' });
    for (const twice of [tree, pattern]) {
      const requests: number[] = [];
      for (let n = 0; n < 2; n += 1) {
        azure.clearRequests();
        await (twice === tree ? read(twice, 'files') : search(twice));
        requests.push(azure.requests.length);
      }
      expect(requests[1]).toBe(requests[0]);
    }
  });

  it('is no archive that is larger than the room for them', async () => {
    limitCache({ diskBytes: 1_000 });
    const url = hosted.webUrl();
    await read(url, 'files');
    await read(url, 'files');
    expect(downloads()).toHaveLength(2);
  });

  it('is as many archives as there are readers of small ones', async () => {
    const url = hosted.webUrl();
    const tokens = addTokens(150);
    for (const token of [...tokens, ...tokens]) await read(url, 'files', token);
    expect(downloads()).toHaveLength(tokens.length);
  });

  it('is what archives take, those that were read last', async () => {
    const url = hosted.webUrl();
    const archive = await readerOf(url, DEFAULT_TOKEN).readTree(url);
    const { length } = await buffer(await archive.archive());
    // A file takes whole blocks, which are smaller than this.
    const diskBytes = 3 * (length + 4_096);
    limitCache({ diskBytes: 0 });
    limitCache({ diskBytes });
    const [a, b, c, d] = addTokens(4);
    for (const token of [a, b, c]) await read(url, 'files', token);
    azure.clearRequests();
    for (const token of [a, c, d, a, c, d]) await read(url, 'files', token);
    expect(downloads()).toHaveLength(1);
    await read(url, 'files', b);
    expect(downloads()).toHaveLength(2);
  });

  it.each([-1, 1.5, 'much'])('cannot be %j bytes', diskBytes => {
    expect(() => limitCache({ diskBytes })).toThrow(
      /'?backend\.reading\.azureDevOps\.cache\.diskBytes'?/,
    );
  });
});

describe.each([
  '/**/catalog-info.yaml',
  '/services/*/catalog-info.yaml',
  '/services/s1/*.yaml',
])('a search for %s', pattern => {
  it('costs one small request the next time', async () => {
    const url = hosted.webUrl({ path: pattern });
    const first = await search(url);
    azure.clearRequests();
    expect(await search(url)).toEqual(first);
    expect(azure.requests).toHaveLength(1);
    expect(azure.requests[0].bytesSent).toBeLessThan(2_000);
  });

  it('reads only what a commit has changed', async () => {
    const url = hosted.webUrl({ path: pattern });
    await search(url);
    await hosted.git.commit({
      files: { 'services/s1/catalog-info.yaml': 'kind: Changed\n' },
    });
    azure.clearRequests();
    const found = await search(url);
    expect(Object.values(found)).toContain('kind: Changed\n');
    const contents = azure.requests.filter(({ url }) => url.includes('/blobs'));
    expect(contents).toHaveLength(1);
    const others = azure.requests.length - contents.length;
    expect(others).toBeLessThanOrEqual(3);
  });

  it('that ten ask at once is made once', async () => {
    const url = hosted.webUrl({ path: pattern });
    azure.misbehave({
      match: ({ url }) => /items|blobs/.test(url),
      delayMs: 300,
    });
    const all = Array.from({ length: 10 }, () => search(url));
    const [first, ...others] = await Promise.all(all);
    for (const other of others) expect(other).toEqual(first);
    const urls = azure.requests.filter(({ url }) => !url.includes('/commits'));
    const asked = urls.map(({ url, body = '' }) => `${url} ${body}`);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('shows nothing that another identity has read', async () => {
    const url = hosted.webUrl({ path: pattern });
    azure.addToken('another-token');
    await search(url);
    const { length } = azure.requests;
    azure.clearRequests();
    await search(url, 'another-token');
    expect(azure.requests).toHaveLength(length);
  });
});

const onUnix = process.platform === 'win32' ? it.skip : it;

onUnix(
  'no more archives are kept than a quarter of the open files',
  async () => {
    const tokens = addTokens(101);
    const [first, second] = tokens;
    const last = tokens[100];
    const readAs = async (order: string[]) => {
      azure.clearRequests();
      const script = path.join(__dirname, 'process', 'trees.mjs');
      const limited = 'ulimit -n 400 && exec "$0" "$@"';
      const args = [script, hosted.webUrl({ at: 'server' }), ...order];
      await run('sh', ['-c', limited, process.execPath, ...args]);
      return downloads().length;
    };
    // The first is read again before there is one too many, so that it is the second that goes.
    const all = [...tokens.slice(0, 100), first, last];
    expect(await readAs([...all, first, last])).toBe(101);
    expect(await readAs([...all, second])).toBe(102);
  },
);

/** Archives come so slowly that others can join. */
function slowly(): void {
  azure.misbehave({ match: '/items', drip: { bytes: 2_000, everyMs: 20 } });
}

/** Of an archive the head is enough. */
function isAnswered({ status, bytesSent }: RecordedRequest): boolean {
  return status === 200 && bytesSent > 0;
}

/** So many identities, whose reads are kept apart. */
function addTokens(number: number): string[] {
  count += 1;
  const tokens = Array.from(
    { length: number },
    (_, n) => `token-${count}-${n}`,
  );
  tokens.forEach(token => azure.addToken(token));
  return tokens;
}

function downloads() {
  return azure.requests.filter(({ url }) => url.includes('/items'));
}

/** Contents by path; what `dir` and `archive` give is only told apart. */
async function read(
  url: string,
  way: 'files' | 'dir' | 'archive',
  token = DEFAULT_TOKEN,
  signal?: AbortSignal,
): Promise<Record<string, string>> {
  const tree = await readerOf(url, token).readTree(url, { signal });
  if (way === 'dir') {
    const names = readdirSync(await tree.dir(), { recursive: true });
    return { names: names.sort().join() };
  }
  if (way === 'archive') {
    return { zip: (await buffer(await tree.archive())).toString('latin1') };
  }
  return contentsByName(await tree.files(), file => file.path);
}

async function search(
  url: string,
  token = DEFAULT_TOKEN,
): Promise<Record<string, string>> {
  const { files } = await readerOf(url, token).search(url);
  return contentsByName(files, file => file.url);
}

function readerOf(url: string, personalAccessToken: string): AzureUrlReader {
  const credentials = [{ personalAccessToken }];
  return reader({ of: url, credentials, workingDirectory });
}
