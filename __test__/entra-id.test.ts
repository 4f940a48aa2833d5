import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  ManagedIdentityCredential,
  type TokenCredential,
} from '@azure/identity';
import { execFile } from 'node:child_process';
import {
  createHash,
  randomUUID,
  sign,
  X509Certificate,
  constants,
} from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { newCertificate } from './authentication/newCertificate';
import { AzureDevOps } from './azure-devops';
import {
  AppService,
  AZURE_DEVOPS,
  EntraId,
  Imds,
  TOKEN_EXCHANGE,
  writeTools,
  type App,
} from './entra-id';
import type { Outcome } from './entra-id/microsoftsClient';
import { canMakeNamespaces, runInNamespace } from './entra-id/namespace';

const SCRIPT = path.join(__dirname, 'entra-id', 'microsoftsClient.ts');
const SCOPE = `${AZURE_DEVOPS}/.default`;
const NOWHERE = 'https://login.microsoftonline.us';

const entra = new EntraId();
const tenantId = randomUUID();
const clientId = randomUUID();
const secret = `secret-${randomUUID()}`;

let azure: AzureDevOps;

let certificate: string;
let key: string;

beforeAll(async () => {
  azure = await AzureDevOps.start({ entra });
  const files = { 'a.txt': 'content' };
  const names = { project: 'p', repository: 'r' };
  await azure.addRepository({ organization: 'o', ...names, files });
  await azure.addRepository({ organization: 'other', ...names, files });
  ({ certificate, key } = await newCertificate());
});

beforeEach(() => azure.reset());

afterAll(() => azure.close());

function addApp(app: Partial<App> = {}): void {
  entra.addApp({ tenantId, clientId, ...app });
}

describe("held to Microsoft's own client", () => {
  it('a secret', async () => {
    addApp({ secrets: [secret] });
    const { token, expiresOnTimestamp } = await withSecret().getToken(SCOPE);
    expect(entra.issued.at(-1)).toBe(token);
    expect(expiresOnTimestamp).toBeGreaterThan(Date.now() + 3_500_000);
    expect(entra.requests).toMatchObject([
      {
        host: 'login.microsoftonline.com',
        tenant: tenantId,
        clientId,
        grant: 'client_secret',
        status: 200,
      },
    ]);
    expect(entra.requests[0].scope.split(' ')).toContain(SCOPE);
    expect(azure.requests).toEqual([]);
  });

  it('a certificate', async () => {
    addApp({ certificates: [certificate] });
    const { token } = await withCertificate(certificate, key).getToken(SCOPE);
    expect(entra.issued.at(-1)).toBe(token);
    expect(entra.requests).toMatchObject([{ grant: 'client_assertion' }]);
  });

  it("another issuer's token", async () => {
    const token = 'projected-token';
    addApp({ federated: [{ subject: 'system:serviceaccount:n:a', token }] });
    const { token: issued } = await withAssertion(token).getToken(SCOPE);
    expect(entra.issued.at(-1)).toBe(issued);
  });

  it('a managed identity that vouches for an app', async () => {
    const appService = await AppService.start(entra);
    appService.identities = [{}];
    addApp({ federated: [{ subject: 'system-assigned' }] });
    const voucher = await onAppService(appService, identity =>
      identity.getToken(`${TOKEN_EXCHANGE}/.default`),
    );
    const { token } = await withAssertion(voucher!.token).getToken(SCOPE);
    expect(await statusWith(token)).toBe(200);
    expect(await statusWith(voucher!.token)).toBe(401);
    await appService.close();
  });

  it.each<[number, App['clientId'], Partial<App>, () => TokenCredential]>([
    [7000215, clientId, { secrets: ['another'] }, withSecret],
    [7000222, clientId, { expiredSecrets: [secret] }, withSecret],
    [700016, randomUUID(), { secrets: [secret] }, withSecret],
    [70025, clientId, {}, () => withAssertion('foreign')],
    [
      70021,
      clientId,
      { federated: [{ subject: 's', token: 'another' }] },
      () => withAssertion('foreign'),
    ],
    [
      700213,
      clientId,
      { federated: [{ subject: 'another' }] },
      () => withAssertion(entra.issueTo('me', TOKEN_EXCHANGE).token),
    ],
    [700027, clientId, {}, () => withCertificate(certificate, key)],
  ])('AADSTS%d', async (code, ofApp, app, credential) => {
    addApp({ ...app, clientId: ofApp });
    await expect(credential().getToken(SCOPE)).rejects.toThrow(
      new RegExp(`AADSTS${code}: .* Trace ID: \\S+ Correlation ID: `),
    );
    expect(entra.requests.at(-1)).toMatchObject({ errorCode: code });
  });

  it('AADSTS500011', async () => {
    addApp({ secrets: [secret] });
    await expect(
      withSecret().getToken('https://graph.microsoft.com/.default'),
    ).rejects.toThrow(
      'AADSTS500011: The resource principal named https://graph.microsoft.com was',
    );
  });

  it('a managed identity on App Service', async () => {
    const appService = await AppService.start(entra);
    appService.identities = [{}, { clientId, organizations: ['other'] }];
    const own = await onAppService(appService, identity =>
      identity.getToken(SCOPE),
    );
    const assigned = await onAppService(
      appService,
      identity => identity.getToken(SCOPE),
      clientId,
    );
    expect(entra.issued.slice(-2)).toEqual([own!.token, assigned!.token]);
    expect(await statusWith(own!.token)).toBe(200);
    expect(await statusWith(assigned!.token)).toBe(401);
    expect(await statusWith(assigned!.token, 'other')).toBe(200);
    await expect(
      onAppService(appService, i => i.getToken(SCOPE), 'unknown'),
    ).rejects.toThrow('No User Assigned or Delegated Managed Identity found');
    expect(appService.requests.map(({ status }) => status)).toEqual([
      200, 200, 400,
    ]);
    await appService.close();
  });
});

