/** Files and folders with names that URLs, encoders and Backstage's own registry each treat in their way. */
import { ScmIntegrations } from '@backstage/integration';
import { AzureIntegration } from 'backstage-azure-devops-native';
import { createFetchTemplateAction } from '@backstage/plugin-scaffolder-backend';
import { DirectoryPreparer } from '@backstage/plugin-techdocs-node';
import { setTimeout as wait } from 'node:timers/promises';
import path from 'node:path';
import { standIn, type Hosted } from '../testing/azure-devops';
import { contentsOf } from '../testing/contentsOf';
import { readerService } from '../testing/readerService';
import { until } from '../testing/until';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

/** Names that the registry, which takes a path for that of a URL, resolves to what they are. */
const NAMES = [
  ...['a b', ' before', 'ümlaut', 'u\u0308 in two', 'ß', '日本語', '🚀 rocket'],
  ...['{x}', '[id]', '(group)', '<tag>', '"quoted"', "it's", 'back`tick'],
  ...['50%', '%', '%zz', '100%25', 'p%20q', 'a%2520b', '%C3', '%2Fslash'],
  ...['a+b', 'a&b=c', 'semi;colon', 'comma, too', '@at', '~tilde', '$x'],
  ...['!not', '*star', 'pipe|d', '^caret', 'ab:c', '= =', 'dot.', '-dash'],
];

/** Names whose part before the mark is all that it knows. */
const MARKED = ['#hash', 'a#b', 'what?', '?'];

const azure = standIn();
const { config, logger, reader, workingDirectory } = readerService();
const integrations = ScmIntegrations.fromConfig(config);
const documentation = DirectoryPreparer.fromConfig(config, { logger, reader });
const fetchTemplate = createFetchTemplateAction({ reader, integrations });

let hosted: Hosted;
let later: Hosted;

beforeAll(async () => {
  const files = [...NAMES, ...MARKED].flatMap(name => [
    [`${name}/catalog-info.yaml`, `kind: ${name}\n`],
    [`${name}/${name}.yaml`, `file: ${name}\n`],
    [`${name}/docs/${name}.md`, `# ${name}\n`],
    [`${name}/skeleton/${name}`, '${{ values.name }}\n'],
  ]);
  hosted = await azure.addRepository({
    organization: 'names',
    project: 'A Project',
    repository: 'r & more',
    files: Object.fromEntries(files),
  });
  later = await azure.addRepository({
    organization: 'names',
    project: 'later',
    repository: 'later',
    files: {
      'x y/first.md': 'first',
      'x y/second.md': 'second',
      'x y/deep er/third.md': 'third',
      'x y/c%20d.md': 'as it is written',
      'x y/c d.md': 'decoded',
      'as%20is/here.md': 'in a folder of that name',
      'as is/here.md': 'in another',
      'as is/there.md': 'there',
    },
  });
});

beforeEach(() => azure.reset());

describe.each(['dev.azure.com', 'server'] as const)('at %s', at => {
  it('every file that a pattern finds is read back by its URL', async () => {
    for (const pattern of ['/**/*.yaml', '/*/*.yaml', '/**']) {
      const url = hosted.webUrl({ path: pattern, at });
      const { files } = await reader.search(url);
      const all = NAMES.length + MARKED.length;
      expect(files).toHaveLength(pattern === '/**' ? 4 * all : 2 * all);
      expect(new Set(files.map(file => file.url)).size).toBe(files.length);
      for (const file of files) {
        const response = await reader.readUrl(file.url);
        expect(await response.buffer()).toEqual(await file.content());
      }
    }
  });

  it.each(NAMES)('what lies beside a file in %j is found', async name => {
    const base = hosted.webUrl({ path: `/${name}/catalog-info.yaml`, at });
    const resolved = integrations.resolveUrl({ url: './docs', base });
    const tree = await reader.readTree(resolved);
    const files = await tree.files();
    expect(files.map(file => file.path)).toEqual([`${name}.md`]);

    const self = integrations.resolveUrl({ url: 'catalog-info.yaml', base });
    const read = await reader.readUrl(self);
    expect(String(await read.buffer())).toBe(`kind: ${name}\n`);
  });

  it.each(NAMES.filter(name => !/[![\]*]/.test(name)))(
    'a pattern beside a file in %j finds what it matches',
    async name => {
      const base = hosted.webUrl({ path: `/${name}/catalog-info.yaml`, at });
      const pattern = integrations.resolveUrl({ url: './*.yaml', base });
      const found = await reader.search(pattern);
      const paths = found.files.map(file => pathOf(file.url)).sort();
      const expected = ['catalog-info', name].map(
        own => `/${name}/${own}.yaml`,
      );
      expect(paths).toEqual(expected.sort());
    },
  );

  it.each(NAMES)('documentation in %j is prepared from dir:.', async name => {
    const file = hosted.webUrl({ path: `/${name}/catalog-info.yaml`, at });
    const { preparedDir } = await documentation.prepare({
      apiVersion: 'backstage.io/v1alpha1',
      kind: 'Component',
      metadata: {
        name: 'c',
        annotations: {
          'backstage.io/techdocs-ref': 'dir:.',
          'backstage.io/managed-by-location': `url:${file}`,
        },
      },
    });
    expect(path.dirname(preparedDir)).toBe(workingDirectory);
    expect(Object.keys(await contentsOf(preparedDir)).sort()).toEqual(
      [
        `${name}.yaml`,
        'catalog-info.yaml',
        `docs/${name}.md`,
        `skeleton/${name}`,
      ].sort(),
    );
  });

  it.each(NAMES)('a skeleton in %j is fetched', async name => {
    const workspacePath = temporaryFolder('workspace');
    await fetchTemplate.handler({
      input: { url: './skeleton', values: { name: 'cart' } },
      logger,
      workspacePath,
      templateInfo: {
        entityRef: 'template:default/service',
        baseUrl: hosted.webUrl({ path: `/${name}/catalog-info.yaml`, at }),
      },
      task: { id: 'task' },
      output: () => {},
      checkpoint: async () => undefined as never,
      createTemporaryDirectory: async () => temporaryFolder('task'),
      getInitiatorCredentials: async () => undefined as never,
    });
    expect(await contentsOf(workspacePath)).toEqual({ [name]: 'cart\n' });
  });
});

