/**
 * Reads once in a network of its own: without credentials, and, as its argument says, with an
 * instance metadata service or with one from which nothing ever comes. Prints what came of it.
 */
import { ConfigReader } from '@backstage/config';
import { once } from 'node:events';
import http from 'node:http';
import { AzureDevOps } from '../../testing/azure-devops/AzureDevOps';
import {
  ManagedIdentities,
  type AssignedIdentity,
} from '../../testing/entra/ManagedIdentities';
import type { Outcome } from './ReaderProcess';

/** What to set up, and to read as. */
export interface NamespaceTask {
  /** The identities that the metadata service has; it is not there without. */
  identities?: AssignedIdentity[];
  /** Who answers in its place: with nothing, with a page, or with a page of trouble. */
  stranger?: 'silence' | 'page' | 'trouble';
  /** Statuses with which it answers at first. */
  faults?: number[];
  credentials?: object[];
  reads: number;
}

/** What came of it. */
export interface NamespaceOutcome {
  outcomes: Outcome[];
  /** The queries that the metadata service saw. */
  asked: Array<Record<string, string>>;
}

async function main(task: NamespaceTask): Promise<NamespaceOutcome> {
  const azure = await AzureDevOps.start();
  azure.unref();
  Object.assign(process.env, {
    HTTP_PROXY: azure.proxyUrl,
    HTTPS_PROXY: azure.proxyUrl,
    NODE_EXTRA_CA_CERTS: azure.caFile,
  });
  const imds = task.identities && (await ManagedIdentities.imds(azure.entra));
  imds?.identities.push(...(task.identities ?? []));
  task.faults?.forEach(status => imds?.misbehave({ status, times: 1 }));
  if (task.stranger) await startStranger(task.stranger);
  const url = await aFile(azure);
  const reader = await newReader(url, task.credentials);
  const reads = Array.from({ length: task.reads }, () => read(reader, url));
  const outcomes = await Promise.all(reads);
  await azure.close();
  const asked = (imds?.requests ?? []).map(query => Object.fromEntries(query));
  return { outcomes, asked };
}

/** Somebody else at the address of the metadata service. */
async function startStranger(kind: string): Promise<void> {
  const server = http.createServer((_request, response) => {
    if (kind === 'silence') return;
    response.writeHead(kind === 'page' ? 404 : 503, {
      'content-type': 'text/html',
    });
    response.end('<html>Who are you?</html>');
  });
  server.listen(80, '169.254.169.254');
  await once(server, 'listening');
  server.unref();
}

async function aFile(azure: AzureDevOps): Promise<string> {
  const hosted = await azure.addRepository({
    organization: 'namespace',
    project: 'p',
    repository: 'r',
    files: { 'a.txt': 'content' },
  });
  return hosted.webUrl({ path: '/a.txt' });
}

type Reader = { read(url: string): Promise<Buffer> };

/** Loaded late: what the environment says has to be there before. */
async function newReader(url: string, credentials?: object[]): Promise<Reader> {
  const { AzureIntegration, AzureUrlReader, ...own } =
    await import('backstage-azure-devops-native');
  const { DefaultAzureDevOpsCredentialsProvider: Provider } = own;
  const entry = { host: 'dev.azure.com', credentials };
  const config = new ConfigReader({
    integrations: { azure: [entry] },
  } as never);
  const azure = AzureIntegration.factory({ config });
  return new AzureUrlReader(azure.byUrl(url)!, {
    credentialsProvider: Provider.fromIntegrations({ azure }),
    treeResponseFactory: undefined as never,
  });
}

async function read(reader: Reader, url: string): Promise<Outcome> {
  const startedAt = performance.now();
  const ms = () => performance.now() - startedAt;
  try {
    return { content: (await reader.read(url)).toString(), ms: ms() };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: { name, message }, ms: ms() };
  }
}

void main(JSON.parse(process.argv[2])).then(outcome => {
  console.log(JSON.stringify(outcome));
  process.exit();
});
