import type { CacheService } from '@backstage/backend-plugin-api';
import { setTimeout as wait } from 'node:timers/promises';

/** What is wrong with a cache. */
export type CacheFault =
  | 'is slow'
  | 'throws'
  | 'gives back something else'
  | 'gives back what is no text'
  | 'gives back other entries';

/** A cache in memory with something wrong. */
export function faultyCache(fault: CacheFault): CacheService {
  const entries = new Map<string, string>();
  const found: Record<CacheFault, (key: string) => unknown> = {
    'is slow': key => entries.get(key),
    throws: () => {
      throw new Error('no cache today');
    },
    'gives back something else': key =>
      entries.get(key)?.replace(/./g, c => (c === 'A' ? 'B' : 'A')),
    'gives back what is no text': key =>
      entries.has(key) ? { value: 1 } : undefined,
    'gives back other entries': key =>
      [...entries].find(([other]) => other !== key)?.[1],
  };
  const cache: CacheService = {
    get: async <T>(key: string) => {
      if (fault === 'is slow') await wait(200);
      return found[fault](key) as T;
    },
    set: async (key, value) => {
      entries.set(key, value as string);
    },
    delete: async key => {
      entries.delete(key);
    },
    withOptions: () => cache,
  };
  return cache;
}
