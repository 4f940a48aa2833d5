import { setTimeout as wait } from 'node:timers/promises';
import { standIn, type Hosted } from '../testing/azure-devops';
import { ReaderProcess } from './authentication/ReaderProcess';
import { WAYS, type Way } from './authentication/ways';
import { ManagedIdentities } from '../testing/entra/ManagedIdentities';
import { until } from '../testing/until';

const azure = standIn();
const secrets = new Set<string>();

let hosted: Hosted;

beforeAll(async () => {
  hosted = await azure.addRepository({
    organization: 'authentication',
    project: 'p',
    repository: 'r',
    files: Object.fromEntries(
      Array.from({ length: 100 }, (_, n) => [`${n}.txt`, `content ${n}`]),
    ),
  });
});

beforeEach(() => azure.reset());

afterEach(() => {
  azure.entra.issued.forEach(token => secrets.add(token));
  ReaderProcess.endAll();
});

const url = (n = 0) => hosted.webUrl({ path: `/${n}.txt` });
const urls = (count: number) => Array.from({ length: count }, (_, n) => url(n));

describe.each(Object.entries(WAYS))('%s', (_name, setUp) => {
  let way: Way;

  beforeEach(async () => {
    way = await setUp(azure);
    way.secrets.forEach(secret => secrets.add(secret));
  });

  afterEach(() => way.end?.());

  it('reads, and asks for one token for a hundred first reads at once', async () => {
    const reader = ReaderProcess.start(way);
    const outcomes = await reader.read(urls(100));
    expect(outcomes.map(({ content, error }) => content ?? error)).toEqual(
      urls(100).map((_url, n) => `content ${n}`),
    );
    expect(way.asked()).toBe(1);
  });

  it('says in one line who refused it, with which code, and what to check', async () => {
    way.refuse();
    const reader = ReaderProcess.start(way);
    const { error } = await reader.readOne(url());
    expect(error).toMatchObject({
      name: 'AuthenticationError',
      message: expect.stringMatching(way.refusal),
    });
    expect(error?.message).not.toContain('\n');
  });
});

