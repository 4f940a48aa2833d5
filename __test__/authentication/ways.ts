/** The ways to sign in, each set up on the stand-ins. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { AzureDevOps } from '../../testing/azure-devops';
import { ManagedIdentities } from '../../testing/entra/ManagedIdentities';
import { writeTools } from '../../testing/entra/tools';
import { newCertificate } from './newCertificate';
import type { ProcessOptions } from './ReaderProcess';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

/** One way, ready to be used. */
export interface Way extends ProcessOptions {
  /** How often a token was asked for. */
  asked(): number;
  /** Makes every further request for a token refused. */
  refuse(): void;
  /** How the refusal is told. */
  refusal: RegExp;
  /** What may be seen nowhere. */
  secrets: string[];
  /** Gives back what was taken. */
  end?(): Promise<void>;
}

type SetUp = (azure: AzureDevOps) => Promise<Way>;

const newId = () => randomUUID();
const newDirectory = () => temporaryFolder('sign-in');

const servicePrincipal: SetUp = async ({ entra }) => {
  const [tenantId, clientId, secret] = [newId(), newId(), `s3cret-${newId()}`];
  entra.addApp({ tenantId, clientId, secrets: [secret] });
  return {
    integrations: azureWith({ clientId, clientSecret: secret, tenantId }),
    secrets: [secret],
    asked: () => entra.requests.length,
    refuse: () => entra.addApp({ tenantId, clientId, secrets: ['another'] }),
    refusal:
      /a service principal \(integrations\.azure\[\d\]\.credentials\[\d\]\) has no token for dev\.azure\.com, organization \S+: Entra ID \(login\.microsoftonline\.com\) refused, 401: AADSTS7000215: .*Check that clientSecret/,
  };
};

function managedIdentity(isUserAssigned: boolean): SetUp {
  return async ({ entra }) => {
    const appService = await ManagedIdentities.appService(entra);
    const clientId = isUserAssigned ? newId() : undefined;
    appService.identities = [{ clientId }];
    return {
      integrations: azureWith({ clientId: clientId ?? 'system-assigned' }),
      env: appService.environment,
      secrets: [appService.header],
      asked: () => appService.requests.length,
      refuse: () => {
        appService.identities = [];
      },
      refusal:
        /a managed identity \(integrations\.azure\[\d\]\.credentials\[\d\]\) has no token for dev\.azure\.com, organization \S+: the machine's managed identity endpoint refused, 400: .*Check that the identity is assigned to this machine/,
      end: () => appService.close(),
    };
  };
}

const clientAssertion: SetUp = async ({ entra }) => {
  const appService = await ManagedIdentities.appService(entra);
  const [tenantId, clientId, voucher] = [newId(), newId(), newId()];
  appService.identities = [{ clientId: voucher }];
  entra.addApp({ tenantId, clientId, federated: [{ subject: voucher }] });
  return {
    integrations: azureWith({
      clientId,
      managedIdentityClientId: voucher,
      tenantId,
    }),
    env: appService.environment,
    secrets: [appService.header],
    asked: () => Math.max(entra.requests.length, appService.requests.length),
    refuse: () => entra.addApp({ tenantId, clientId }),
    refusal:
      /a service principal for which a managed identity vouches \(integrations\.azure\[\d\]\.credentials\[\d\]\) has no token for dev\.azure\.com, organization \S+: Entra ID \(\S+\) refused, 40\d: AADSTS70025: .*Check the app's federated credentials/,
    end: () => appService.close(),
  };
};

const personalAccessToken: SetUp = async azure => {
  const token = `pat-${newId()}`;
  azure.addToken(token);
  return {
    integrations: azureWith({ personalAccessToken: token }),
    secrets: [token, Buffer.from(`:${token}`).toString('base64')],
    asked: () => 1,
    refuse: () => azure.revokeToken(token),
    refusal:
      /401 Unauthorized.* Read with a personal access token \(integrations\.azure\[\d\]\.credentials\[\d\]\) for dev\.azure\.com, organization \S+: check that the token has not expired.* Code \(Read\)/,
  };
};

const environmentSecret: SetUp = async azure => {
  const way = await servicePrincipal(azure);
  const [{ credentials }] = way.integrations as [{ credentials: Secret[] }];
  const [{ clientId, clientSecret, tenantId }] = credentials;
  return {
    ...way,
    integrations: [],
    env: {
      AZURE_CLIENT_ID: clientId,
      AZURE_CLIENT_SECRET: clientSecret,
      AZURE_TENANT_ID: tenantId,
    },
    refusal:
      /Read with no credential for dev\.azure\.com, organization \S+, because the default credential chain failed: environment: Entra ID .* refused, 401: AADSTS7000215: .*; workload identity: not tried, because environment is set up/,
  };
};

