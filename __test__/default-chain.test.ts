import { spawnSync } from 'node:child_process';
import {
  createPrivateKey,
  generateKeyPairSync,
  randomUUID,
  type KeyObject,
} from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { newCertificate } from './authentication/newCertificate';
import { ReaderProcess } from './authentication/ReaderProcess';
import { standIn, type Hosted } from '../testing/azure-devops';
import { ManagedIdentities } from '../testing/entra/ManagedIdentities';
import { writeTools } from '../testing/entra/tools';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const azure = standIn();

let hosted: Hosted;
let url: string;

beforeAll(async () => {
  hosted = await azure.addRepository({
    organization: 'default-chain',
    project: 'p',
    repository: 'r',
    files: { 'a.txt': 'content' },
  });
  url = hosted.webUrl({ path: '/a.txt' });
});

beforeEach(() => azure.reset());
afterEach(() => ReaderProcess.endAll());

describe('the default chain', () => {
  it('is for organizations that no credential serves', async () => {
    const token = `pat-${randomUUID()}`;
    azure.addToken({ token, organizations: ['another'] });
    const credentials = [
      { personalAccessToken: token, organizations: ['another'] },
    ];
    const reader = ReaderProcess.start({
      integrations: [{ host: 'dev.azure.com', credentials }],
      env: newApp(),
    });
    expect((await reader.readOne(url)).content).toBe('content');
    expect(azure.entra.requests).toHaveLength(1);
  });

  it('is not for an Azure DevOps Server', async () => {
    const reader = ReaderProcess.start({
      integrations: [{ host: azure.host }],
      env: newApp(),
    });
    const { error } = await reader.readOne(
      hosted.webUrl({ path: '/a.txt', at: 'server' }),
    );
    expect(error?.message).toContain('Read with no credential');
    expect(error?.message).not.toContain('credential chain');
    expect(azure.entra.requests).toHaveLength(0);
  });

  it('leaves public projects to be read by anyone', async () => {
    azure.anonymous.add('default-chain');
    const reader = ReaderProcess.start();
    expect((await reader.readOne(url)).content).toBe('content');
    expect(await reader.credentials(url)).toBeNull();
  });

  it('is narrowed by AZURE_TOKEN_CREDENTIALS', async () => {
    const { directory, token } = newTools();
    const env = { ...newApp(), PATH: `${directory}:${process.env.PATH}` };
    for (const [name, expected] of [
      ['prod', expect.not.stringMatching(token)],
      ['dev', token],
      ['AzureCliCredential', token],
      [' azureclicredential ', token],
      ['EnvironmentCredential', expect.not.stringMatching(token)],
    ]) {
      const reader = ReaderProcess.start({
        env: { ...env, AZURE_TOKEN_CREDENTIALS: name },
      });
      const found = await reader.credentials(url);
      expect(found?.token).toEqual(expected);
    }
  });

  it.each([
    [
      'ManagedIdentityCredential',
      /environment: left out by AZURE_TOKEN_CREDENTIALS; .*Azure CLI: left out/,
    ],
    [
      'VisualStudioCredential',
      /AZURE_TOKEN_CREDENTIALS is "VisualStudioCredential": check it, it can be prod, dev, EnvironmentCredential/,
    ],
  ])('says what %s leaves out', async (name, message) => {
    const env = { ...newApp(), AZURE_TOKEN_CREDENTIALS: name };
    const { error } = await ReaderProcess.start({ env }).readOne(url);
    expect(error?.message).toMatch(message);
  });

  it('can be narrowed to any one of its links', async () => {
    const { directory, token } = newTools({}, 'azd');
    const federated = newWorkload('a.jwt.token\r\n');
    for (const [name, expected] of [
      ['AzureDeveloperCliCredential', token],
      ['WorkloadIdentityCredential', expect.not.stringMatching(token)],
    ]) {
      const reader = ReaderProcess.start({
        env: {
          ...federated,
          PATH: `${directory}:${process.env.PATH}`,
          AZURE_TOKEN_CREDENTIALS: name,
        },
      });
      expect((await reader.credentials(url))?.token).toEqual(expected);
    }
  });

  it('goes on with the link that answered first', async () => {
    const { directory, token, tools } = newTools({ expiresInSeconds: 4 });
    const reader = ReaderProcess.start({
      env: { PATH: `${directory}:${process.env.PATH}` },
    });
    expect((await reader.readOne(url)).content).toBe('content');
    await reader.setEnvironment(newApp());
    await wait(4_100);
    expect((await reader.credentials(url))?.token).toBe(token);
    expect(tools.calls()).toHaveLength(2);
    expect(azure.entra.requests).toHaveLength(0);
  });

  it('stops at what is set up and fails, and reads as nobody else', async () => {
    const { directory } = newTools();
    const env = {
      ...newApp(),
      AZURE_CLIENT_SECRET: 'wrong',
      PATH: `${directory}:${process.env.PATH}`,
    };
    const { error } = await ReaderProcess.start({ env }).readOne(url);
    expect(error?.message).toMatch(
      /environment: Entra ID .*AADSTS7000215.*; Azure CLI: not tried, because environment is set up/,
    );
  });

  it('that fails is warned of where reads go on as nobody', async () => {
    azure.anonymous.add('default-chain');
    const env = { ...newApp(), AZURE_CLIENT_SECRET: 'wrong' };
    const { content } = await ReaderProcess.start({ env }).readOne(url);
    expect(content).toBe('content');
    expect(ReaderProcess.printed.join('')).toMatch(
      /Reading dev\.azure\.com, organization default-chain with no credential, because the default credential chain failed: environment: Entra ID .*AADSTS7000215/,
    );
  });

  it('that is set up wrongly is told where there is no connection, too', async () => {
    const env = {
      AZURE_TOKEN_CREDENTIALS: 'unknown',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    };
    const { error } = await ReaderProcess.start({ env }).readOne(url);
    expect(error?.message).toMatch(
      /no connection to dev\.azure\.com.*Read with no credential for dev\.azure\.com, organization default-chain, because the default credential chain failed: AZURE_TOKEN_CREDENTIALS is "unknown": check it/,
    );
  });

  it('that fails is told to other plugins, too', async () => {
    const env = { ...newApp(), AZURE_CLIENT_SECRET: 'wrong' };
    const found = await ReaderProcess.start({ env }).credentials(url);
    expect(found?.error).toMatchObject({
      name: 'AuthenticationError',
      message: expect.stringMatching(
        /^the default credential chain has no token for dev\.azure\.com, organization default-chain: environment: Entra ID .*AADSTS7000215/,
      ),
    });
  });

  it('of which a link answered before does not read as nobody unseen', async () => {
    azure.entra.tokenLifetime = 2;
    const reader = ReaderProcess.start({ env: newApp() });
    expect((await reader.readOne(url)).content).toBe('content');
    await reader.setEnvironment({ AZURE_CLIENT_SECRET: '' });
    azure.misbehave({ status: 404 });
    await wait(2_100);
    const { error } = await reader.readOne(url);
    expect(error?.name).not.toBe('NotFoundError');
    expect(error?.message).toMatch(
      /the default credential chain failed: environment, which answered before: neither AZURE_CLIENT_SECRET nor .*; workload identity: not tried, because environment answered before; managed identity: not tried.*; Azure CLI: not tried.*; Azure Developer CLI: not tried/,
    );
  });

  it.each([
    ['MSI_ENDPOINT', { MSI_ENDPOINT: '' }],
    ['IDENTITY_ENDPOINT', { IDENTITY_ENDPOINT: '', IDENTITY_HEADER: '' }],
  ])('says that %s is set to nothing', async (name, env) => {
    const { error } = await ReaderProcess.start({ env }).readOne(url);
    expect(error?.message).toContain(
      `managed identity: ${name} is set and empty: unset it`,
    );
  });

  it('says that the file of a workload is empty', async () => {
    const { error } = await ReaderProcess.start({
      env: newWorkload('\r\n'),
    }).readOne(url);
    expect(error?.message).toMatch(
      /workload identity: AZURE_FEDERATED_TOKEN_FILE \(.*\) is empty/,
    );
    expect(azure.entra.requests).toEqual([]);
  });

  it('says that a tool failed and said nothing', async () => {
    const directory = newDirectory();
    writeTools(directory, { az: { fails: 'silently' } });
    const env = { PATH: `${directory}:${process.env.PATH}` };
    const { error } = await ReaderProcess.start({ env }).readOne(url);
    expect(error?.message).toContain('Azure CLI: az failed and said nothing;');
  });

  it('that fails is not taken for a repository that is gone', async () => {
    azure.misbehave({ status: 404 });
    const env = { ...newApp(), AZURE_CLIENT_SECRET: 'wrong' };
    const { error } = await ReaderProcess.start({ env }).readOne(url);
    expect(error).toMatchObject({
      name: 'AuthenticationError',
      message: expect.stringContaining('AADSTS7000215'),
    });
  });

  it('reads the token of a workload again after Kubernetes has changed it', async () => {
    const [tenantId, clientId] = [randomUUID(), randomUUID()];
    const file = path.join(newDirectory(), 'token');
    const rotate = (token: string) => {
      writeFileSync(file, token);
      const federated = [{ subject: 'a pod', token }];
      azure.entra.addApp({ tenantId, clientId, federated });
    };
    azure.entra.tokenLifetime = 3;
    rotate('first.jwt.token');
    const reader = ReaderProcess.start({
      env: {
        AZURE_CLIENT_ID: clientId,
        AZURE_TENANT_ID: tenantId,
        AZURE_FEDERATED_TOKEN_FILE: file,
      },
    });
    expect((await reader.readOne(url)).content).toBe('content');
    rotate('second.jwt.token');
    await wait(3_100);
    expect((await reader.readOne(url)).content).toBe('content');
    rmSync(file);
    await wait(3_100);
    const { error } = await reader.readOne(url);
    expect(error?.message).toMatch(
      /workload identity, which answered before: AZURE_FEDERATED_TOKEN_FILE \(.*\) could not be read: No such file/,
    );
  });

  it('takes the managed identity that AZURE_CLIENT_ID names', async () => {
    const appService = await ManagedIdentities.appService(azure.entra);
    const clientId = randomUUID();
    appService.identities.push({ clientId });
    const env = { ...appService.environment, AZURE_CLIENT_ID: clientId };
    const reader = ReaderProcess.start({ env });
    expect((await reader.readOne(url)).content).toBe('content');
    await appService.close();
  });

  it('does not wait for a tool for ever, nor leave it behind', async () => {
    const directory = newDirectory();
    writeTools(directory, { az: { hangs: true } });
    const reader = ReaderProcess.start({
      env: { PATH: `${directory}:${process.env.PATH}` },
    });
    const { error, ms } = await reader.readOne(url);
    expect(error?.message).toMatch(
      /Azure CLI: az was still running after 13 seconds/,
    );
    expect(ms).toBeLessThan(20_000);
    await wait(200);
    expect(writtenPids(directory).map(isRunning)).toEqual([false]);
  });
});