describe('a token', () => {
  let way: Way;
  let reader: ReaderProcess;

  beforeEach(async () => {
    way = await WAYS['a service principal'](azure);
    way.secrets.forEach(secret => secrets.add(secret));
    reader = ReaderProcess.start(way);
  });

  it('is given to other plugins as upstream gives it', async () => {
    const found = await reader.credentials(url());
    expect(found).toEqual({
      headers: { Authorization: `Bearer ${found?.token}` },
      token: azure.entra.issued.at(-1),
      type: 'bearer',
    });
    await reader.readOne(url());
    expect(way.asked()).toBe(1);
  });

  it('is for Azure DevOps, and asked for through the proxy', async () => {
    await reader.readOne(url());
    expect(azure.entra.requests).toMatchObject([
      {
        host: 'login.microsoftonline.com',
        grant: 'client_secret',
        scope: '499b84ac-1321-427f-aa17-267ca6975798/.default',
        status: 200,
      },
    ]);
    expect(azure.proxyRequests).toContain('login.microsoftonline.com:443');
  });

  it('is asked for once by two worker threads', async () => {
    expect(await reader.readInWorkers(url(), 2)).toEqual([
      'content 0',
      'content 0',
    ]);
    expect(way.asked()).toBe(1);
  });

  it('that is revoked costs no failed read', async () => {
    let revocations = 0;
    const failed = [];
    for (let round = 0; round < 80; round += 1) {
      const reads = reader.read(urls(20));
      // While some of the reads are on their way, and once at most: none has another try after the second.
      if (round % 16 === 15) {
        await wait(round / 16);
        azure.entra.revokeTokens();
        revocations += 1;
      }
      const outcomes = await reads;
      failed.push(...outcomes.filter(({ error }) => error));
      await wait(30);
    }
    expect(failed).toEqual([]);
    expect(revocations).toBeGreaterThan(2);
    expect(way.asked()).toBeLessThanOrEqual(revocations + 1);
  });

  it('is refreshed before it expires, while the old one is used', async () => {
    azure.entra.tokenLifetime = 5;
    await reader.readOne(url());
    azure.entra.delayMs = 600;
    await wait(4_200);
    const { ms, error } = await reader.readOne(url());
    expect(error).toBeUndefined();
    expect(ms).toBeLessThan(400);
    await wait(900);
    expect(way.asked()).toBe(2);
    expect((await reader.readOne(url())).error).toBeUndefined();
  });

  it('that cannot be refreshed is used to its end, and Entra ID is left in peace', async () => {
    azure.entra.tokenLifetime = 8;
    await reader.readOne(url());
    azure.entra.misbehave({
      status: 503,
      body: '{"error":"temporarily_unavailable"}',
    });
    await wait(6_600);
    for (let reads = 0; reads < 50; reads += 1) {
      expect((await reader.readOne(url())).error).toBeUndefined();
    }
    expect(way.asked()).toBeLessThanOrEqual(4);
    const line = 'The token of a service principal could not be renewed: Entra';
    await until(() => ReaderProcess.printed.join('').includes(line));
  });

  it('is waited for only as long as the reader wants', async () => {
    azure.entra.delayMs = 1_500;
    const [aborted, patient] = await Promise.all([
      reader.read([url()], { abortAfterMs: 200 }),
      reader.readOne(url(1)),
    ]);
    expect(aborted[0].error?.message).toContain('TimeoutError');
    expect(aborted[0].ms).toBeLessThan(1_000);
    expect(patient.content).toBe('content 1');
    expect(way.asked()).toBe(1);
  });

  it('that an organization refuses is told with what to check, and not asked for again and again', async () => {
    const other = await azure.addRepository({
      organization: 'not-a-member',
      project: 'p',
      repository: 'r',
      files: { 'a.txt': 'a' },
    });
    const { clientId, clientSecret, tenantId } = credentialOf(way);
    azure.entra.addApp({
      tenantId,
      clientId,
      secrets: [clientSecret],
      organizations: ['authentication'],
    });
    for (let reads = 0; reads < 10; reads += 1) {
      const { error } = await reader.readOne(other.webUrl({ path: '/a.txt' }));
      expect(error).toMatchObject({
        name: 'AuthenticationError',
        message: expect.stringMatching(
          /401 Unauthorized\. .*Read with a service principal \(integrations\.azure\[\d\]\.credentials\[\d\]\) for dev\.azure\.com, organization not-a-member: check that the service principal was added to the organization/,
        ),
      });
    }
    expect((await reader.readOne(url())).content).toBe('content 0');
    expect(way.asked()).toBe(2);
  });

  it.each([
    [
      'wrong tenant',
      { tenantId: '11111111-2222-3333-4444-555555555555' },
      /AADSTS90002: .*Check tenantId/,
    ],
    [
      'wrong client',
      { clientId: '11111111-2222-3333-4444-555555555555' },
      /AADSTS700016: .*Check clientId and tenantId/,
    ],
  ])('is refused for a %s', async (_what, wrong, message) => {
    const credentials = [{ ...credentialOf(way), ...wrong }];
    const integrations = [{ host: 'dev.azure.com', credentials }];
    const { error } = await ReaderProcess.start({ integrations }).readOne(
      url(),
    );
    expect(error?.message).toMatch(message);
  });

  it('that a page of a proxy is taken for is told as what it is', async () => {
    azure.entra.misbehave({
      status: 407,
      headers: { 'content-type': 'text/html' },
      body: '<html>Proxy authentication required</html>',
    });
    const { error } = await reader.readOne(url());
    expect(error?.message).toMatch(
      /Entra ID \(login\.microsoftonline\.com\) answered 407 .* not JSON.*HTTPS_PROXY/,
    );
  });

  it('is asked for again within the read when Entra ID wants a short wait', async () => {
    const description =
      'AADSTS50196: The server terminated an operation.\r\nTrace ID: 1';
    azure.entra.misbehave({
      status: 429,
      headers: { 'retry-after': '1' },
      body: JSON.stringify({
        error: 'temporarily_unavailable',
        error_description: description,
      }),
      times: 1,
    });
    const { content, ms } = await reader.readOne(url());
    expect(content).toBe('content 0');
    expect(ms).toBeGreaterThan(900);
    expect(way.asked()).toBe(2);
  });

  it('that is empty is told as none', async () => {
    azure.entra.misbehave({ status: 200, body: '{}' });
    const { error } = await reader.readOne(url());
    expect(error?.message).toMatch(
      /a service principal \(integrations\.azure\[\d\]\.credentials\[\d\]\) has no token for .*: Entra ID \(login\.microsoftonline\.com\) answered with what is no token/,
    );
    expect(azure.requests).toEqual([]);
  });

  it('is asked for again after a moment when Entra ID stumbles', async () => {
    azure.entra.misbehave({ status: 503, body: '{}', times: 1 });
    azure.entra.misbehave({ resetConnection: true, times: 1 });
    expect((await reader.readOne(url())).content).toBe('content 0');
  });

  it('that is refused and cannot be replaced is told as both', async () => {
    await reader.readOne(url());
    const { clientId, tenantId } = credentialOf(way);
    azure.entra.addApp({ tenantId, clientId, secrets: ['another'] });
    azure.entra.revokeTokens();
    const { error } = await reader.readOne(url());
    expect(error).toMatchObject({
      name: 'AuthenticationError',
      message: expect.stringMatching(
        /401 Unauthorized\. .*No new token could be obtained: Entra ID .*AADSTS7000215/,
      ),
    });
  });

  it('that a way to the sign-in page refuses and that cannot be replaced is told as both', async () => {
    await reader.readOne(url());
    const { clientId, tenantId } = credentialOf(way);
    azure.entra.addApp({ tenantId, clientId, secrets: ['another'] });
    azure.misbehave({
      status: 302,
      headers: {
        location: 'https://spsprodeus21.vssps.visualstudio.com/_signin',
      },
    });
    const { error } = await reader.readOne(url());
    expect(error).toMatchObject({
      name: 'AuthenticationError',
      message: expect.stringMatching(
        /redirected to https:\/\/spsprodeus21.*No new token could be obtained: Entra ID .*AADSTS7000215/,
      ),
    });
  });

  it('is not asked for where AZURE_AUTHORITY_HOST is no address', async () => {
    const env = { AZURE_AUTHORITY_HOST: 'login.microsoftonline.us' };
    const { error } = await ReaderProcess.start({ ...way, env }).readOne(url());
    expect(error?.message).toMatch(
      /AZURE_AUTHORITY_HOST is "login\.microsoftonline\.us", which is no https URL: check it/,
    );
    expect(azure.entra.requests).toEqual([]);
  });

  it('is asked for where AZURE_AUTHORITY_HOST says', async () => {
    const env = { AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us/' };
    await ReaderProcess.start({ ...way, env }).readOne(url());
    expect(azure.entra.requests).toMatchObject([
      { host: 'login.microsoftonline.us', status: 200 },
    ]);
  });
});

it('an assertion that Entra ID does not take any more costs no failed read', async () => {
  const way = await WAYS['a managed identity as client assertion'](azure);
  const reader = ReaderProcess.start(way);
  expect((await reader.readOne(url())).content).toBe('content 0');
  azure.entra.revokeTokens();
  azure.entra.revokeVouchers();
  expect((await reader.readOne(url())).content).toBe('content 0');
  await way.end?.();
});

describe("the machine's own endpoint", () => {
  const credentials = [{ clientId: 'system-assigned' }];
  const integrations = [{ host: 'dev.azure.com', credentials }];

  it('that repeats what it was sent does not give it away', async () => {
    const appService = await ManagedIdentities.appService(azure.entra);
    const { header, environment: env } = appService;
    secrets.add(header);
    const message = `The header ${header} is wrong`;
    appService.misbehave({ status: 403, times: 1, message });
    const reader = ReaderProcess.start({ integrations, env });
    const { error } = await reader.readOne(url());
    await appService.close();
    expect(error?.message).toContain('The header [redacted] is wrong');
  });

  it('that is not there is not looked for behind a proxy', async () => {
    const env = {
      IDENTITY_ENDPOINT: 'http://127.0.0.1:9/token',
      IDENTITY_HEADER: 'header',
    };
    const reader = ReaderProcess.start({ integrations, env });
    const { error } = await reader.readOne(url());
    expect(error?.message).toMatch(/endpoint could not be asked: .*refused/);
    expect(error?.message).not.toContain('HTTPS_PROXY');
  });
});

it('is never shown: not in logs, errors or what is inspected', () => {
  const printed = ReaderProcess.printed.join('');
  expect(printed).toContain('Reading dev.azure.com');
  expect(secrets.size).toBeGreaterThan(20);
  const shown = [...secrets].filter(secret => printed.includes(secret));
  expect(shown).toEqual([]);
});

function credentialOf(way: Way) {
  const [{ credentials }] = way.integrations as [
    {
      credentials: [
        { clientId: string; clientSecret: string; tenantId: string },
      ];
    },
  ];
  return credentials[0];
}
