import type { RootConfigService } from '@backstage/backend-plugin-api';

/** As much of a JSON schema as that of this package's configuration has. */
interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
}

/** The parts of the configuration that are read by this package, or by Backstage with the same keys. */
const PARTS = ['integrations.azure', 'backend.reading.azureDevOps'];

/**
 * Warnings about unknown keys in our part of the configuration: each with its path and the known keys. A
 * misspelled key is silently ignored: `organization` instead of `organizations` makes a credential serve
 * every organization. No value is shown.
 */
export function unknownKeys(config: RootConfigService): string[] {
  const schema = require('../config.schema.json') as Schema;
  return PARTS.flatMap(part => {
    const known = part.split('.').reduce(at, schema);
    return unknownIn(config.getOptional(part), known, part);
  });
}

function at(schema: Schema | undefined, key: string): Schema | undefined {
  return schema?.properties?.[key];
}

function unknownIn(
  value: unknown,
  schema: Schema | undefined,
  path: string,
): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, position) =>
      unknownIn(item, schema?.items, `${path}[${position}]`),
    );
  }
  const keys = schema && keysOf(schema);
  if (typeof value !== 'object' || value === null || !keys) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    Object.hasOwn(keys, key)
      ? unknownIn(inner, keys[key], `${path}.${key}`)
      : [
          `${path}.${key} is no key that anything reads, and is ignored. There are: ${Object.keys(keys).join(', ')}`,
        ],
  );
}

/** The keys of an object, also where another type may stand in its place. */
function keysOf({
  properties,
  anyOf = [],
}: Schema): Record<string, Schema> | undefined {
  return properties ?? anyOf.map(keysOf).find(keys => keys !== undefined);
}
