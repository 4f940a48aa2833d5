import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { standIn, type Hosted } from '../../testing/azure-devops';

/** A fault: how it is provoked, and what the doctor has to find. */
export interface Fault {
  /** What is wrong, as an operator would learn it in the end. */
  what: string;
  /** Whether the words of the service are known from its documentation alone. */
  isDocumented?: true;
  /** Where the cause is found; `keys` and names of checks where no URL is asked for. */
  at: string;
  /** What has to be said of the cause, and of what to do. */
  says: string[];
  provoke(place: Place): Provoked | Promise<Provoked>;
}

/** What the doctor is run with. */
export interface Provoked {
  url?: string;
  /** `integrations.azure`, or the text of the app-config. */
  azure?: object[] | string;
  env?: Record<string, string | undefined>;
  args?: string[];
  undo?: () => unknown;
}

/** What the faults are provoked in. */
export interface Place {
  web: Hosted;
  tenantId: string;
  clientId: string;
}

const azure = standIn();
const ORGANIZATION = 'https://dev.azure.com/fabrikam';
const REPOSITORY = `${ORGANIZATION}/Fiber/_git/web`;
const FILE = `${REPOSITORY}?path=/catalog-info.yaml`;

/** The tokens that the stand-in knows beside the one that reads everything. */
export const TOKENS = {
  good: 'q8f3zr7k2m5x9v1b4n6c0w',
  contoso: 'token-of-contoso-0123456789',
  noCode: 'token-without-code-0123456789',
  unknown: 'token-that-was-revoked-0123456789',
};

/** One credential for any organization. */
function withToken(personalAccessToken: string, more: object = {}): object[] {
  return [
    { host: 'dev.azure.com', credentials: [{ personalAccessToken }], ...more },
  ];
}

function withApp(credential: object): object[] {
  return [{ host: 'dev.azure.com', credentials: [credential] }];
}

const GOOD = withToken(TOKENS.good);

/** With a good credential this URL is looked at. */
function reading(url: string) {
  return () => ({ azure: GOOD, url });
}

/** Every request to the stand-in is answered so. */
function answering(answer: Parameters<typeof azure.misbehave>[0]) {
  return { azure: GOOD, url: FILE, undo: azure.misbehave(answer) };
}

