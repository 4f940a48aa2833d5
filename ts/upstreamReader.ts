import type { UrlReaderService } from '@backstage/backend-plugin-api';
import { NotImplementedError } from '@backstage/errors';
import type { AzureIntegrationLike } from './types';
import type { AzureUrlReaderDeps } from './AzureUrlReader';

/**
 * Backstage's own reader for the same integration, for what this package leaves to it.
 *
 * @throws NotImplementedError where `@backstage/backend-defaults` is not installed.
 */
export function upstreamReader(
  integration: AzureIntegrationLike,
  deps: AzureUrlReaderDeps,
): UrlReaderService {
  const { AzureUrlReader } = upstream();
  // Upstream's class has private members and so can be met by no other; it uses only these.
  return new AzureUrlReader(integration as never, deps);
}

function upstream(): typeof import('@backstage/backend-defaults/urlReader') {
  try {
    return require('@backstage/backend-defaults/urlReader');
  } catch (cause) {
    throw new NotImplementedError(
      'Reading trees and searching with a pattern need @backstage/backend-defaults, which could not be loaded',
      cause,
    );
  }
}