describe('a path with escapes', () => {
  const read = async (own: string) => {
    const url = later.webUrl({ path: own, at: 'server' });
    const response = await reader.readUrl(url);
    return String(await response.buffer());
  };
  const asked = () =>
    azure.requests.map(({ url }) => {
      const { searchParams } = new URL(url, 'http://localhost');
      return searchParams.get('path') ?? searchParams.get('scopePath');
    });

  it('is asked for decoded where it is not there, and its folder is remembered', async () => {
    let tell = () => {};
    const after = new Promise<void>(resolve => (tell = resolve));
    azure.misbehave({ match: 'recursionLevel=none', after });
    const first = Array.from({ length: 10 }, () => read('/x%20y/first.md'));
    // The first read does not wait until it is known.
    expect(new Set(await Promise.all(first))).toEqual(new Set(['first']));
    await until(() => asked().includes('/x%20y'));
    tell();
    expect(asked().filter(own => own === '/x%20y')).toHaveLength(1);
    await until(() => azure.requests.every(({ status }) => status !== 0));
    await wait(50);
    azure.reset();
    expect(await read('/x%20y/second.md')).toBe('second');
    expect(await read('/x%20y/deep%20er/third.md')).toBe('third');
    expect(asked()).toEqual(['/x y/second.md', '/x y/deep er/third.md']);
    azure.clearRequests();
    const tree = await reader.readTree(
      later.webUrl({ path: '/x%20y/deep%20er', at: 'server' }),
    );
    expect(await tree.files()).toHaveLength(1);
    expect(asked()).toEqual([null, '/x y/deep er']);
    azure.clearRequests();
    const pattern = later.webUrl({ path: '/x%20y/f*.md', at: 'server' });
    expect((await reader.search(pattern)).files).toHaveLength(1);
    const folders = azure.requests.flatMap(({ body }) =>
      body?.includes('itemDescriptors')
        ? JSON.parse(body).itemDescriptors.map((item: any) => item.path)
        : [],
    );
    expect(folders).toEqual(['/x y']);
  });

  it('of a pattern is searched for at one commit, and costs one request again', async () => {
    const url = later.webUrl({ path: '/x%20y/deep%20er/t*.md', at: 'server' });
    for (const requests of [4, 1]) {
      azure.clearRequests();
      const { files } = await reader.search(url);
      expect(files.map(file => pathOf(file.url))).toEqual([
        '/x y/deep er/third.md',
      ]);
      const commits = asked().filter(own => own === null).length;
      expect(azure.requests.length).toBeLessThanOrEqual(requests);
      expect(
        azure.requests.filter(({ url: own }) => own.includes('/commits?')),
      ).toHaveLength(1);
      expect(commits).toBeGreaterThan(0);
    }
  });

  it('of a pattern is decoded in its folder before it is in its names', async () => {
    for (const [pattern, found] of [
      ['/x%20y/c%20*.md', ['/x y/c%20d.md']],
      ['/x%20y/%73econd*', ['/x y/second.md']],
      ['/x y/%7Bfirst,second%7D*.md', ['/x y/first.md', '/x y/second.md']],
      ['/no%20where/*.md', []],
    ] as const) {
      const { files } = await reader.search(
        later.webUrl({ path: pattern, at: 'server' }),
      );
      expect(files.map(file => pathOf(file.url))).toEqual(found);
    }
  });

  it('of a pattern is found in an archive, too', async () => {
    azure.misbehave({
      match: ({ url: own }) => /itemsbatch|recursionLevel=full&api/.test(own),
      status: 501,
    });
    const { files } = await reader.search(
      later.webUrl({ path: '/x%20y/c%20*.md', at: 'server' }),
    );
    expect(files.map(file => pathOf(file.url))).toEqual(['/x y/c%20d.md']);
  });

  it('names the file that is called so, wherever there is one', async () => {
    expect(await read('/x%20y/c%20d.md')).toBe('as it is written');
    expect(await read('/x%20y/c%20d.md')).toBe('as it is written');
    expect(await read('/as%20is/here.md')).toBe('in a folder of that name');
    expect(await read('/as%20is/there.md')).toBe('there');
    expect(await read('/as%20is/here.md')).toBe('in a folder of that name');
  });

  it('is found as it is written once there is such a folder', async () => {
    expect(await read('/x%20y/first.md')).toBe('first');
    await later.git.commit({ files: { 'x%20y/new.md': 'new' } });
    expect(await read('/x%20y/new.md')).toBe('new');
    await later.git.commit({ files: { 'x%20y/new.md': null } });
  });

  it('is told as it is written where it is not there at all', async () => {
    const url = later.webUrl({ path: '/no%20where/a%20b.md' });
    await expect(reader.readUrl(url)).rejects.toMatchObject({
      name: 'NotFoundError',
      message: expect.stringMatching(/path=%2Fno%2520where%2Fa%2520b\.md.*404/),
    });
    await expect(reader.readTree(url)).rejects.toMatchObject({
      name: 'NotFoundError',
      message: expect.stringMatching(/=%2Fno%2520where%2Fa%2520b\.md/),
    });
    expect((await reader.search(url)).files).toEqual([]);
  });

  it('is not decoded because a server is in trouble', async () => {
    azure.misbehave({ match: '%2520', status: 418 });
    await expect(read('/as%20is/there.md')).rejects.toThrow('418');
    expect(asked()).toEqual(['/as%20is/there.md']);
  });
});

