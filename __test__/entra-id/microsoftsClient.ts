/**
 * Asks for a token of Azure DevOps through Microsoft's client, in a process of its own:
 * `microsoftsClient.ts CREDENTIAL [OPTIONS]`. With `IMDS=CLIENT-ID…` in its environment, the
 * metadata service is there first, with these identities. It prints an `Outcome`.
 */
import {
  AzureCliCredential,
  AzureDeveloperCliCredential,
  ManagedIdentityCredential,
} from '@azure/identity';
import { AZURE_DEVOPS, EntraId } from './EntraId';
import { Imds } from './Imds';

/** What came of it. */
export interface Outcome {
  token?: string;
  expiresOnTimestamp?: number;
  error?: string;
  /** The tokens that the metadata service's identities got. */
  issued: string[];
}

const CREDENTIALS = {
  AzureCliCredential,
  AzureDeveloperCliCredential,
  ManagedIdentityCredential,
};

async function main(): Promise<void> {
  const [name, options = '{}'] = process.argv.slice(2);
  const entra = new EntraId();
  if (process.env.IMDS !== undefined) {
    const imds = await Imds.start(entra);
    imds.identities = process.env.IMDS.split(',').map(clientId =>
      clientId ? { clientId } : {},
    );
  }
  const Credential = CREDENTIALS[name as keyof typeof CREDENTIALS];
  const outcome = await ask(new Credential(JSON.parse(options)));
  console.log(JSON.stringify({ ...outcome, issued: entra.issued }));
}

async function ask(
  credential: InstanceType<(typeof CREDENTIALS)[keyof typeof CREDENTIALS]>,
): Promise<Omit<Outcome, 'issued'>> {
  try {
    return await credential.getToken(`${AZURE_DEVOPS}/.default`);
  } catch (error) {
    return { error: String(error) };
  }
}

void main();