describe('a certificate', () => {
  let own: { certificate: string; key: string };

  beforeAll(async () => {
    own = await newCertificate();
  });

  it.each(['pkcs1', 'pkcs8'] as const)('may have a key in %s', async type => {
    const key = createPrivateKey(own.key).export({ format: 'pem', type });
    const reader = withCertificate(`${own.certificate}\n${key}`);
    expect((await reader.readOne(url)).content).toBe('content');
  });

  const encryption = { cipher: 'aes-256-cbc', passphrase: 'password' };
  const isEncrypted = 'has an encrypted key, which cannot be used';
  const isNotPem =
    'is not PEM: convert a PFX (PKCS#12) or DER file, with the key and without a password';

  it.each<[string, string, (key: KeyObject, certificate: string) => Content]>([
    [
      'a key that is encrypted as PKCS#1 is',
      isEncrypted,
      (key, certificate) =>
        certificate +
        key.export({ format: 'pem', type: 'pkcs1', ...encryption }),
    ],
    [
      'a key that is encrypted as PKCS#8 is',
      isEncrypted,
      (key, certificate) =>
        certificate +
        key.export({ format: 'pem', type: 'pkcs8', ...encryption }),
    ],
    [
      'a key of an elliptic curve',
      'has a key that is not of RSA',
      (_key, certificate) => certificate + ellipticKey('sec1'),
    ],
    [
      'a key of an elliptic curve in PKCS#8',
      'has a key that is not of RSA',
      (_key, certificate) => certificate + ellipticKey('pkcs8'),
    ],
    [
      'no key',
      'holds no private key in PEM',
      (_key, certificate) => certificate,
    ],
    [
      'no certificate',
      'holds no certificate in PEM',
      key => String(key.export({ format: 'pem', type: 'pkcs8' })),
    ],
    ['DER', isNotPem, key => key.export({ format: 'der', type: 'pkcs8' })],
  ])('with %s is told as such', async (_what, why, content) => {
    const key = createPrivateKey(own.key);
    const reader = withCertificate(content(key, `${own.certificate}\n`));
    const { error } = await reader.readOne(url);
    expect(error?.message).toContain('environment: the certificate ');
    expect(error?.message).toContain(` ${why}`);
    expect(azure.entra.requests).toEqual([]);
  });

  function withCertificate(content: Content): ReaderProcess {
    const [tenantId, clientId] = [randomUUID(), randomUUID()];
    const file = path.join(newDirectory(), 'app.pem');
    writeFileSync(file, content);
    const certificates = [own.certificate];
    azure.entra.addApp({ tenantId, clientId, certificates });
    return ReaderProcess.start({
      env: {
        AZURE_CLIENT_ID: clientId,
        AZURE_TENANT_ID: tenantId,
        AZURE_CLIENT_CERTIFICATE_PATH: file,
      },
    });
  }
});