describe('as the address bar shows it', () => {
  let named: Hosted;
  let first: string;

  beforeAll(async () => {
    named = await azure.addRepository({
      organization: 'pasted',
      project: 'Shop',
      repository: 'Shop',
      files: { 'a.md': 'then' },
    });
    first = (await named.git.head())!;
    await named.git.commit({ files: { 'a.md': 'now' } });
  });

  const contentOf = async (base: string, query = '') => {
    const pasted = readerAt(base);
    const response = await pasted.readUrl(`${base}?path=/a.md${query}`);
    return String(await response.buffer());
  };

  it.each([
    'https://pasted.visualstudio.com/_git/Shop',
    'https://pasted.visualstudio.com/DefaultCollection/_git/Shop',
    'https://pasted.visualstudio.com/DefaultCollection/Shop/_git/Shop',
    'https://dev.azure.com/pasted/_git/Shop',
    'server/tfs/pasted/_git/Shop',
    'server/pasted/_git/Shop',
    'server/tfs/pasted/Shop/_git/Shop',
  ])('%s is read', async pasted => {
    const base = pasted.replace(/^server/, azure.url);
    expect(await contentOf(base)).toBe('now');
    const tree = await readerAt(base).readTree(base);
    expect((await tree.files()).map(file => file.path)).toEqual(['a.md']);
    const { files } = await readerAt(base).search(`${base}?path=/*.md`);
    expect(files.map(file => file.url)).toEqual([`${base}?path=%2Fa.md`]);
  });

  it('a commit is that commit, whatever version stands beside it', async () => {
    const base = `https://dev.azure.com/pasted/Shop/_git/Shop/commit/${first}`;
    expect(await contentOf(base)).toBe('then');
    expect(await contentOf(base, '&version=GBmain')).toBe('then');
    const tree = await readerAt(base).readTree(base);
    expect(tree.etag).toBe(first);
    const { files } = await readerAt(base).search(`${base}?path=/*`);
    expect(String(await files[0].content())).toBe('then');
    expect(await contentOf(files[0].url.replace(/\?.*/, ''))).toBe('then');
  });

  it('what lies beside a file of a commit is resolved in that commit', async () => {
    for (const id of [first, first.slice(0, 7), 'main', '']) {
      const base = `https://dev.azure.com/pasted/Shop/_git/Shop/commit/${id}?path=/x/y.md`;
      for (const url of ['./a.md', '../a.md', '/a.md']) {
        const ours = new AzureIntegration({ host: 'dev.azure.com' });
        expect(ours.resolveUrl({ url, base })).toBe(
          integrations.resolveUrl({ url, base }),
        );
      }
    }
  });

  it('a commit that is none is an error, and not the default branch', async () => {
    for (const id of ['', first.slice(0, 12), `${first}0`, 'main']) {
      const base = `https://dev.azure.com/pasted/Shop/_git/Shop/commit/${id}`;
      await expect(contentOf(base)).rejects.toThrow('40 or 64 hex digits');
      await expect(readerAt(base).readTree(base)).rejects.toThrow(
        '40 or 64 hex digits',
      );
    }
    expect(azure.requests).toEqual([]);
  });
});

function readerAt(url: string) {
  return readerService([new URL(url).host]).reader;
}

function pathOf(url: string): string {
  return new URL(url).searchParams.get('path')!;
}
