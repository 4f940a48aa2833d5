import { TestEnvironment } from 'jest-environment-node';
import { appendFileSync, readFileSync } from 'node:fs';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { AzureDevOps } from '../testing/azure-devops/AzureDevOps';

const STAND_IN = Symbol.for('backstage-azure-devops-native.stand-in');
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');

type Shared = Record<symbol, Promise<AzureDevOps> | Dispatcher | undefined>;

/**
 * Gives tests a stand-in Azure DevOps, one for the whole worker process.
 *
 * It runs outside of the tests' sandbox, because native code reads the process's real environment
 * and not the copy that tests see: the proxy and the authority have to be there before it is first
 * used, and stay the same from one test file to the next.
 */
export default class StandInEnvironment extends TestEnvironment {
  override async setup(): Promise<void> {
    await super.setup();
    const shared = globalThis as unknown as Shared;
    shared[STAND_IN] ??= start();
    this.global.azure = await shared[STAND_IN];
  }

  override async teardown(): Promise<void> {
    (this.global.azure as AzureDevOps | undefined)?.reset();
    await super.teardown();
  }
}

async function start(): Promise<AzureDevOps> {
  const azure = await AzureDevOps.start();
  azure.unref();
  const ca = trustAuthority(azure.caFile);
  for (const name of ['HTTPS_PROXY', 'https_proxy'])
    process.env[name] = azure.proxyUrl;
  for (const name of ['NO_PROXY', 'no_proxy'])
    process.env[name] = '127.0.0.1,localhost';
  leadFetchThrough(azure.proxyUrl, ca);
  forgetWhoIsSignedIn();
  return azure;
}

/** The tests run as nobody: neither who starts them nor the identity of the machine counts. */
function forgetWhoIsSignedIn(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AZURE_')) delete process.env[name];
  }
  process.env.AZURE_TOKEN_CREDENTIALS = 'EnvironmentCredential';
}

/** Native code trusts what is in this file; what the machine needs besides is kept in it. */
function trustAuthority(caFile: string): string {
  const ca = readFileSync(caFile, 'utf8');
  const others = process.env.NODE_EXTRA_CA_CERTS;
  if (others && others !== caFile) appendFileSync(caFile, readFileSync(others));
  process.env.NODE_EXTRA_CA_CERTS = caFile;
  return ca;
}

/** Node's own `fetch`, with which upstream reads, goes the way that native code goes. */
function leadFetchThrough(proxyUrl: string, ca: string): void {
  const direct = new Agent();
  const proxied = new ProxyAgent({ uri: proxyUrl, requestTls: { ca } });
  const route: Dispatcher.DispatcherComposeInterceptor =
    () => (options, handler) => {
      const isPlain = String(options.origin).startsWith('http:');
      return (isPlain ? direct : proxied).dispatch(options, handler);
    };
  (globalThis as unknown as Shared)[DISPATCHER] = direct.compose(route);
}