describe("held to Microsoft's own client, in a process of its own", () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'tools-'));
  const env = { PATH: `${directory}:${process.env.PATH}` };

  afterAll(() => rmSync(directory, { recursive: true }));

  it.each([
    ['AzureCliCredential', 'az', 'az account get-access-token'],
    ['AzureDeveloperCliCredential', 'azd', 'azd auth token'],
  ])('%s', async (credential, name, call) => {
    const tool = { token: "it's a token", expiresInSeconds: 600 };
    const tools = writeTools(directory, { [name]: tool });
    const soon = Date.now() + 600_000;
    const { token, expiresOnTimestamp } = await ask(credential, env);
    expect(token).toBe(tool.token);
    expect(Math.abs(expiresOnTimestamp! - soon)).toBeLessThan(3_000);
    expect(tools.calls().at(-1)).toMatch(call);
    writeTools(directory, { [name]: { fails: 'not logged in' } });
    const { error } = await ask(credential, env);
    expect(error).toMatch(
      new RegExp(`Please run '${name} (auth )?login' from a command prompt`),
    );
  });

  const ifPossible = canMakeNamespaces() ? it : it.skip;

  ifPossible.each([
    ['the system-assigned identity', ['', clientId], {}],
    ['the only identity', [clientId], {}],
    ['a user-assigned identity', ['', clientId], { clientId }],
  ])('IMDS, %s', async (_name, identities, options) => {
    const outcome = await askImds(identities, options);
    expect(outcome.error).toBeUndefined();
    expect(outcome.issued).toEqual([outcome.token]);
  });

  ifPossible('IMDS, an unknown identity', async () => {
    const { error } = await askImds([''], { clientId });
    expect(error).toContain('Identity not found');
  });
});

