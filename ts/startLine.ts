import type { RootConfigService } from '@backstage/backend-plugin-api';
import { native } from './binding';
import { limitCache } from './limitCache';
import { readAzureIntegrationConfigs } from './readAzureIntegrationConfig';
import type { AzureDevOpsCredential, AzureIntegrationConfig } from './types';

/** What kinds of credential are called. */
const KINDS: Record<AzureDevOpsCredential['kind'], string> = {
  ClientSecret: 'service principal',
  ClientCertificate: 'service principal with a certificate',
  ManagedIdentity: 'managed identity',
  ManagedIdentityClientAssertion:
    'service principal for which a managed identity vouches',
  PersonalAccessToken: 'personal access token',
};

const KEY = 'backend.reading.azureDevOps.cache';

/**
 * What an operator wants to see once, when the reader becomes active: which version reads which hosts with
 * which kinds of credential, through which proxy, and what is kept. It contains no secret.
 */
export function startLine(config: RootConfigService): string {
  const { version } = require('../package.json') as { version: string };
  const configs = config.getOptionalConfigArray('integrations.azure') ?? [];
  const hosts = readAzureIntegrationConfigs(configs).map(hostInWords);
  const parts = [hosts.join('; '), proxies(), cache(config)];
  return `backstage-azure-devops-native ${version} reads Azure DevOps. ${parts.join('. ')}`;
}

/** The most organizations of one credential that the line names. */
const MOST_NAMED = 5;

function hostInWords({ host, credentials }: AzureIntegrationConfig): string {
  const kinds = credentials?.map(({ kind, organizations }) => {
    return `${KINDS[kind]} for ${whom(organizations)}`;
  });
  const isAzure = host === 'dev.azure.com';
  const without = isAzure ? 'default credential chain' : 'no credential';
  return `${host}: ${kinds?.length ? kinds.join(', ') : without}`;
}

function whom(organizations: string[] = []): string {
  if (organizations.length === 0) return 'any organization';
  const more = organizations.length - MOST_NAMED;
  const named = organizations.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}

function proxies(): string {
  const named = native().proxies();
  return named.length > 0 ? `Proxy: ${named.join(', ')}` : 'No proxy';
}

function cache(config: RootConfigService): string {
  const { memoryBytes, diskBytes } = limitCache(config);
  const store = config.getOptionalString('backend.cache.store') || 'memory';
  const shared = store === 'memory' ? 'not shared' : `shared through ${store}`;
  const isOff = memoryBytes === 0 && diskBytes === 0;
  return isOff
    ? `Cache off (${KEY}), ${shared}`
    : `Cache: ${mebibytes(memoryBytes)} of memory and ${mebibytes(diskBytes)} of disk, ${shared} with other replicas`;
}

function mebibytes(bytes: number): string {
  return `${Math.round((10 * bytes) / 1024 / 1024) / 10} MiB`;
}
