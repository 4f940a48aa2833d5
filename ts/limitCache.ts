import type { Config } from '@backstage/config';
import { native } from './binding';
import { unwrap } from './failure';
import type { CacheBounds } from './native';

const KEY = 'backend.reading.azureDevOps.cache';

/**
 * Bounds what the process keeps of repositories, as configured. It is kept for all readers of the
 * process, and so is the bound, which this gives in bytes.
 */
export function limitCache(config: Config): CacheBounds {
  return unwrap(
    native().keepAtMost(
      config.getOptionalNumber(`${KEY}.memoryBytes`),
      config.getOptionalNumber(`${KEY}.diskBytes`),
    ),
  );
}