describe('an assertion signed with a certificate', () => {
  const now = Math.floor(Date.now() / 1000);

  it.each(['RS256', 'PS256'] as const)('%s, with both thumbprints', async a => {
    addApp({ certificates: [certificate] });
    for (const hash of ['sha1', 'sha256'] as const) {
      const assertion = signed({}, a, hash);
      expect(await post({ client_assertion: assertion })).toEqual([
        200,
        undefined,
      ]);
    }
  });

  it.each<[string, object, number]>([
    ['for the issuer', { aud: `${authority()}/v2.0` }, 200],
    ['for another cloud', { aud: `${NOWHERE}/${tenantId}/v2.0` }, 700023],
    ['of another client', { iss: 'another' }, 700021],
    ['about another client', { sub: 'another' }, 700021],
    ['without an identifier', { jti: undefined }, 700027],
    ['that has expired', { exp: now - 1 }, 700024],
    ['that is not good yet', { nbf: now + 3_600 }, 700024],
    ['without an end', { exp: undefined }, 700024],
  ])('%s', async (_name, claims, expected) => {
    addApp({ certificates: [certificate] });
    const [status, code] = await post({ client_assertion: signed(claims) });
    expect(code ?? status).toBe(expected);
  });

  it('that was changed', async () => {
    addApp({ certificates: [certificate] });
    const [head, , signature] = signed({}).split('.');
    const [, claims] = signed({}).split('.');
    const client_assertion = `${head}.${claims}.${signature}`;
    expect(await post({ client_assertion })).toEqual([401, 700027]);
  });
});

describe('as Entra ID does', () => {
  it.each<[string, Record<string, string | undefined>, [number, number?]]>([
    ['a request in order', { client_secret: secret }, [200, undefined]],
    ['no client_id', { client_id: undefined }, [400, 900144]],
    ['no scope', { scope: undefined }, [400, 900144]],
    ['no grant_type', { grant_type: undefined }, [400, 900144]],
    ['another grant_type', { grant_type: 'password' }, [400, 70003]],
    ['no credential', {}, [401, 7000218]],
    ['a wrong secret', { client_secret: 'wrong' }, [401, 7000215]],
    ['an unknown app', { client_id: 'nobody' }, [400, 700016]],
  ])('%s', async (_name, params, expected) => {
    addApp({ secrets: [secret] });
    expect(await post(params)).toEqual(expected);
  });

  it('says what is wrong, in a shape of its own', async () => {
    const answer = await entra.answer(
      'login.microsoftonline.com',
      `/${tenantId}/oauth2/v2.0/token`,
      form({ client_secret: secret }),
      { headers: { 'client-request-id': 'mine' } },
    );
    expect(answer?.status).toBe(400);
    expect(JSON.parse(answer!.body.toString())).toEqual({
      error: 'invalid_request',
      error_description: expect.stringMatching(
        /^AADSTS90002: Tenant '\S+' not found\. Trace ID: \S+ Correlation ID: mine Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/,
      ),
      error_codes: [90002],
      timestamp: expect.any(String),
      trace_id: expect.any(String),
      correlation_id: 'mine',
      error_uri: 'https://login.microsoftonline.com/error?code=90002',
    });
  });

  it('misbehaves when it is told to, and until that is taken back', async () => {
    addApp({ secrets: [secret] });
    const headers = { 'retry-after': '1' };
    const takeBack = entra.misbehave({
      status: 429,
      headers,
      match: request => request.clientId === clientId,
    });
    expect(await post({ client_secret: secret })).toEqual([429, undefined]);
    expect(await post({ client_id: 'nobody' })).toEqual([400, 700016]);
    takeBack();
    entra.misbehave({ resetConnection: true, times: 1 });
    expect(await post({ client_secret: secret })).toEqual([0, undefined]);
    expect(await post({ client_secret: secret })).toEqual([200, undefined]);
  });
});

describe('its tokens', () => {
  it('are good until they are revoked', async () => {
    addApp({ secrets: [secret] });
    const { token } = await withSecret().getToken(SCOPE);
    expect(await statusWith(token)).toBe(200);
    entra.revokeTokens();
    expect(await statusWith(token)).toBe(401);
    const next = await withSecret().getToken(SCOPE);
    expect(next.token).not.toBe(token);
    expect(await statusWith(next.token)).toBe(200);
  });

  it('are good until they expire', async () => {
    entra.tokenLifetime = 1;
    const { token } = entra.issueTo(clientId, AZURE_DEVOPS);
    expect(await statusWith(token)).toBe(200);
    await new Promise(resolve => setTimeout(resolve, 1_100));
    expect(await statusWith(token)).toBe(401);
  });

  it('read only the organizations of which the app is a member', async () => {
    addApp({ secrets: [secret], organizations: ['other'] });
    const { token } = await withSecret().getToken(SCOPE);
    expect(await statusWith(token)).toBe(401);
    expect(await statusWith(token, 'other')).toBe(200);
  });
});