async function listening(server: net.Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A proxy that answers so to CONNECT. */
async function refusingProxy(head: string): Promise<Provoked> {
  const proxy = http.createServer();
  proxy.on('connect', (_request, socket) =>
    socket.end(`${head}\r\nContent-Length: 0\r\n\r\n`),
  );
  const port = await listening(proxy);
  return {
    azure: GOOD,
    url: FILE,
    env: { HTTPS_PROXY: `http://127.0.0.1:${port}`, https_proxy: undefined },
    undo: () => proxy.close(),
  };
}

export const FAULTS: Fault[] = [
  {
    what: 'the personal access token has expired',
    isDocumented: true,
    at: 'credential',
    says: ['The Personal Access Token used has expired', 'has not expired'],
    provoke: () =>
      answering({
        status: 401,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          message: 'Access Denied: The Personal Access Token used has expired.',
        }),
      }),
  },
  {
    what: 'the personal access token was revoked',
    at: 'credential',
    says: ['401', 'revoked'],
    provoke: () => ({ azure: withToken(TOKENS.unknown), url: FILE }),
  },
  {
    what: 'the personal access token is one of another organization',
    at: 'credential',
    says: ['asks to sign in', 'that it is for this organization'],
    provoke: () => ({ azure: withToken(TOKENS.contoso), url: FILE }),
  },
  {
    what: 'another credential of the configuration would do',
    at: 'credential',
    says: [
      'integrations.azure[0].credentials[1] is let in',
      'name fabrikam in its organizations',
    ],
    provoke: () => ({
      azure: [
        {
          host: 'dev.azure.com',
          credentials: [
            { personalAccessToken: TOKENS.contoso },
            { personalAccessToken: TOKENS.good, organizations: ['other'] },
          ],
        },
      ],
      url: FILE,
    }),
  },
  {
    what: 'the token lacks the scope Code (Read)',
    at: 'credential',
    says: ['"No Code" is signed in', 'first check that the scope'],
    provoke: () => ({ azure: withToken(TOKENS.noCode), url: FILE }),
  },
  {
    what: "the service principal's secret is wrong",
    at: 'credential',
    says: ['AADSTS7000215', 'clientSecret'],
    provoke: ({ tenantId, clientId }) => ({
      azure: withApp({ tenantId, clientId, clientSecret: 'wrong-secret-01' }),
      url: FILE,
    }),
  },
  {
    what: "the service principal's secret has expired",
    at: 'credential',
    says: ['AADSTS7000222', 'expired'],
    provoke: ({ tenantId, clientId }) => ({
      azure: withApp({ tenantId, clientId, clientSecret: 'expired-secret-01' }),
      url: FILE,
    }),
  },
  {
    what: 'the tenant is wrong',
    at: 'credential',
    says: ['AADSTS90002', 'tenantId'],
    provoke: ({ clientId }) => ({
      azure: withApp({
        tenantId: '00000000-0000-0000-0000-00000000dead',
        clientId,
        clientSecret: 'good-secret-0123',
      }),
      url: FILE,
    }),
  },
  {
    what: 'the service principal is no member of the organization',
    at: 'credential',
    says: ['asks to sign in', 'was added to the organization'],
    provoke: ({ tenantId, clientId }) => ({
      azure: withApp({ tenantId, clientId, clientSecret: 'good-secret-0123' }),
      url: FILE,
    }),
  },
  {
    what: 'the file with the certificate is not there',
    at: 'credential',
    says: ['/no/such/certificate.pem', 'clientCertificatePath'],
    provoke: ({ tenantId, clientId }) => ({
      azure: withApp({
        tenantId,
        clientId,
        clientCertificatePath: '/no/such/certificate.pem',
      }),
      url: FILE,
    }),
  },
  {
    what: 'a conditional access policy forbids it',
    isDocumented: true,
    at: 'credential',
    says: ['VS403463', 'the policy'],
    provoke: () =>
      answering({
        status: 403,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          message:
            'VS403463: The conditional access policy defined by your Azure Active Directory administrator has failed.',
        }),
      }),
  },
  {
    what: 'no credential is configured, and the default chain has none',
    at: 'credential',
    says: ['with no credential', 'add a credential under integrations.azure'],
    provoke: () => ({ azure: [], url: FILE }),
  },
  {
    what: 'the principal is throttled',
    at: 'limits',
    says: ['more than Azure DevOps allows', '37 s'],
    provoke: () =>
      answering({
        status: 429,
        headers: {
          'retry-after': '37',
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          message:
            'TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource',
        }),
      }),
  },
  {
    what: 'the organization is misspelled',
    at: 'organization',
    says: ['fabrikan', 'check its name'],
    provoke: reading(FILE.replace('fabrikam', 'fabrikan')),
  },
  {
    what: 'the project is misspelled',
    at: 'project',
    says: ['no project Fibre', 'Fiber'],
    provoke: reading(FILE.replace('Fiber', 'Fibre')),
  },
  {
    what: 'the repository was renamed',
    at: 'repository',
    says: ['no repository webs', 'web', 'renamed'],
    provoke: reading(FILE.replace('/web?', '/webs?')),
  },
  {
    what: 'the repository is disabled',
    at: 'repository',
    says: ['is disabled', 'enable it'],
    provoke: reading(FILE.replace('/web?', '/old?')),
  },
  {
    what: 'the repository is empty',
    at: 'repository',
    says: ['is empty', 'push a first commit'],
    provoke: reading(FILE.replace('/web?', '/empty?')),
  },
  {
    what: 'the branch was renamed',
    at: 'version',
    says: ['no branch main', 'default branch is trunk'],
    provoke: reading(`${REPOSITORY}?path=/docs/index.md&version=GBmain`),
  },
  {
    what: 'the branch is a tag',
    at: 'version',
    says: ['v1 is a tag', 'version=GTv1'],
    provoke: reading(`${REPOSITORY}?path=/docs/index.md&version=GBv1`),
  },
  {
    what: 'the commit was never pushed',
    at: 'version',
    says: ['has no commit', 'was pushed'],
    provoke: reading(
      `${REPOSITORY}?path=/docs/index.md&version=GC${'0123456789'.repeat(4)}`,
    ),
  },
  {
    what: "the file's name ends otherwise",
    at: 'path',
    says: ['has no catalog-info.yaml', 'catalog-info.yml'],
    provoke: reading(FILE),
  },
  {
    what: 'a folder is written in another case',
    at: 'path',
    says: ['no Docs', 'case-sensitive', 'docs'],
    provoke: reading(`${REPOSITORY}?path=/Docs/index.md`),
  },
  {
    what: 'a folder in the middle is not there',
    at: 'path',
    says: ['/services has no billing', 'it has orders'],
    provoke: reading(
      `${REPOSITORY}?path=/services/billing/src/catalog-info.yaml`,
    ),
  },
  {
    what: 'the folder of a pattern is not there',
    at: 'path',
    says: ['the root has no teams'],
    provoke: reading(`${REPOSITORY}?path=/teams/*/catalog-info.yaml`),
  },
  {
    what: 'the private authority is not trusted',
    at: 'network',
    says: ['certificate', 'NODE_EXTRA_CA_CERTS'],
    provoke: () => ({
      ...reading(FILE)(),
      env: { NODE_EXTRA_CA_CERTS: undefined },
    }),
  },
  {
    what: 'the proxy does not run',
    at: 'network',
    says: ['refused', 'proxy'],
    provoke: () => ({
      ...reading(FILE)(),
      env: { HTTPS_PROXY: 'http://127.0.0.1:9', https_proxy: undefined },
    }),
  },
  {
    what: 'the proxy asks for a user and password (407)',
    at: 'network',
    says: ['407', 'HTTPS_PROXY'],
    provoke: async () =>
      refusingProxy(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="p"',
      ),
  },
  {
    what: 'the proxy lets only some hosts through',
    at: 'network',
    says: ['403', 'let dev.azure.com through'],
    provoke: async () => refusingProxy('HTTP/1.1 403 Forbidden'),
  },
  {
    what: "this machine's DNS does not know the server",
    at: 'network',
    says: ['name was not found', 'DNS'],
    provoke: () => ({
      azure: withToken(TOKENS.good, { host: 'tfs.invalid' }),
      url: 'https://tfs.invalid/Coll/Proj/_git/repo?path=/a',
      env: { NO_PROXY: '*', no_proxy: '*' },
    }),
  },
  {
    what: 'the server does not run',
    at: 'network',
    says: ['connection refused', 'that the server runs'],
    provoke: () => ({
      azure: withToken(TOKENS.good, { host: '127.0.0.1:9' }),
      url: 'http://127.0.0.1:9/Coll/Proj/_git/repo?path=/a',
    }),
  },
  {
    what: 'the server never answers',
    at: 'network',
    says: ['did not answer within 1 s'],
    provoke: async () => {
      const server = net.createServer(() => {});
      const host = `127.0.0.1:${await listening(server)}`;
      return {
        azure: withToken(TOKENS.good, { host }),
        url: `http://${host}/Coll/Proj/_git/repo?path=/a`,
        args: ['--timeout', '1'],
        undo: () => server.close(),
      };
    },
  },
  {
    what: 'a gateway answers in place of the server',
    at: 'network',
    says: ['502', 'status.dev.azure.com'],
    provoke: () =>
      answering({
        status: 502,
        headers: { 'content-type': 'text/html' },
        body: '<html>Bad Gateway</html>',
      }),
  },
  {
    what: 'Azure DevOps answers with its sign-in page',
    at: 'credential',
    says: ['it asks to sign in', 'has not expired'],
    provoke: () =>
      answering({
        status: 203,
        headers: { 'content-type': 'text/html' },
        body: '<html>Sign In</html>',
      }),
  },
  {
    what: 'the host is misspelled',
    at: 'configuration',
    says: ['dev.azure.co is not configured', 'dev.azure.com'],
    provoke: reading(FILE.replace('dev.azure.com', 'dev.azure.co')),
  },
  {
    what: 'the URL is one of GitHub',
    at: 'configuration',
    says: ['github.com', 'integrations.github'],
    provoke: reading('https://github.com/a/b'),
  },
  {
    what: 'the URL is no URL',
    at: 'url',
    says: ['no URL', 'address bar'],
    provoke: reading('fabrikam/web'),
  },
  {
    what: 'the URL names a project and no repository',
    at: 'url',
    says: ['must point to a git repository', '_git'],
    provoke: reading(`${ORGANIZATION}/Fiber`),
  },
  {
    what: 'the URL says http for dev.azure.com',
    at: 'url',
    says: ['not asked in plain text', 'https'],
    provoke: reading(FILE.replace('https', 'http')),
  },
  {
    what: 'an environment variable is not set',
    at: 'keys',
    says: ['credentials[0].personalAccessToken', 'NOT_SET is not set'],
    provoke: () => ({ azure: withToken('${NOT_SET}') }),
  },
  {
    what: 'a key is misspelled',
    at: 'keys',
    says: ['credentials[0].organization is no key', 'organizations'],
    provoke: () => ({
      azure: withApp({
        personalAccessToken: TOKENS.good,
        organization: ['fabrikam'],
      }),
    }),
  },
  {
    what: 'a credential lacks its tenant',
    at: 'keys',
    says: ['integrations.azure[0].credentials[0]', 'lacks tenantId', 'add it'],
    provoke: ({ clientId }) => ({
      azure: withApp({ clientId, clientSecret: 'good-secret-0123' }),
    }),
  },
  {
    what: 'the configuration is no YAML',
    at: 'keys',
    says: ['app-config.yaml', 'line 1'],
    provoke: () => ({ azure: 'integrations: [' }),
  },
];
