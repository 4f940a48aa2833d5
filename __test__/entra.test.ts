import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { standIn } from '../testing/azure-devops';
import { newCertificate } from './authentication/newCertificate';
import { askMicrosoft as ask } from '../testing/entra/askMicrosoft';
import { ManagedIdentities } from '../testing/entra/ManagedIdentities';
import { writeTools } from '../testing/entra/tools';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const azure = standIn();
const HOUR = 3_600_000;

const [tenantId, clientId] = [randomUUID(), randomUUID()];
const options = {
  disableInstanceDiscovery: true,
  retryOptions: { maxRetries: 0 },
};

beforeEach(() => azure.reset());

describe("the stand-in for Entra ID, asked by Microsoft's own client", () => {
  it('gives tokens for a secret', async () => {
    azure.entra.addApp({ tenantId, clientId, secrets: ['good'] });
    const given = [tenantId, clientId, 'good', options];
    const { token, expiresOnTimestamp } = await ask(
      'ClientSecretCredential',
      given,
    );
    expect(token).toBe(lastIssued());
    expect(expiresOnTimestamp).toBeLessThanOrEqual(Date.now() + HOUR);
  });

  it.each([
    ['AADSTS7000215: Invalid client secret', { secrets: ['another'] }],
    ['AADSTS7000222: The provided client secret', { expiredSecrets: ['good'] }],
    ['AADSTS700016: Application with', { clientId: randomUUID() }],
    ['AADSTS90002: Tenant', { tenantId: randomUUID() }],
  ])('refuses with %s', async (message, app) => {
    azure.entra.addApp({ tenantId: randomUUID(), clientId });
    azure.entra.addApp({ tenantId, clientId, ...app });
    const asked = { tenantId: 'tenantId' in app ? randomUUID() : tenantId };
    const given = [asked.tenantId, clientId, 'good', options];
    const { error } = await ask('ClientSecretCredential', given);
    expect(error).toContain(message);
  });

  it('gives tokens for a certificate, and only for the right one', async () => {
    const [right, wrong] = [await newCertificate(), await newCertificate()];
    const certificates = [right.certificate];
    azure.entra.addApp({ tenantId, clientId, certificates });
    const { token } = await askWithCertificate(right);
    expect(token).toBe(lastIssued());
    const { error } = await askWithCertificate(wrong);
    expect(error).toContain('AADSTS700027');
  });

  it('gives tokens to workloads', async () => {
    const federated = [{ subject: 'a pod', token: 'a.federated.token' }];
    azure.entra.addApp({ tenantId, clientId, federated });
    const tokenFilePath = newFile('token', 'a.federated.token');
    const { token } = await ask('WorkloadIdentityCredential', [
      { tenantId, clientId, tokenFilePath, ...options },
    ]);
    expect(token).toBe(lastIssued());
  });

  it.each([[clientId], [undefined]])(
    'gives tokens to the managed identity %s on App Service',
    async id => {
      const appService = await ManagedIdentities.appService(azure.entra);
      appService.identities.push({ clientId: id });
      const given = id ? [{ clientId: id }] : [];
      const env = appService.environment;
      const { token } = await ask('ManagedIdentityCredential', given, env);
      await appService.close();
      expect(token).toBe(lastIssued());
    },
  );

  it.each([
    ['AzureCliCredential', 'az', /az login/],
    ['AzureDeveloperCliCredential', 'azd', /azd auth login/],
  ])('has what %s reads', async (name, tool, refusal) => {
    const directory = newDirectory();
    const env = { PATH: `${directory}:${process.env.PATH}` };
    writeTools(directory, { [tool]: { token: 'of a developer' } });
    const { token, expiresOnTimestamp } = await ask(name, [], env);
    expect(token).toBe('of a developer');
    expect(expiresOnTimestamp).toBeGreaterThan(Date.now() + HOUR - 60_000);
    writeTools(directory, { [tool]: { fails: 'not logged in' } });
    expect((await ask(name, [], env)).error).toMatch(refusal);
  });
});

/** The token that was issued last; there is one. */
function lastIssued(): string {
  const token = azure.entra.issued.at(-1);
  if (!token) throw new Error('No token was issued');
  return token;
}

function askWithCertificate(own: { certificate: string; key: string }) {
  const certificatePath = newFile(
    'app.pem',
    `${own.key}\n${own.certificate}\n`,
  );
  const given = [tenantId, clientId, { certificatePath }, options];
  return ask('ClientCertificateCredential', given);
}

function newDirectory(): string {
  return temporaryFolder('entra');
}

function newFile(name: string, content: string): string {
  const file = path.join(newDirectory(), name);
  writeFileSync(file, content);
  return file;
}