function certificate(isInFile: boolean): SetUp {
  return async ({ entra }) => {
    const [tenantId, clientId] = [newId(), newId()];
    const own = await newCertificate();
    const pem = `${own.key}\n${own.certificate}\n`;
    const file = path.join(newDirectory(), 'app.pem');
    if (isInFile) writeFileSync(file, pem);
    const where = isInFile
      ? { clientCertificatePath: file }
      : { clientCertificate: pem };
    entra.addApp({ tenantId, clientId, certificates: [own.certificate] });
    return {
      integrations: azureWith({ clientId, tenantId, ...where }),
      secrets: linesOf(own.key),
      asked: () => entra.requests.length,
      refuse: () => entra.addApp({ tenantId, clientId }),
      refusal:
        /a service principal with a certificate \(integrations\.azure\[\d\]\.credentials\[\d\]\) has no token for dev\.azure\.com, organization \S+: Entra ID \(login\.microsoftonline\.com\) refused, 401: AADSTS700027: .*Check that the certificate is the app's/,
    };
  };
}

const environmentCertificate: SetUp = async ({ entra }) => {
  const [tenantId, clientId] = [newId(), newId()];
  const own = await newCertificate();
  const file = path.join(newDirectory(), 'app.pem');
  writeFileSync(file, `${own.key}\n${own.certificate}\n`);
  entra.addApp({ tenantId, clientId, certificates: [own.certificate] });
  return {
    env: {
      AZURE_CLIENT_ID: clientId,
      AZURE_CLIENT_CERTIFICATE_PATH: file,
      AZURE_TENANT_ID: tenantId,
    },
    secrets: linesOf(own.key),
    asked: () => entra.requests.length,
    refuse: () => entra.addApp({ tenantId, clientId }),
    refusal:
      /environment: Entra ID .* refused, 401: AADSTS700027: .*Check that the certificate is the app's/,
  };
};

const workloadIdentity: SetUp = async ({ entra }) => {
  const [tenantId, clientId, token] = [newId(), newId(), `jwt-${newId()}`];
  const file = path.join(newDirectory(), 'token');
  writeFileSync(file, token);
  const federated = [{ subject: 'system:serviceaccount:backstage', token }];
  entra.addApp({ tenantId, clientId, federated });
  return {
    env: {
      AZURE_CLIENT_ID: clientId,
      AZURE_FEDERATED_TOKEN_FILE: file,
      AZURE_TENANT_ID: tenantId,
    },
    secrets: [token],
    asked: () => entra.requests.length,
    refuse: () => entra.addApp({ tenantId, clientId }),
    refusal:
      /because the default credential chain failed: workload identity: Entra ID .* refused, 40\d: AADSTS70025: /,
  };
};

const machinesIdentity: SetUp = async azure => {
  const way = await managedIdentity(false)(azure);
  return {
    ...way,
    integrations: [],
    refusal:
      /managed identity: the machine's managed identity endpoint refused, 400: .*; Azure CLI: /,
  };
};

function developerTool(name: 'az' | 'azd'): SetUp {
  return async azure => {
    const directory = newDirectory();
    const token = `cli-${newId()}`;
    azure.addToken(token);
    const tools = writeTools(directory, { [name]: { token } });
    return {
      env: { PATH: `${directory}:${process.env.PATH}` },
      secrets: [token],
      asked: () => tools.calls().length,
      refuse: () =>
        writeTools(directory, { [name]: { fails: 'not logged in' } }),
      refusal:
        name === 'az'
          ? /Azure CLI: ERROR: Please run 'az login' to setup account\.; Azure Developer CLI: azd not found on PATH/
          : /Azure CLI: az not found on PATH; Azure Developer CLI: .*azd auth login/,
    };
  };
}

/** Every way, by its name. */
export const WAYS: Record<string, SetUp> = {
  'a service principal': servicePrincipal,
  'a service principal with a certificate': certificate(false),
  'a service principal with a certificate in a file': certificate(true),
  'a user-assigned managed identity': managedIdentity(true),
  'the system-assigned managed identity': managedIdentity(false),
  'a managed identity as client assertion': clientAssertion,
  'a personal access token': personalAccessToken,
  'the environment, with a secret': environmentSecret,
  'the environment, with a certificate': environmentCertificate,
  'a workload identity': workloadIdentity,
  'the managed identity of the default chain': machinesIdentity,
  'the Azure CLI': developerTool('az'),
  'the Azure Developer CLI': developerTool('azd'),
};

type Secret = { clientId: string; clientSecret: string; tenantId: string };

/** What of a key in PEM is secret: each of its lines, because they are shown one by one. */
function linesOf(key: string): string[] {
  return key.split('\n').filter(line => line && !line.startsWith('-----'));
}

function azureWith(credential: object): unknown[] {
  return [{ host: 'dev.azure.com', credentials: [credential] }];
}
