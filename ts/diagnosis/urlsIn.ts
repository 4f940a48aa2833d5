import type { Config } from '@backstage/config';

/**
 * URLs of repositories that the configuration names: a credential that serves any organization does not say
 * itself which there are. They are the locations of the catalog.
 *
 * https://backstage.io/docs/features/software-catalog/configuration#static-location-configuration
 */
export function urlsIn(config: Config): string[] {
  const catalog = config.getOptional<unknown>('catalog');
  const { locations } = (catalog ?? {}) as { locations?: unknown };
  if (!Array.isArray(locations)) return [];
  return locations
    .map(location => (location as { target?: unknown } | null)?.target)
    .filter(target => typeof target === 'string')
    .filter(target => /^https?:/i.test(target));
}
