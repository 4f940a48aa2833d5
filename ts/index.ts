/**
 * Azure DevOps for Backstage: a drop-in `UrlReader` and `ScmIntegration` with a Rust core.
 *
 * @packageDocumentation
 */

export { azureUrlReaderServiceFactory as default } from './azureUrlReaderServiceFactory';
export * from './AzureDevOpsCredentialsProvider';
export { AzureIntegration } from './AzureIntegration';
export { AzureUrl } from './AzureUrl';
export { AzureUrlReader, type AzureUrlReaderDeps } from './AzureUrlReader';
export {
  getAzureCommitsUrl,
  getAzureDownloadUrl,
  getAzureFileFetchUrl,
} from './core';
export { DefaultAzureDevOpsCredentialsProvider } from './DefaultAzureDevOpsCredentialsProvider';
export {
  readAzureIntegrationConfig,
  readAzureIntegrationConfigs,
} from './readAzureIntegrationConfig';
export type { AzureReadMessage } from './readsChannel';
export * from './types';
