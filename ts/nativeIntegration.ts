import type { IntegrationConfig } from './native';
import { placeOf } from './places';
import type { AzureIntegrationLike } from './types';

/** An integration as the native part takes it, with its place in the app-config. */
export function nativeIntegration(
  config: AzureIntegrationLike['config'],
): IntegrationConfig {
  return {
    host: config.host,
    credentials: config.credentials ?? undefined,
    place: placeOf(config),
  };
}
