import { AzureUrlReader } from 'backstage-azure-devops-native';
import {
  standIn,
  type Hosted,
  type RecordedRequest,
} from '../testing/azure-devops';
import { limitCache, NOTHING } from '../testing/limits';
import { reader, upstreamReader } from '../testing/reader';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const azure = standIn();

/** More services than are asked for one by one. */
const SERVICES = 1_100;

/** Of few of them. */
const EVERYWHERE = '/**/few.yaml';
const OF_SERVICES = '/services/*/few.yaml';

let count = 0;
let large: Hosted;
let hosted: Hosted;
let workingDirectory: string;

beforeAll(async () => {
  large = await host(services(SERVICES));
});

beforeEach(() => {
  limitCache({});
  workingDirectory = temporaryFolder('search-large');
  hosted = large;
  azure.reset();
});

afterAll(() => limitCache({}));

describe.each([EVERYWHERE, OF_SERVICES])('a search for %s', pattern => {
  it('costs one request and no list while nothing has changed', async () => {
    await search(pattern);
    azure.clearRequests();
    await search(pattern);
    expect(azure.requests).toHaveLength(1);
    expect(bytes()).toBeLessThan(2_000);
  });

  it.each([
    ['a file deep in it', { 'services/s7/src/deep/er/main.ts': 'changed' }, 7],
    ['a match', { 'services/s7/few.yaml': 'kind: Changed\n' }, 5],
    ['a new folder', { 'services/s7/new/few.yaml': 'kind: N\n' }, 6],
    [
      'a folder that is gone',
      { 'services/s7/few.yaml': null, 'services/s7/README.md': null },
      4,
    ],
  ])('asks after a commit for %s alone', async (_what, files, requests) => {
    await search(pattern);
    await hosted.git.commit({ files });
    azure.clearRequests();
    const found = await search(pattern);
    expect(azure.requests.filter(listsEverything)).toEqual([]);
    expect(azure.requests.length).toBeLessThanOrEqual(requests);
    expect(found).toEqual(await upstreamSearch(pattern));
  });

  it('finds what has moved with all that is in it', async () => {
    await search(pattern);
    const tree = await hosted.git.tree((await hosted.git.head())!);
    const match = tree.find(({ path }) => /s\d+7\/few.yaml$/.test(path))!;
    const folder = match.path.replace('/few.yaml', '');
    const moved = tree.find(({ path }) => path === folder)!;
    const files = {
      [folder]: null,
      'services/moved': { id: moved.id, mode: '040000' as const },
      'services/copied': { id: moved.id, mode: '040000' as const },
    };
    await hosted.git.commit({ files });
    azure.clearRequests();
    const found = await search(pattern);
    expect(azure.requests.filter(listsEverything)).toEqual([]);
    expect(found).toEqual(await upstreamSearch(pattern));
  });

  it('lists all of it after a commit that has changed most of it', async () => {
    await search(pattern);
    const files: Record<string, string> = {};
    for (let n = 0; n < SERVICES; n += 2)
      files[`services/s${n}/${count}.md`] = pattern;
    await hosted.git.commit({ files });
    azure.clearRequests();
    const found = await search(pattern);
    expect(azure.requests.filter(listsEverything)).toHaveLength(1);
    expect(found).toEqual(await upstreamSearch(pattern));
  });
});

it('takes two requests for the first search of everything', async () => {
  hosted = await host(services(700));
  azure.clearRequests();
  const { etag, contents } = await found(EVERYWHERE);
  expect(azure.requests.map(({ url }) => url)).toHaveLength(2);
  expect(etag).toBe(await hosted.git.head());
  expect(contents).toHaveLength(7);
});

