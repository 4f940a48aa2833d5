// A process that reads as it is told, a line of JSON in, a line of JSON out. Argument: the
// `integrations.azure` of its configuration.
import { ConfigReader } from '@backstage/config';
import {
  AzureIntegration,
  AzureUrlReader,
  DefaultAzureDevOpsCredentialsProvider,
} from 'backstage-azure-devops-native';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { inspect } from 'node:util';
import {
  isMainThread,
  parentPort,
  Worker,
  workerData,
} from 'node:worker_threads';

const azure = AzureIntegration.factory({
  config: new ConfigReader({
    integrations: { azure: JSON.parse(process.argv[2]) },
  }),
});

/** As every plugin does: providers and readers of its own. */
function newProvider() {
  return DefaultAzureDevOpsCredentialsProvider.fromIntegrations({ azure });
}

function newReader(url, credentialsProvider = newProvider()) {
  return new AzureUrlReader(azure.byUrl(url), {
    credentialsProvider,
    logger: { info: console.error, warn: console.error },
  });
}

async function read(url, { abortAfterMs } = {}) {
  const startedAt = performance.now();
  const signal = abortAfterMs ? AbortSignal.timeout(abortAfterMs) : undefined;
  const provider = newProvider();
  try {
    const response = await newReader(url, provider).readUrl(url, { signal });
    const content = (await response.buffer()).toString();
    return { content, ms: performance.now() - startedAt };
  } catch (error) {
    return { ...told(error), ms: performance.now() - startedAt };
  } finally {
    console.error(inspect(provider, { depth: 9, showHidden: true }));
  }
}

async function credentials(url) {
  try {
    const found = await newProvider().getCredentials({ url });
    console.error(inspect(found, { depth: 9 }));
    return found ?? null;
  } catch (error) {
    return told(error);
  }
}

async function readInWorker(url) {
  const argv = process.argv.slice(2);
  const script = new URL(import.meta.url);
  const [said] = await once(
    new Worker(script, { argv, workerData: { url } }),
    'message',
  );
  return said;
}

function told(error) {
  console.error(inspect(error, { depth: 9, showHidden: true }));
  return { error: { name: error.name, message: error.message } };
}

const commands = {
  read: ({ urls, ...options }) =>
    Promise.all(urls.map(url => read(url, options))),
  credentials: ({ url }) => credentials(url),
  workers: ({ url, count }) =>
    Promise.all(Array.from({ length: count }, () => readInWorker(url))),
  environment: ({ variables }) => {
    Object.assign(process.env, variables);
    return null;
  },
};

async function obey() {
  console.error(inspect(azure.list(), { depth: 9, showHidden: true }));
  for await (const line of createInterface({ input: process.stdin })) {
    const { command, ...options } = JSON.parse(line);
    const answer = await commands[command](options);
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

if (isMainThread) {
  await obey();
} else {
  const { content, error } = await read(workerData.url);
  parentPort.postMessage(content ?? error.message);
}
