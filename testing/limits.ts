import { ConfigReader } from '@backstage/config';
import { AzureUrlReader } from 'backstage-azure-devops-native';
import { silent } from './silent';

/** What a backend may configure of the cache. */
export interface CacheLimits {
  memoryBytes?: unknown;
  diskBytes?: unknown;
}

/** Nothing is kept. */
export const NOTHING: CacheLimits = { memoryBytes: 0, diskBytes: 0 };

/** Bounds the cache as a backend with this configuration does, for the whole process. */
export function limitCache(cache: CacheLimits): void {
  configure({ cache });
}

/** Bounds answers, archives and patterns as a backend with these limits does, for the whole process. */
export function limitReads(limits: Record<string, unknown> = {}): void {
  configure({ limits });
}

function configure(azureDevOps: object): void {
  const backend = { reading: { azureDevOps } };
  AzureUrlReader.factory({
    config: new ConfigReader({ backend } as never),
    logger: silent,
    treeResponseFactory: undefined as never,
  });
}