it.each([1, 2, 3])(
  'reads one commit, whatever is pushed before request %d is answered',
  async before => {
    hosted = await host(services(120));
    const known = [await hosted.git.head()];
    azure.clearRequests();
    let asked = 0;
    let pushed: Promise<unknown> | undefined;
    azure.misbehave({
      match: () => {
        asked += 1;
        if (asked === before) pushed = push();
        return asked === before;
      },
      delayMs: 1_000,
    });
    const push = async () => {
      const contentOf = (n: number) => [
        `services/s${n}/few.yaml`,
        `kind: Pushed ${n}\n`,
      ];
      const files = Object.fromEntries(
        Array.from({ length: 10 }, (_, n) => contentOf(n)),
      );
      files['services/new/few.yaml'] = 'kind: New\n';
      await hosted.git.commit({ files });
      known.push(await hosted.git.head());
    };
    const { etag, contents } = await found(EVERYWHERE);
    await pushed;
    expect(known).toContain(etag);
    const tree = await hosted.git.tree(etag);
    const own = tree.filter(({ path }) => path.endsWith('few.yaml'));
    const expected = own.map(async ({ id }) =>
      String(await hosted.git.blob(id)),
    );
    expect(contents).toEqual(await Promise.all(expected));
  },
);

it.each(['/*/*/*/*/*/*/F', '/services/s1/*/*/*/*/*/F'])(
  'follows no glob of many levels folder by folder: %s',
  async pattern => {
    limitCache(NOTHING);
    const deep = 'services/s1/a/b/c/d/F';
    hosted = await host({ ...services(30), [deep]: 'deep', [`${deep}2`]: '' });
    const expected = await upstreamSearch(pattern);
    azure.clearRequests();
    expect(await search(pattern)).toEqual(expected);
    expect(azure.requests.length).toBeLessThanOrEqual(3);
  },
);

it('asks for several zips of contents at once', async () => {
  const all = await hosted.git.tree((await hosted.git.head())!);
  await hosted.git.keepBlobs(
    all.filter(({ type }) => type === 'blob').map(({ id }) => id),
  );
  const { contents } = await found('/**/main.ts');
  expect(contents).toHaveLength(
    all.filter(({ path }) => path.endsWith('/main.ts')).length,
  );
  const zips = azure.requests.filter(({ url }) => url.includes('/blobs'));
  expect(Math.max(...zips.map(({ inProgress }) => inProgress))).toBe(2);
});

function services(number: number): Record<string, string> {
  const files: Record<string, string> = { 'docs/index.md': '# Docs\n' };
  for (let n = 0; n < number; n += 1) {
    if (n % 100 === 7)
      files[`services/s${n}/few.yaml`] = `kind: Component ${n}\n`;
    files[`services/s${n}/README.md`] = `# ${n}\n`;
    files[`services/s${n}/src/deep/er/main.ts`] = `main(${n});\n`;
  }
  return files;
}

/** A repository of its own, so that nothing of it is kept yet. */
async function host(files: Record<string, string>): Promise<Hosted> {
  count += 1;
  return azure.addRepository({
    organization: 'search-large',
    project: 'p',
    repository: `r${count}`,
    files,
  });
}

function listsEverything({ url }: RecordedRequest): boolean {
  return /recursionLevel=full/i.test(url);
}

function bytes(): number {
  return azure.requests.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
}

async function found(
  pattern: string,
): Promise<{ etag: string; contents: string[] }> {
  const url = hosted.webUrl({ path: pattern });
  const response = await readerOf(url).search(url);
  const contents = response.files.map(async file =>
    String(await file.content()),
  );
  return { etag: response.etag, contents: await Promise.all(contents) };
}

/** What is found, by URL. */
async function search(pattern: string): Promise<Record<string, string>> {
  const url = hosted.webUrl({ path: pattern });
  return byPath(await readerOf(url).search(url));
}

async function upstreamSearch(
  pattern: string,
): Promise<Record<string, string>> {
  const url = hosted.webUrl({ path: pattern });
  const upstream = upstreamReader({ of: url, workingDirectory });
  return byPath(await upstream.search(url));
}

type Found = Awaited<ReturnType<AzureUrlReader['search']>>;

async function byPath({ etag, files }: Found): Promise<Record<string, string>> {
  const entries = files.map(async file => [
    new URL(file.url).searchParams.get('path')!,
    String(await file.content()),
  ]);
  return { etag, ...Object.fromEntries(await Promise.all(entries)) };
}

function readerOf(url: string): AzureUrlReader {
  return reader({ of: url, workingDirectory });
}
