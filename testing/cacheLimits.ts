import { mockServices } from '@backstage/backend-test-utils';
import { ConfigReader } from '@backstage/config';
import { AzureUrlReader } from 'backstage-azure-devops-native';

/** What a backend may configure of the cache. */
export interface CacheLimits {
  memoryBytes?: unknown;
  diskBytes?: unknown;
}

/** Nothing is kept. */
export const NOTHING: CacheLimits = { memoryBytes: 0, diskBytes: 0 };

/** Bounds the cache as a backend with this configuration does, for the whole process. */
export function limitCache(cache: CacheLimits): void {
  const config = new ConfigReader({
    backend: { reading: { azureDevOps: { cache } } },
  } as never);
  AzureUrlReader.factory({
    config,
    logger: mockServices.logger.mock(),
    treeResponseFactory: undefined as never,
  });
}
