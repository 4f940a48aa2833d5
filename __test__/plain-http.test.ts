/** Which hosts are asked over plain HTTP, where anyone on the way can read the credential. */
import { ConfigReader } from '@backstage/config';
import {
  AzureIntegration,
  AzureUrlReader,
  readAzureIntegrationConfig,
} from 'backstage-azure-devops-native';
import { standIn, type Hosted } from '../testing/azure-devops';
import type { Gate } from '../testing/azure-devops/Gate';
import { limitCache, NOTHING } from '../testing/limits';
import { mockLogger } from '../testing/mockLogger';
import { reader } from '../testing/reader';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const azure = standIn();
const logger = mockLogger();
const workingDirectory = temporaryFolder('plain-http');

let gate: Gate;
let organizations: Hosted[];

beforeAll(async () => {
  limitCache(NOTHING);
  organizations = await Promise.all(
    ['plain-1', 'plain-2', 'plain-3'].map(organization =>
      azure.addRepository({
        organization,
        project: 'p',
        repository: 'r',
        files: { 'a.md': 'a', 'b.md': 'b' },
      }),
    ),
  );
});

beforeEach(async () => {
  azure.reset();
  jest.resetAllMocks();
  // A host of its own: a warning is that of the process.
  gate = await azure.openGate();
});

afterEach(() => gate.close());
afterAll(() => limitCache({}));

function readerOf(plainHttp?: string): AzureUrlReader {
  const host = { plainHttp };
  return reader({ of: gate.host, host, logger, workingDirectory });
}

/** Each way to read, of every organization. */
function readsOf(reader: AzureUrlReader): Array<() => Promise<unknown>> {
  return organizations.flatMap(hosted => {
    const url = hosted.webUrl({ path: '/a.md', at: gate });
    return [
      () => reader.readUrl(url),
      () => reader.readTree(hosted.webUrl({ at: gate })),
      () => reader.search(url),
      () => reader.search(hosted.webUrl({ path: '/*.md', at: gate })),
      () => reader.read(url),
    ];
  });
}

const warnings = () =>
  logger.warn.mock.calls.filter(([message]) =>
    String(message).includes('plain HTTP'),
  );

describe('a server', () => {
  it('is read, with one warning for the host that says what to set', async () => {
    for (const read of readsOf(readerOf())) await read();
    for (const read of readsOf(readerOf())) await read();
    expect(warnings()).toEqual([
      [
        expect.stringMatching(
          /^127\.\d+\.\d+\.\d+:\d+ is read over plain HTTP: .* credential .* https .*plainHttp .* 'allow' .* 'refuse'$/,
        ),
        { event: 'plain http', host: gate.host },
      ],
    ]);
  });

  it('is read without a warning where that is allowed', async () => {
    for (const read of readsOf(readerOf('allow'))) await read();
    expect(warnings()).toEqual([]);
    expect(azure.requests.length).toBeGreaterThan(0);
  });

  it('is not asked where that is refused', async () => {
    for (const read of readsOf(readerOf('refuse'))) {
      await expect(read()).rejects.toMatchObject({
        name: 'InputError',
        message: expect.stringMatching(/plainHttp .* write https/),
      });
    }
    expect(azure.requests).toEqual([]);
    expect(gate.passed).toEqual([]);
    expect(warnings()).toEqual([]);
  });
});

describe('the configuration', () => {
  const read = (host: string, plainHttp: unknown) =>
    readAzureIntegrationConfig(new ConfigReader({ host, plainHttp } as never));

  it('keeps what it says', () => {
    expect(read('server', 'allow')).toMatchObject({ plainHttp: 'allow' });
    expect(read('server', 'refuse')).toMatchObject({ plainHttp: 'refuse' });
    expect(read('dev.azure.com', 'refuse').plainHttp).toBe('refuse');
    expect(read('server', undefined)).not.toHaveProperty('plainHttp');
  });

  it('is refused where it says something else', () => {
    expect(() => read('server', 'never')).toThrow(
      "Invalid Azure integration config for server: 'plainHttp' must be 'allow' or 'refuse', but is 'never'",
    );
    expect(() => read('server', true)).toThrow(/plainHttp.*string/);
    for (const host of ['dev.azure.com', 'o.visualstudio.com']) {
      expect(() => read(host, 'allow')).toThrow(
        `Invalid Azure integration config for ${host}: 'plainHttp' cannot be 'allow', because a host of Azure DevOps Services is never asked over plain HTTP`,
      );
    }
  });
});

it.each([
  'http://dev.azure.com:80',
  'http://dev.azure.com:443',
  'http://dev.azure.com.',
  'http://DEV.AZURE.COM.:8080',
  'http://ｄev.azure.com',
  'http://dev%2Eazure.com',
  'http://user:password@dev.azure.com',
  'ht\ntp://dev.azure.com',
  '\t http:\\\\dev.azure.com',
  'http:dev.azure.com',
  'http://ssh.dev.azure.com',
  'http://o.visualstudio.com.',
  'http://O.VisualStudio.com',
])('%j is not asked with the headers of any provider', async origin => {
  const headers = { Authorization: 'Bearer of-a-provider' };
  const reader = new AzureUrlReader(
    new AzureIntegration({ host: 'dev.azure.com' }),
    {
      treeResponseFactory: undefined as never,
      credentialsProvider: {
        getCredentials: async () => ({ headers }) as never,
      },
      workingDirectory,
    },
  );
  const url = `${origin}/o/p/_git/r?path=/a.md`;
  for (const read of [
    () => reader.readUrl(url),
    () => reader.readTree(url),
    () => reader.search(url),
    () => reader.search(url.replace('a.md', '*.md')),
    () => reader.read(url),
  ]) {
    await expect(read()).rejects.toThrow(/write https in place of http/);
  }
  expect(azure.requests).toEqual([]);
  expect(azure.proxyRequests).toEqual([]);
});
