// What both sides of a benchmark are given: the stand-in, and a reader of one of the packages.
import { fileURLToPath } from 'node:url';
import { Child } from './child.mjs';

export const SUBJECTS = ['native', 'upstream'];

/** Starts the stand-in Azure DevOps, in TypeScript, apart from those that read. */
export function startStandIn() {
  const script = fileURLToPath(new URL('stand-in.mjs', import.meta.url));
  return new Child(script, { execArgv: ['--import', 'tsx'] });
}

/** Leads Node's own `fetch` the way that the environment names, which native code goes by itself. */
export async function leadFetchThroughProxy() {
  const { ProxyAgent, setGlobalDispatcher } = await import('undici');
  setGlobalDispatcher(new ProxyAgent(process.env.HTTPS_PROXY));
}

/** The `integrations.azure` with which the stand-in is read, by one token or by others as well. */
export function azureConfig(token, others = []) {
  const credentials = [{ personalAccessToken: token }, ...others];
  return [{ host: 'dev.azure.com', credentials }];
}

/**
 * A reader of the stand-in, which is read by a token and by `others`, credentials that name their
 * organizations; or of what `azure` configures.
 *
 * @param {string} subject
 * @param {{ token?: string, others?: object[], azure?: object[], workingDirectory: string }} options
 */
export async function newReader(
  subject,
  { token, others, azure = azureConfig(token, others), workingDirectory },
) {
  const { ConfigReader } = await import('@backstage/config');
  const { UrlReaders, AzureUrlReader: Upstream } =
    await import('@backstage/backend-defaults/urlReader');
  const { AzureUrlReader } =
    subject === 'native'
      ? await import('backstage-azure-devops-native')
      : { AzureUrlReader: Upstream };
  const config = new ConfigReader({
    backend: { workingDirectory },
    integrations: { azure },
  });
  const factories = [AzureUrlReader.factory];
  return UrlReaders.create({ config, logger: quiet, factories });
}

/** A logger that says only what is wrong. */
const quiet = {
  child: () => quiet,
  info() {},
  debug() {},
  warn: message => console.error(message),
  error: message => console.error(message),
};
