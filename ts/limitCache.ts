import type { Config } from '@backstage/config';
import { InputError } from '@backstage/errors';
import { native } from './binding';
import type { CacheBounds } from './native';

const KEY = 'backend.reading.azureDevOps.cache';

/**
 * Bounds what the process keeps of repositories, as configured. It is kept for all readers of the
 * process, and so is the bound, which this gives in bytes.
 */
export function limitCache(config: Config): CacheBounds {
  return native().keepAtMost(
    bytes(config, `${KEY}.memoryBytes`),
    bytes(config, `${KEY}.diskBytes`),
  );
}

function bytes(config: Config, key: string): number | undefined {
  const value = config.getOptionalNumber(key);
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) {
    return value;
  }
  throw new InputError(
    `Invalid value in config for '${key}', a number of bytes was expected, or 0 to keep nothing`,
  );
}
