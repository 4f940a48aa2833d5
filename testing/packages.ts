/** The two packages that are asked the same questions. */
import {
  AzureIntegration,
  DefaultAzureDevOpsCredentialsProvider,
  ScmIntegrations,
  getAzureCommitsUrl,
  getAzureDownloadUrl,
  getAzureFileFetchUrl,
  readAzureIntegrationConfig,
  readAzureIntegrationConfigs,
} from '@backstage/integration';
import { AzureUrlReader } from '@backstage/backend-defaults/urlReader';
import { dirname, join } from 'node:path';
import * as native from 'backstage-azure-devops-native';
import { satisfies } from 'semver';

/** What upstream and this package have in common, with the types of this one. */
export type Package = Pick<
  typeof native,
  | 'AzureIntegration'
  | 'AzureUrl'
  | 'AzureUrlReader'
  | 'DefaultAzureDevOpsCredentialsProvider'
  | 'getAzureCommitsUrl'
  | 'getAzureDownloadUrl'
  | 'getAzureFileFetchUrl'
  | 'readAzureIntegrationConfig'
  | 'readAzureIntegrationConfigs'
>;

export const here: Package = native;

/** The oracle. Its classes have private members, so the types do not meet though the shapes do. */
export const upstream = {
  AzureIntegration,
  AzureUrl: internalAzureUrl(),
  AzureUrlReader,
  DefaultAzureDevOpsCredentialsProvider,
  getAzureCommitsUrl,
  getAzureDownloadUrl,
  getAzureFileFetchUrl,
  readAzureIntegrationConfig,
  readAzureIntegrationConfigs,
} as unknown as Package;

export { ScmIntegrations };

/** The version of `@backstage/backend-defaults`, which says that of all that it is released with. */
export const { version: upstreamVersion } =
  require('@backstage/backend-defaults/package.json') as { version: string };

/** Whether the upstream that is installed is one of these versions; without a range, it is. */
export function isUpstream(versions = '*'): boolean {
  return satisfies(upstreamVersion, versions, { includePrerelease: true });
}

/** Upstream does not export its `AzureUrl`, and `exports` hides the file from its name. */
function internalAzureUrl(): unknown {
  const folder = dirname(require.resolve('@backstage/integration'));
  return require(join(folder, 'azure', 'AzureUrl.cjs.js')).AzureUrl;
}
