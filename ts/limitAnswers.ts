import { readDurationFromConfig, type Config } from '@backstage/config';
import { InputError } from '@backstage/errors';
import { durationToMilliseconds } from '@backstage/types';
import { native } from './binding';

const KEY = 'backend.reading.azureDevOps.limits';

/**
 * Bounds what a server may send and an archive may hold, as configured. The bounds are those of the
 * process, for all its readers.
 */
export function limitAnswers(config: Config): void {
  native().limitTo({
    jsonBytes: number(config, 'jsonBytes'),
    fileBytes: number(config, 'fileBytes'),
    archiveBytes: number(config, 'archiveBytes'),
    inflatedBytes: number(config, 'inflatedBytes'),
    archiveEntries: number(config, 'archiveEntries'),
    pathBytes: number(config, 'pathBytes'),
    pathDepth: number(config, 'pathDepth'),
    contentWait: milliseconds(config, 'contentWait'),
    patternAlternatives: number(config, 'patternAlternatives'),
  });
}

function number(config: Config, name: string): number | undefined {
  const key = `${KEY}.${name}`;
  const value = config.getOptionalNumber(key);
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) {
    return value;
  }
  throw new InputError(
    `Invalid value in config for '${key}', a whole number from 1 to ${Number.MAX_SAFE_INTEGER} was expected, but it is ${value}`,
  );
}

function milliseconds(config: Config, name: string): number | undefined {
  const key = `${KEY}.${name}`;
  if (!config.has(key)) return undefined;
  const value = durationToMilliseconds(readDurationFromConfig(config, { key }));
  if (value >= 1) return value;
  throw new InputError(
    `Invalid value in config for '${key}', a time above 0 was expected, as '5m' or { minutes: 5 }`,
  );
}
