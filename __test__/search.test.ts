import {
  AzureIntegration,
  AzureUrlReader,
} from 'backstage-azure-devops-native';
import fc from 'fast-check';
import { Minimatch } from 'minimatch';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import {
  standIn,
  type Hosted,
  type Misbehaviour,
  type RecordedRequest,
} from '../testing/azure-devops';
import { limitCache, NOTHING } from '../testing/limits';
import { seed } from './parity/seed';
import { until } from '../testing/until';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { reader, upstreamReader } from '../testing/reader';

const azure = standIn();
const SERVICES = 120;

/** What a server may answer that does not know a call. */
const page = {
  headers: { 'content-type': 'text/html' },
  body: '<html>What you look for is not here</html>',
};
const json = (message: string) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message }),
});

let hosted: Hosted;
let workingDirectory: string;

beforeAll(async () => {
  limitCache(NOTHING);
  const files: Record<string, string> = {
    'catalog-info.yaml': 'kind: Root\n',
    '.github/catalog-info.yaml': 'kind: Hidden\n',
    'docs/[id]/(group)/page.md': 'odd names',
    'docs/a b/ü.md': 'unicode',
    'docs/!not/#x.md': 'marks',
  };
  for (let n = 0; n < SERVICES; n += 1) {
    files[`services/s${n}/catalog-info.yaml`] = `kind: Component ${n}\n`;
    files[`services/s${n}/src/main.ts`] = `main(${n});\n`;
    files[`services/s${n}/src/deep/catalog-info.yml`] = `deep: ${n}\n`;
    files[`services/s${n}/README.md`] = `# ${n}\n`.repeat(50);
  }
  hosted = await azure.addRepository({
    organization: 'search',
    project: 'p',
    repository: 'r',
    files,
  });
  await hosted.git.tag('v1');
});

beforeEach(() => {
  azure.reset();
  workingDirectory = temporaryFolder('search');
});

