/** What a backend's log says of this package in its first minute, by Backstage's own logger. */
import { standIn } from '../testing/azure-devops';
import { logOf, type Line } from './start/logOf';

const azure = standIn();
const { version } = require('../package.json');
const token = 's3cret-of-the-start';

let url: string;

beforeAll(async () => {
  azure.addToken(token);
  const repository = await azure.addRepository({
    organization: 'start',
    project: 'p',
    repository: 'r',
    files: { 'a.yaml': 'a: 1\n' },
  });
  url = repository.webUrl({ path: '/a.yaml', at: 'server' });
});

function configOf(backend: object = {}) {
  const credentials = [
    { personalAccessToken: token },
    { personalAccessToken: 'another', organizations: ['one', 'two'] },
  ];
  return {
    backend,
    integrations: { azure: [{ host: azure.host, credentials }] },
  };
}

describe('a backend with this package', () => {
  let lines: Line[];

  beforeAll(async () => {
    lines = await logOf(configOf(), url, {
      HTTPS_PROXY: 'http://user:pa55word@proxy.example.com:3128',
      NO_PROXY: '127.0.0.1',
    });
  });

  it('says once what is active: version, hosts with kinds of credential, proxy, cache', () => {
    const started = lines.filter(({ event }) => event === 'started');
    expect(started).toEqual([
      expect.objectContaining({
        level: 'info',
        plugin: 'azure-devops-native',
        message: `backstage-azure-devops-native ${version} reads Azure DevOps. ${azure.host}: personal access token for any organization, personal access token for one, two; dev.azure.com: default credential chain. Proxy: http://proxy.example.com:3128 (HTTPS_PROXY). Cache: 64 MiB of memory and 512 MiB of disk, not shared with other replicas`,
      }),
    ]);
  });

  it('says in lines of its own, and not as another plugin, what reads', () => {
    const chosen = lines.filter(({ event }) => event === 'credential chosen');
    expect(chosen).toEqual([
      expect.objectContaining({
        level: 'info',
        plugin: 'azure-devops-native',
        place: 'integrations.azure[0].credentials[0]',
      }),
    ]);
  });

  it('shows no secret', () => {
    const said = JSON.stringify(lines);
    for (const secret of [token, 'another', 'pa55word']) {
      expect(said).not.toContain(secret);
    }
  });

  it('tells no single request', () => {
    expect(lines.filter(({ event }) => event === 'request')).toEqual([]);
  });
});

const rule = (plugin: unknown, level: string) => ({
  logger: { overrides: [{ matchers: { plugin }, level }] },
});

it.each<[string, object, Record<string, string>]>([
  ['LOG_LEVEL', {}, { LOG_LEVEL: 'debug' }],
  ['backend.logger.level', { logger: { level: 'debug' } }, {}],
  ['an override for this package', rule('azure-devops-native', 'debug'), {}],
  ['an override by pattern', rule(['x', '/^azure-/'], 'debug'), {}],
])('each request is told where %s asks for it', async (_what, backend, env) => {
  const lines = await logOf(configOf(backend), url, env);
  expect(lines.filter(({ event }) => event === 'request')).toEqual([
    expect.objectContaining({
      level: 'debug',
      plugin: 'azure-devops-native',
      host: azure.host,
      organization: 'start',
      operation: 'file',
      place: 'integrations.azure[0].credentials[0]',
      status: '200',
      seconds: expect.any(Number),
      waited: expect.any(Number),
      message: expect.stringMatching(
        /^Asked \S+, organization start, with a personal access token .* \(file\): 200 after \d+ ms, having waited \d+ ms$/,
      ),
    }),
  ]);
});

it.each<[string, object, Record<string, string>]>([
  ['LOG_LEVEL', { logger: { level: 'debug' } }, { LOG_LEVEL: 'info' }],
  [
    'an override for this package',
    rule('azure-devops-native', 'info'),
    { LOG_LEVEL: 'debug' },
  ],
])('no request is told where %s is against it', async (_what, backend, env) => {
  const lines = await logOf(configOf(backend), url, env);
  expect(lines.filter(({ event }) => event === 'request')).toEqual([]);
});

describe('a backend in which this package is off', () => {
  it.each<[string, object, Record<string, string>]>([
    ['the key', { reading: { azureDevOps: { enabled: false } } }, {}],
    [
      'the environment',
      {},
      { APP_CONFIG_backend_reading_azureDevOps_enabled: 'false' },
    ],
  ])(
    'by %s says so, loads no binary, and reads with the built-in reader',
    async (_what, backend, env) => {
      azure.clearRequests();
      const lines = await logOf(configOf(backend), url, env);
      expect(lines.filter(({ event }) => event === 'off')).toEqual([
        expect.objectContaining({
          level: 'info',
          plugin: 'azure-devops-native',
          message:
            'Azure DevOps is read by the built-in reader, because backend.reading.azureDevOps.enabled is false',
        }),
      ]);
      expect(lines.filter(({ event }) => event === 'started')).toEqual([]);
      expect(binaries(lines)).toEqual([]);
      expect(azure.requests).toMatchObject([{ status: 200 }]);
    },
  );

  it('loads the binary where it is not', async () => {
    const enabled = { reading: { azureDevOps: { enabled: true } } };
    expect(binaries(await logOf(configOf(enabled), url))).toHaveLength(1);
  });
});

it('a key that nothing reads is told by its path, and no value', async () => {
  const { integrations, backend } = configOf({
    reading: { azureDevOps: { cach: 1, cache: { memoryByte: 2 } } },
  });
  const [host] = integrations.azure;
  const misspelled = {
    ...host,
    retry: { maxRetry: 9 },
    staleIfThrottled: { maxAge: { minutes: 5 }, foo: 's3cret' },
    credentials: [
      host.credentials[0],
      { personalAccessToken: 'another', organization: 'one' },
    ],
  };
  // It would be the host's second credential for any organization, which is an error of its own.
  misspelled.credentials[0] = {
    ...host.credentials[0],
    organizations: ['start'],
  };
  const config = { backend, integrations: { azure: [misspelled] } };
  const lines = await logOf(config, url);
  const told = lines.filter(({ event }) => event === 'unknown key');
  expect(told.map(({ message }) => message.split(' ')[0]).sort()).toEqual([
    'backend.reading.azureDevOps.cach',
    'backend.reading.azureDevOps.cache.memoryByte',
    'integrations.azure[0].credentials[1].organization',
    'integrations.azure[0].retry.maxRetry',
    'integrations.azure[0].staleIfThrottled.foo',
  ]);
  expect(told.every(({ level }) => level === 'warn')).toBe(true);
  expect(told.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(
      /credentials\[1\]\.organization is no key that anything reads, and is ignored\. There are: organizations, /,
    ),
  );
  expect(JSON.stringify(told)).not.toContain('s3cret');
});

/** The binaries of this package that a backend has loaded. */
function binaries(lines: Line[]): string[] {
  const { sharedObjects } = lines.find(({ event }) => event === 'loaded')!;
  return (sharedObjects as string[]).filter(file =>
    file.includes('backstage-azure-devops-native'),
  );
}
