import { loadConfigSchema, type ConfigSchema } from '@backstage/config-loader';
import { execFileSync } from 'node:child_process';
import path from 'node:path';

type Value = Parameters<ConfigSchema['process']>[0][number]['data'][string];

const OURS = path.resolve(__dirname, '../package.json');
const UPSTREAM = require.resolve('@backstage/integration/package.json');

/** A host with a credential of every kind, and all that can be configured besides. */
const everything = {
  host: 'dev.azure.com',
  credentials: [
    {
      organizations: ['service-principals'],
      clientId: 'an-app',
      clientSecret: 'the-secret-of-an-app',
      tenantId: 'a-tenant',
    },
    {
      organizations: ['certificates'],
      clientId: 'an-app',
      clientCertificate: 'the-certificate-and-the-key-of-an-app',
      tenantId: 'a-tenant',
    },
    {
      organizations: ['certificates-in-files'],
      clientId: 'an-app',
      clientCertificatePath: '/the/file/of/an-app.pem',
      tenantId: 'a-tenant',
    },
    { organizations: ['managed', 'identities'], clientId: 'an-identity' },
    {
      organizations: ['assertions'],
      clientId: 'another-app',
      managedIdentityClientId: 'system-assigned',
      tenantId: 'a-tenant',
    },
    { personalAccessToken: 'the-token' },
  ],
  retry: {
    maxRetries: 3,
    retryStatusCodes: [429, 503],
    maxApiRequestsPerMinute: 600,
  },
  plainHttp: 'refuse',
  staleIfThrottled: { maxAge: { minutes: 30 } },
  commitSigningKey: 'the-key',
};

it('is read without TypeScript, which would cost each start seconds', () => {
  const script = `
    const { loadConfigSchema } = require('@backstage/config-loader');
    const packagePaths = ${JSON.stringify([OURS])};
    loadConfigSchema({ dependencies: [], packagePaths, excludePackageDependencies: true })
      .then(() => console.log(Object.keys(require.cache).filter(file => /[\\\\/]typescript[\\\\/]/.test(file))));`;
  const printed = execFileSync(process.execPath, ['-e', script], {
    cwd: path.dirname(OURS),
    encoding: 'utf8',
  });
  expect(printed).toBe('[]\n');
});

describe.each([
  ['our schema', [OURS]],
  ['ours, merged with that of @backstage/integration', [OURS, UPSTREAM]],
])('%s', (_name, packagePaths) => {
  let schema: ConfigSchema;

  beforeAll(async () => {
    schema = await loadConfigSchema({
      dependencies: [],
      packagePaths,
      excludePackageDependencies: true,
      noUndeclaredProperties: true,
    });
  });

  it.each(everything.credentials)('accepts the credential %j', credential => {
    const host = { host: 'dev.azure.com', credentials: [credential] };
    expect(check(schema, [host])).toEqual([host]);
  });

  it('accepts that this package is off', () => {
    const data = { backend: { reading: { azureDevOps: { enabled: false } } } };
    expect(schema.process([{ context: '', data }])).toMatchObject([{ data }]);
  });

  it('accepts bounds of what is kept', () => {
    const cache = { memoryBytes: 0, diskBytes: 1_000_000 };
    const data = { backend: { reading: { azureDevOps: { cache } } } };
    expect(schema.process([{ context: '', data }])).toMatchObject([{ data }]);
  });

  it('accepts bounds of what a server may send', () => {
    const limits = {
      jsonBytes: 1,
      fileBytes: 1,
      archiveBytes: 1,
      inflatedBytes: 1,
      archiveEntries: 1,
      pathBytes: 1,
      pathDepth: 1,
      contentWait: { minutes: 5 },
      patternAlternatives: 1,
    };
    const data = { backend: { reading: { azureDevOps: { limits } } } };
    expect(schema.process([{ context: '', data }])).toMatchObject([{ data }]);
  });

  it('accepts a host alone, several hosts, and none', () => {
    const hosts = [{ host: 'dev.azure.com' }, { host: 'tfs.example.com:8080' }];
    expect(check(schema, hosts.slice(0, 1))).toEqual(hosts.slice(0, 1));
    expect(check(schema, hosts)).toEqual(hosts);
    expect(check(schema, [])).toEqual([]);
  });

  it.each<[string, Value]>([
    ['no list of hosts', { host: 'dev.azure.com' }],
    ['no host', [{}]],
    ['a host of a wrong type', [{ host: ['dev.azure.com'] }]],
    ['credentials that are no list', [{ host: 'h', credentials: {} }]],
    ['a signing key of a wrong type', [{ host: 'h', commitSigningKey: {} }]],
    ['organizations that are no list', withCredential('organizations', {})],
    ['an organization of a wrong type', withCredential('organizations', [{}])],
    ...[
      'clientId',
      'clientSecret',
      'clientCertificate',
      'clientCertificatePath',
      'tenantId',
      'managedIdentityClientId',
      'personalAccessToken',
    ].map((key): [string, Value] => [
      `a ${key} of a wrong type`,
      withCredential(key, {}),
    ]),
    ['an unknown key of a credential', withCredential('token', 'x')],
    ['an unknown key of a host', [{ host: 'h', token: 'x' }]],
  ])('refuses %s', (_what, hosts) => {
    expect(() => check(schema, hosts)).toThrow(/^Config validation failed/);
  });

  it('shows the frontend the host and nothing else', () => {
    expect(check(schema, [everything], ['frontend'])).toEqual([
      { host: 'dev.azure.com' },
    ]);
  });

  it('takes for secrets the keys that are, and no others', () => {
    expect(check(schema, [everything], ['secret'])).toEqual([
      {
        credentials: [
          { clientSecret: 'the-secret-of-an-app' },
          { clientCertificate: 'the-certificate-and-the-key-of-an-app' },
          { personalAccessToken: 'the-token' },
        ],
        commitSigningKey: 'the-key',
      },
    ]);
  });
});

function withCredential(key: string, value: Value): Value {
  return [{ host: 'dev.azure.com', credentials: [{ [key]: value }] }];
}

/** What of `integrations.azure` is left when the schema has seen it. */
function check(
  schema: ConfigSchema,
  azure: Value,
  visibility?: Array<'frontend' | 'secret'>,
) {
  const data = { integrations: { azure } };
  const [{ data: left }] = schema.process([{ context: 'test', data }], {
    visibility,
  });
  return (left.integrations as { azure: Value }).azure;
}
