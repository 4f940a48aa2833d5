import type {
  CacheService,
  RootConfigService,
} from '@backstage/backend-plugin-api';
import { native } from './binding';

/** What a plugin of a backend has for sharing. */
export interface Sharer {
  config: RootConfigService;
  plugin: { getId(): string };
  cache: CacheService;
}

/**
 * Shares limits, and what never changes, with the other replicas of the backend, through the cache
 * service of a plugin. A cache in the process's own memory has nothing to share.
 */
export function shareThroughCache(sharer: Sharer): void {
  const { config, plugin, cache } = sharer;
  // As Backstage's own cache manager reads it.
  const store = config.getOptionalString('backend.cache.store') || 'memory';
  if (store === 'memory') {
    return;
  }
  native().shareThrough(
    plugin.getId(),
    async key => {
      const value = await cache.get(key);
      return typeof value === 'string' ? value : undefined;
    },
    async (key, value, ttl) => cache.set(key, value, { ttl }),
  );
}