describe('endpoints for managed identities', () => {
  it.each<[string, Record<string, string>, string, number]>([
    ['another header', { 'x-identity-header': 'wrong' }, '', 403],
    ['no version', {}, '?resource=r', 400],
    ['another version', {}, '?api-version=2017-09-01', 400],
    ['another resource', {}, '?api-version=2019-08-01&resource=r', 400],
  ])('App Service refuses %s', async (_name, changed, query, status) => {
    const appService = await AppService.start(entra);
    appService.identities = [{}];
    const headers = { 'x-identity-header': appService.header, ...changed };
    const answer = await fetch(appService.endpoint + query, { headers });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ statusCode: status });
    await appService.close();
  });

  it('App Service answers as it is documented', async () => {
    const appService = await AppService.start(entra);
    appService.identities = [{ clientId }];
    const query = `?api-version=2019-08-01&resource=${AZURE_DEVOPS}&client_id=${clientId}`;
    const headers = { 'x-identity-header': appService.header };
    const answer = await fetch(appService.endpoint + query, { headers });
    expect(await answer.json()).toEqual({
      access_token: entra.issued.at(-1),
      expires_on: expect.stringMatching(/^\d{10}$/),
      resource: AZURE_DEVOPS,
      token_type: 'Bearer',
      client_id: clientId,
    });
    await appService.close();
  });

  it.each<[string, Record<string, string>, string | undefined]>([
    ['', { metadata: 'true' }, undefined],
    ['no header', {}, 'Required metadata header not specified'],
    [
      'a proxy',
      { metadata: 'true', 'x-forwarded-for': '10.0.0.1' },
      'X-Forwarded-For header is not supported',
    ],
  ])('IMDS refuses %s', async (_name, headers, description) => {
    const [status, body] = await askLocalImds({ headers });
    expect(status).toBe(description ? 400 : 200);
    expect(body.error_description).toBe(description);
  });

  it('IMDS answers with texts', async () => {
    const [, body] = await askLocalImds({});
    expect(body).toEqual({
      access_token: entra.issued.at(-1),
      client_id: expect.any(String),
      expires_in: expect.stringMatching(/^35\d\d$/),
      expires_on: expect.stringMatching(/^\d{10}$/),
      ext_expires_in: expect.stringMatching(/^35\d\d$/),
      not_before: expect.stringMatching(/^\d{10}$/),
      resource: AZURE_DEVOPS,
      token_type: 'Bearer',
    });
  });

  it('IMDS misbehaves when it is told to, and knows nothing else', async () => {
    const [status, body] = await askLocalImds({ status: 410 });
    expect([status, body]).toEqual([410, {}]);
    expect((await askLocalImds({ path: '/metadata/instance' }))[0]).toBe(404);
  });
});

/** What Microsoft's client is told about the network. */
function options() {
  const { hostname, port } = new URL(azure.proxyUrl);
  return {
    authorityHost: 'https://login.microsoftonline.com',
    disableInstanceDiscovery: true,
    proxyOptions: { host: `http://${hostname}`, port: Number(port) },
    tlsOptions: { ca: readFileSync(azure.caFile, 'utf8') },
    retryOptions: { maxRetries: 0 },
  };
}

function withSecret(): ClientSecretCredential {
  return new ClientSecretCredential(tenantId, clientId, secret, options());
}

function withAssertion(assertion: string): ClientAssertionCredential {
  return new ClientAssertionCredential(
    tenantId,
    clientId,
    async () => assertion,
    options(),
  );
}

