/** The diagnostics channel tells how each read ended, and what was really asked for it. */
import type { AzureReadMessage } from 'backstage-azure-devops-native';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { standIn, type Hosted } from '../testing/azure-devops';
import { readerService } from '../testing/readerService';

const CHANNEL = 'backstage-azure-devops-native:read';

const azure = standIn();
const { reader } = readerService();
const messages: AzureReadMessage[] = [];
const hear = (message: unknown) => {
  messages.push(message as AzureReadMessage);
};

let repositories = 0;
let hosted: Hosted;

beforeAll(() => subscribe(CHANNEL, hear));
afterAll(() => unsubscribe(CHANNEL, hear));

beforeEach(async () => {
  // A repository of its own, so that nothing of it is kept.
  repositories += 1;
  const services = Array.from({ length: 30 }, (_, n) => [
    `services/s${n}/catalog-info.yaml`,
    `kind: ${n}\n`,
  ]);
  hosted = await azure.addRepository({
    organization: 'channel',
    project: 'p',
    repository: `r${repositories}`,
    files: Object.fromEntries([...services, ['README.md', '# all\n']]),
  });
  azure.reset();
  messages.length = 0;
});

it.each<[string, (path: (own?: string) => string) => Promise<unknown>]>([
  ['a file', url => reader.readUrl(url('/README.md'))],
  ['a file by its decoded name', url => reader.readUrl(url('/README%2Emd'))],
  ['a search for a file', url => reader.search(url('/README.md'))],
  ['a tree', async url => (await reader.readTree(url())).files()],
  ['a folder', async url => (await reader.readTree(url('/services'))).files()],
  ['a pattern level by level', url => reader.search(url('/services/s?/*'))],
  ['a pattern in all folders', url => reader.search(url('/**/README.md'))],
  ['a pattern that most files match', url => reader.search(url('/**'))],
  ['a pattern that no file matches', url => reader.search(url('/x/*.yaml'))],
  ['a pattern with escapes', url => reader.search(url('/%73ervices/s?/*'))],
  ['another', url => reader.search(url('/%73ervices/**/catalog-info.yaml'))],
])('%s, read twice', async (_what, read) => {
  const urls: string[] = [];
  const url = (path?: string) => {
    urls.push(hosted.webUrl({ path }));
    return urls[urls.length - 1];
  };
  for (const _time of [1, 2]) {
    azure.clearRequests();
    messages.length = 0;
    await read(url);
    const asked = azure.requests.map(
      ({ host, url: own, status }) => `${status} https://${host}${own}`,
    );
    expect(messages).toHaveLength(1);
    const [message] = messages;
    expect(asked).toContain(`${message.status} ${message.request}`);
    expect(message).toMatchObject({
      url: urls[0],
      scope: 'dev.azure.com, organization channel',
      credential: 'a personal access token',
      place: 'integrations.azure[0].credentials[0]',
    });
    expect(message.error).toBeUndefined();
    expect(message.durationMs).toBeGreaterThan(0);
  }
});

it('a URL is told without its password', async () => {
  const url = hosted.webUrl({ path: '/README.md' });
  await reader.readUrl(url.replace('://', '://user:pa55word@'));
  expect(messages).toHaveLength(1);
  expect(JSON.stringify(messages)).not.toContain('pa55word');
});

it.each([
  ['/README.md', 'items?'],
  ['/services/s?/*', 'blobs'],
  ['/**', 'download=true'],
])(
  'a search for %s that failed is told with its error',
  async (path, match) => {
    azure.misbehave({ match, status: 418 });
    const url = hosted.webUrl({ path });
    await expect(reader.search(url)).rejects.toThrow('418');
    const { url: own, host } = azure.requests.at(-1)!;
    expect(messages).toEqual([
      {
        url,
        request: `https://${host}${own}`,
        scope: 'dev.azure.com, organization channel',
        credential: 'a personal access token',
        place: 'integrations.azure[0].credentials[0]',
        status: 418,
        durationMs: expect.any(Number),
        error: { name: 'Error', message: expect.stringContaining('418') },
      },
    ]);
  },
);

it('a search for a file that is not there is told with what Azure DevOps said', async () => {
  const url = hosted.webUrl({ path: '/missing.yaml' });
  expect((await reader.search(url)).files).toEqual([]);
  expect(messages).toMatchObject([
    {
      url,
      status: 404,
      error: {
        name: 'NotFoundError',
        message: expect.stringContaining('TF401174'),
      },
    },
  ]);
});

it('what has not changed is told as that', async () => {
  const file = hosted.webUrl({ path: '/README.md' });
  const { etag } = await reader.readUrl(file);
  await expect(reader.readUrl(file, { etag })).rejects.toThrow('not been');
  const tree = hosted.webUrl({});
  const { etag: commit } = await reader.readTree(tree);
  await expect(reader.readTree(tree, { etag: commit })).rejects.toThrow();
  const error = expect.objectContaining({ name: 'NotModifiedError' });
  expect(messages.filter(message => message.error)).toEqual([
    expect.objectContaining({ url: file, status: 304, error }),
    expect.objectContaining({ url: tree, status: 200, error }),
  ]);
});

it('what is not asked at all is told with its error alone', async () => {
  const url = 'http://dev.azure.com/channel/p/_git/r?path=/README.md';
  await expect(reader.readUrl(url)).rejects.toThrow();
  expect(messages).toMatchObject([
    { url, request: '', status: 0, error: { name: 'InputError' } },
  ]);
});
