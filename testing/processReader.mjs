// Makes a reader for the host of a URL, in a process that a test starts as plain Node.
import { createRequire } from 'node:module';

const {
  AzureIntegration,
  AzureUrlReader,
  DefaultAzureDevOpsCredentialsProvider,
} = createRequire(import.meta.url)('backstage-azure-devops-native');

/**
 * @param {string} url
 * @param {object} [config] - What stands under the host in the app-config.
 * @param {object} [logger]
 */
export function readerOf(url, config, logger) {
  const { host } = new URL(url);
  const integration = new AzureIntegration({ host, ...config });
  const azure = { list: () => [integration] };
  const credentialsProvider =
    DefaultAzureDevOpsCredentialsProvider.fromIntegrations({ azure });
  return new AzureUrlReader(integration, { credentialsProvider, logger });
}
