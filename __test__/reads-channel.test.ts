/** The diagnostics channel tells of reads that gave content, and of what was really asked for them. */
import type { AzureReadMessage } from 'backstage-azure-devops-native';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { standIn, type Hosted } from './azure-devops';
import { readerService } from './readerService';

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
  // A repository of its own, of which nothing is kept.
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
    });
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
])('a search for %s that failed is none', async (path, match) => {
  azure.misbehave({ match, status: 418 });
  await expect(reader.search(hosted.webUrl({ path }))).rejects.toThrow('418');
  expect(messages).toEqual([]);
});