function withCertificate(pem: string, ofKey: string) {
  return new ClientCertificateCredential(
    tenantId,
    clientId,
    { certificate: `${ofKey}\n${pem}` },
    options(),
  );
}

/** Does something with an identity as it is on App Service. */
async function onAppService<T>(
  { environment }: AppService,
  use: (identity: ManagedIdentityCredential) => Promise<T>,
  identity?: string,
): Promise<T> {
  Object.assign(process.env, environment);
  try {
    const retryOptions = { maxRetries: 0 };
    return await use(
      identity
        ? new ManagedIdentityCredential(identity, { retryOptions })
        : new ManagedIdentityCredential({ retryOptions }),
    );
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
  }
}

async function ask(
  credential: string,
  env: Record<string, string>,
): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', SCRIPT, credential],
    { env: { ...process.env, ...env } },
  );
  return JSON.parse(stdout);
}

async function askImds(identities: string[], how: object): Promise<Outcome> {
  const { stdout, stderr, code } = await runInNamespace(
    SCRIPT,
    ['ManagedIdentityCredential', JSON.stringify(how)],
    { IMDS: identities.join(), NO_PROXY: '*' },
  );
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

async function askLocalImds({
  headers = { metadata: 'true' },
  path: asked = '/metadata/identity/oauth2/token',
  status,
}: {
  headers?: Record<string, string>;
  path?: string;
  status?: number;
}): Promise<[number, Record<string, string>]> {
  const address = '127.0.0.1';
  const imds = await Imds.start(entra, { address, port: 0 });
  imds.identities = [{}];
  if (status) imds.misbehave({ status, body: '{}' });
  const query = `?api-version=2018-02-01&resource=${AZURE_DEVOPS}`;
  const answer = await fetch(imds.url(address) + asked + query, { headers });
  const body = (await answer.json()) as Record<string, string>;
  await imds.close();
  return [answer.status, body];
}

function authority(): string {
  return `https://login.microsoftonline.com/${tenantId}`;
}

/** An assertion as a client makes it, with some claims changed. */
function signed(
  changed: object,
  alg: 'RS256' | 'PS256' = 'PS256',
  hash: 'sha1' | 'sha256' = 'sha256',
): string {
  const { raw } = new X509Certificate(certificate);
  const thumbprint = createHash(hash).update(raw).digest('base64url');
  const name = hash === 'sha1' ? 'x5t' : 'x5t#S256';
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    aud: `${authority()}/oauth2/v2.0/token`,
    iss: clientId,
    sub: clientId,
    jti: randomUUID(),
    nbf: now,
    exp: now + 600,
    ...changed,
  };
  const head = { alg, typ: 'JWT', [name]: thumbprint };
  const text = [head, claims]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const signature = sign('sha256', Buffer.from(text), {
    key,
    ...(alg === 'PS256' && {
      padding,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }),
  });
  return `${text}.${signature.toString('base64url')}`;
}

function form(changed: Record<string, string | undefined>): string {
  const params = {
    grant_type: 'client_credentials',
    client_id: clientId,
    scope: SCOPE,
    ...(changed.client_assertion && {
      client_assertion_type:
        'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }),
    ...changed,
  };
  const given = Object.entries(params).filter(([, value]) => value);
  return new URLSearchParams(given as Array<[string, string]>).toString();
}

/** Asks for a token without a client: the status, and the number of the error. */
async function post(
  changed: Record<string, string | undefined>,
): Promise<[number, number?]> {
  const answer = await entra.answer(
    'login.microsoftonline.com',
    `/${tenantId}/oauth2/v2.0/token`,
    form(changed),
  );
  return [answer?.status ?? 0, entra.requests.at(-1)?.errorCode];
}

/** How Azure DevOps answers with a token. */
async function statusWith(token: string, organization = 'o'): Promise<number> {
  const url = `${azure.url}/${organization}/p/_apis/git/repositories/r/items?path=/a.txt`;
  const headers = {
    authorization: `Bearer ${token}`,
    'x-tfs-fedauthredirect': 'Suppress',
  };
  return (await fetch(url, { headers })).status;
}
