import { durationToMilliseconds } from '@backstage/types';
import { native } from './binding';
import { unwrap } from './failure';
import type { Credentials, Reader } from './native';
import type { AzureIntegrationLike } from './types';

/**
 * The native reader of a host, as its integration is configured.
 *
 * @param credentials - The configured ones; missing where another provider has to be asked for each read.
 * @param directory - Where archives are stored while they are read.
 * @throws Where something of the configuration is out of range.
 */
export function nativeReader(
  { host, plainHttp, retry, staleIfThrottled }: AzureIntegrationLike['config'],
  credentials: Credentials | undefined,
  directory: string,
): Reader {
  const options = {
    host,
    plainHttp: plainHttp ?? undefined,
    retry: retry ?? undefined,
    maxStale: staleIfThrottled
      ? durationToMilliseconds(staleIfThrottled.maxAge)
      : undefined,
    directory,
  };
  return unwrap(native().Reader.forHost(options, credentials));
}
