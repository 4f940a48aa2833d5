import { ConfigReader } from '@backstage/config';
import { AzureUrlReader as UpstreamAzureUrlReader } from '@backstage/backend-defaults/urlReader';
import {
  AzureIntegration,
  AzureUrlReader,
  DefaultAzureDevOpsCredentialsProvider,
} from 'backstage-azure-devops-native';
import fc from 'fast-check';
import { Minimatch } from 'minimatch';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DEFAULT_TOKEN, standIn, type Hosted } from './azure-devops';
import { limitCache, NOTHING } from './cacheLimits';
import { seed } from './parity/seed';
import { until } from './until';
import { upstreamFactory } from './upstreamFactory';

const azure = standIn();
const SERVICES = 120;

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
  workingDirectory = mkdtempSync(path.join(tmpdir(), 'search-'));
});

describe.each(['dev.azure.com', 'server'] as const)('a pattern at %s', at => {
  it.each([
    ['/**/catalog-info.yaml', 'many, in one zip', 3],
    ['/services/*/README.md', 'many below a folder', 4],
    ['/services/s1?/catalog-info.yaml', 'ten', 4],
    ['/services/s1{1,2}/*.yaml', 'two', 5],
    ['/nowhere/*.yaml', 'none', 3],
    ['/**', 'most of all', 4],
    ['/docs/**', 'most below a folder', 5],
  ])('%s finds %s', async (pattern, _what, requests) => {
    const url = hosted.webUrl({ path: pattern, at, version: 'GTv1' });
    const { files, etag } = await readerOf(url).search(url);
    expect(azure.requests.length).toBeLessThanOrEqual(requests);
    const matcher = new Minimatch(pattern.replace(/^\/+/, ''));
    const all = await hosted.git.tree(etag);
    const blobs = all.filter(entry => entry.type === 'blob');
    const expected = blobs.filter(entry => matcher.match(entry.path));
    const integration = integrationsOf(url).byUrl(url)!;
    expect(files.map(file => file.url)).toEqual(
      expected.map(entry =>
        integration.resolveUrl({ url: `/${entry.path}`, base: url }),
      ),
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

  it.each([
    ['400 for lists of folders', /itemsbatch/, 400],
    ['404 for lists of folders', /itemsbatch/, 404],
    ['400 for all lists', /scopePath|itemsbatch/, 400],
    ['404 for all lists', /scopePath|itemsbatch/, 404],
    ['404 for zips of blobs', /\/blobs\?/, 404],
    ['404 for blobs', /\/blobs/, 404],
  ])('is found on a server that answers %s', async (_what, match, status) => {
    azure.misbehave({ match: ({ url }) => match.test(url), status });
    const url = hosted.webUrl({ path: '/services/s1?/catalog-info.yaml', at });
    const { files } = await readerOf(url).search(url);
    const contents = await Promise.all(files.map(file => file.content()));
    expect(contents.map(String).sort()).toEqual(
      Array.from({ length: 10 }, (_, n) => `kind: Component ${n + 10}\n`),
    );
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
    azure.misbehave({ match: '/blobs/', status: 200, body: 'something else' });
    const url = hosted.webUrl({ path: '/services/s12/*.yaml', at });
    await expect(readerOf(url).search(url)).rejects.toThrow(
      /^Failed to read tree from .*what came is something else than [0-9a-f]{40}/,
    );
  });
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
      expect(ours.files.map(file => file.url)).toEqual(
        theirs.files.map(file => file.url),
      );
      const contents = (files: typeof ours.files) =>
        Promise.all(
          files.slice(0, 3).map(async file => String(await file.content())),
        );
      expect(await contents(ours.files)).toEqual(await contents(theirs.files));
    }),
    { numRuns: 100, seed },
  );
});

function integrationsOf(url: string) {
  const { host } = new URL(url);
  const credentials = [{ personalAccessToken: DEFAULT_TOKEN }];
  const config = new ConfigReader({
    integrations: { azure: [{ host, credentials }] },
  } as never);
  return AzureIntegration.factory({ config });
}

function readerOf(url: string): AzureUrlReader {
  const integrations = integrationsOf(url);
  return new AzureUrlReader(integrations.byUrl(url)!, {
    treeResponseFactory: upstreamFactory(workingDirectory),
    credentialsProvider: DefaultAzureDevOpsCredentialsProvider.fromIntegrations(
      { azure: integrations },
    ),
  });
}

function upstreamOf(url: string): UpstreamAzureUrlReader {
  const integrations = integrationsOf(url);
  return new UpstreamAzureUrlReader(integrations.byUrl(url) as never, {
    treeResponseFactory: upstreamFactory(workingDirectory),
    credentialsProvider: DefaultAzureDevOpsCredentialsProvider.fromIntegrations(
      { azure: integrations },
    ),
  });
}