describe.each(['dev.azure.com', 'server'] as const)('a pattern at %s', at => {
  it.each([
    ['/**/catalog-info.yaml', 'many, in one zip', 3],
    ['/services/*/README.md', 'many below a folder', 4],
    ['/services/s1?/catalog-info.yaml', 'ten', 4],
    ['/services/s1{1,2}/*.yaml', 'two', 5],
    ['/nowhere/*.yaml', 'none', 3],
    ['/**', 'most of all', 3],
    ['/docs/**', 'most below a folder', 5],
  ])('%s finds %s', async (pattern, _what, requests) => {
    const url = hosted.webUrl({ path: pattern, at, version: 'GTv1' });
    const { files, etag } = await readerOf(url).search(url);
    expect(azure.requests.length).toBeLessThanOrEqual(requests);
    const matcher = new Minimatch(pattern.replace(/^\/+/, ''));
    const all = await hosted.git.tree(etag);
    const blobs = all.filter(entry => entry.type === 'blob');
    const expected = blobs.filter(entry => matcher.match(entry.path));
    expect(files.map(file => file.url)).toEqual(
      expected.map(entry => atPath(url, entry.path)),
    );
    for (const [index, file] of files.entries()) {
      const content = await hosted.git.blob(expected[index].id);
      expect((await file.content()).equals(content)).toBe(true);
    }
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('looks only into the folders that may match', async () => {
    const url = hosted.webUrl({ path: '/services/s1?/catalog-info.yaml', at });
    await readerOf(url).search(url);
    const folders = azure.requests.flatMap(({ url: asked, body }) =>
      asked.includes('/itemsbatch')
        ? JSON.parse(body!).itemDescriptors.map((item: any) => item.path)
        : [],
    );
    expect(folders).toHaveLength(1 + SERVICES);
    expect(azure.requests.map(request => request.url).join()).not.toContain(
      'recursionLevel=full',
    );
  });

  it('costs one small request while nothing has changed', async () => {
    const url = hosted.webUrl({ path: '/**/catalog-info.yaml', at });
    const { etag } = await readerOf(url).search(url);
    azure.clearRequests();
    await expect(readerOf(url).search(url, { etag })).rejects.toMatchObject({
      name: 'NotModifiedError',
    });
    expect(azure.requests).toHaveLength(1);
    expect(azure.requests[0].bytesSent).toBeLessThan(2_000);
  });

  const unknown: Array<[string, Misbehaviour]> = [
    ...[400, 404, 405, 406, 501].map((status): [string, Misbehaviour] => [
      `${status}`,
      { status },
    ]),
    ['404 in words', { status: 404, ...json('TF400813: Not available.') }],
    ['a page', { status: 200, ...page }],
    ['something else', { status: 200, ...json('Hello') }],
  ];
  const refused = [403, 411, 413, 415].map((status): [string, Misbehaviour] => [
    `${status}`,
    { status },
  ]);

  it.each([
    ...[...unknown, ...refused].map(
      ([what, answer]) =>
        [what, 'lists of folders', /itemsbatch/, answer] as const,
    ),
    ...unknown.map(
      ([what, answer]) =>
        [what, 'any list', /scopePath|itemsbatch/, answer] as const,
    ),
    ...[...unknown, ...refused].map(
      ([what, answer]) => [what, 'zips of blobs', /\/blobs\?/, answer] as const,
    ),
    ...unknown.map(
      ([what, answer]) => [what, 'any blob', /\/blobs/, answer] as const,
    ),
  ])(
    'is found on a server that answers %s for %s',
    async (_what, _of, match, answer) => {
      azure.misbehave({ match: ({ url }) => match.test(url), ...answer });
      const path = '/services/s1?/catalog-info.yaml';
      const url = hosted.webUrl({ path, at });
      const { files } = await readerOf(url).search(url);
      const contents = await Promise.all(files.map(file => file.content()));
      expect(contents.map(String).sort()).toEqual(
        Array.from({ length: 10 }, (_, n) => `kind: Component ${n + 10}\n`),
      );
    },
  );

  it('says what upstream says where the repository is not there', async () => {
    const there = hosted.webUrl({ path: '/**/catalog-info.yaml', at });
    const url = there.replace('/_git/r', '/_git/none');
    const [ours, theirs] = await Promise.all(
      [readerOf(url), upstreamOf(url)].map(reader =>
        reader.search(url).catch((error: Error) => error),
      ),
    );
    expect(ours).toMatchObject({ name: 'NotFoundError' });
    // On other hosts upstream takes a pattern for the name of a file.
    if (at === 'server') return;
    expect((ours as Error).message).toContain((theirs as Error).message);
  });

  it.each(['/commits', '/itemsbatch', '/blobs'])(
    'ends with its signal while %s is asked for',
    async part => {
      azure.misbehave({ match: part, delayMs: 5_000 });
      const url = hosted.webUrl({ path: '/services/s1?/*.yaml', at });
      const controller = new AbortController();
      const reading = readerOf(url).search(url, { signal: controller.signal });
      const asked = () => azure.requests.some(it => it.url.includes(part));
      const aborting = until(asked).then(() => controller.abort());
      await expect(reading).rejects.toThrow(
        expect.objectContaining({ name: 'AbortError' }),
      );
      await aborting;
      expect(azure.requests.at(-1)!.url).toContain(part);
    },
  );

  it('is not believed when a content is not what its id says', async () => {
    const match = ({ url: asked }: RecordedRequest) =>
      /\/blobs\/|[?&]path=/.test(asked);
    azure.misbehave({ match, status: 200, body: 'something else' });
    const url = hosted.webUrl({ path: '/services/s12/*.yaml', at });
    await expect(readerOf(url).search(url)).rejects.toThrow(
      /^Failed to read tree from .*the received content does not match object id [0-9a-f]{40}/,
    );
  });
});

it.each([
  ['one by one', 2, 1_500_000],
  ['in a zip', 6, 1_500_000],
])('reads large files %s', async (_how, count, size) => {
  const contents = Array.from({ length: count }, () => randomBytes(size));
  const large = await azure.addRepository({
    organization: 'search',
    project: 'p',
    repository: `large-${count}`,
    files: {
      ...Object.fromEntries(contents.map((one, n) => [`a/${n}.bin`, one])),
      ...Object.fromEntries(contents.map((_, n) => [`b/${n}.txt`, `${n}`])),
    },
  });
  const url = large.webUrl({ path: '/a/*' });
  const { files } = await readerOf(url).search(url);
  const read = await Promise.all(files.map(file => file.content()));
  expect(read.map((one, n) => one.equals(contents[n]))).toEqual(
    contents.map(() => true),
  );
  expect(readdirSync(workingDirectory)).toEqual([]);
});

it('finds what upstream finds, for any pattern', async () => {
  const segment = fc.constantFrom(
    ...['*', '**', 's1*', 's?', 's[1-3]', '{s1,s2}', 'services', 'src', 'docs'],
    ...['*.yaml', '*.{yaml,yml}', '!(README).md', '@(a b|x)', '.*', '.github'],
    ...['catalog-info.y*', '\\\\[id]', '[[]id]', '(group)', '*.md', '#*', '..'],
  );
  const patterns = fc
    .array(segment, { minLength: 1, maxLength: 4 })
    .map(segments => `/${segments.join('/')}`)
    .filter(pattern => /[*?]/.test(pattern));
  await fc.assert(
    fc.asyncProperty(patterns, async pattern => {
      const url = hosted.webUrl({ path: pattern });
      const [ours, theirs] = [
        await readerOf(url).search(url),
        await upstreamOf(url).search(url),
      ];
      expect(ours.etag).toBe(theirs.etag);
      // Upstream encodes paths twice: its URL of the file that ours names.
      const integration = new AzureIntegration({ host: new URL(url).host });
      const paths = ours.files.map(file =>
        new URL(file.url).searchParams.get('path'),
      );
      expect(
        paths.map(own => integration.resolveUrl({ url: own!, base: url })),
      ).toEqual(theirs.files.map(file => file.url));
      const contents = (files: typeof ours.files) =>
        Promise.all(
          files.slice(0, 3).map(async file => String(await file.content())),
        );
      expect(await contents(ours.files)).toEqual(await contents(theirs.files));
    }),
    { numRuns: 100, seed },
  );
});

/** The URL of another path in the same repository. */
function atPath(url: string, own: string): string {
  const found = new URL(url);
  found.searchParams.set('path', `/${own}`);
  return String(found);
}

function readerOf(url: string): AzureUrlReader {
  return reader({ of: url, workingDirectory });
}

function upstreamOf(url: string) {
  return upstreamReader({ of: url, workingDirectory });
}
