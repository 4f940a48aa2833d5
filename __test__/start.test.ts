/** What a backend's log says of this package in its first minute, by Backstage's own logger. */
import { standIn } from './azure-devops';
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

function configOf(backend: object = {}): object {
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
