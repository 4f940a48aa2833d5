import { mockServices } from '@backstage/backend-test-utils';
import { ConfigReader } from '@backstage/config';
import { AzureUrlReader } from 'backstage-azure-devops-native';

/** Bounds answers and archives as a backend with these limits does, for the whole process. */
export function setLimits(limits: Record<string, unknown> = {}): void {
  AzureUrlReader.factory({
    config: new ConfigReader({
      backend: { reading: { azureDevOps: { limits } } },
    } as never),
    logger: mockServices.logger.mock(),
    treeResponseFactory: undefined as never,
  });
}