describe('a managed identity on Kubernetes', () => {
  it('is the one for which Kubernetes vouches', async () => {
    const [tenantId, clientId] = [randomUUID(), randomUUID()];
    const file = path.join(newDirectory(), 'token');
    writeFileSync(file, 'a.jwt.token\n');
    const federated = [{ subject: 'a pod', token: 'a.jwt.token' }];
    azure.entra.addApp({ tenantId, clientId, federated });
    const reader = ReaderProcess.start({
      integrations: [{ host: 'dev.azure.com', credentials: [{ clientId }] }],
      env: { AZURE_TENANT_ID: tenantId, AZURE_FEDERATED_TOKEN_FILE: file },
    });
    expect((await reader.readOne(url)).content).toBe('content');
  });
});

type Content = string | Buffer;

function ellipticKey(type: 'sec1' | 'pkcs8'): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return String(privateKey.export({ format: 'pem', type }));
}

/** An app of the environment. */
function newApp(): Record<string, string> {
  const [tenantId, clientId, secret] = [
    randomUUID(),
    randomUUID(),
    randomUUID(),
  ];
  azure.entra.addApp({ tenantId, clientId, secrets: [secret] });
  return {
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: secret,
  };
}

/** A workload of the environment, with this in its file. */
function newWorkload(content: string): Record<string, string> {
  const [tenantId, clientId] = [randomUUID(), randomUUID()];
  const file = path.join(newDirectory(), 'token');
  writeFileSync(file, content);
  const federated = [{ subject: 'a pod', token: content.trim() }];
  azure.entra.addApp({ tenantId, clientId, federated });
  return {
    AZURE_CLIENT_ID: clientId,
    AZURE_TENANT_ID: tenantId,
    AZURE_FEDERATED_TOKEN_FILE: file,
  };
}

/** A directory with a tool whose account may read. */
function newTools(
  options: { expiresInSeconds?: number } = {},
  tool: 'az' | 'azd' = 'az',
) {
  const directory = newDirectory();
  const token = `cli-${randomUUID()}`;
  azure.addToken(token);
  const tools = writeTools(directory, { [tool]: { token, ...options } });
  return { directory, token, tools };
}

function newDirectory(): string {
  return temporaryFolder('default-chain');
}

/** What the tools that hang have written of themselves. */
function writtenPids(directory: string): number[] {
  const text = readFileSync(path.join(directory, 'pids'), 'utf8');
  return text.trim().split('\n').map(Number);
}

/** Whether a process runs; one that has ended may wait to be noticed. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)]);
  return /^[^Z\s]/.test(String(stdout));
}
