import { readDurationFromConfig, type Config } from '@backstage/config';
import { durationToMilliseconds } from '@backstage/types';
import { native } from './binding';
import { toError } from './failure';

const KEY = 'backend.reading.azureDevOps.limits';

/**
 * Bounds what a server may send and an archive may hold, as configured. The bounds are those of the
 * process, for all its readers.
 */
export function limitAnswers(config: Config): void {
  const failure = native().limitTo({
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
  if (failure) throw toError(failure);
}

function number(config: Config, name: string): number | undefined {
  return config.getOptionalNumber(`${KEY}.${name}`);
}

function milliseconds(config: Config, name: string): number | undefined {
  const key = `${KEY}.${name}`;
  if (!config.has(key)) return undefined;
  return durationToMilliseconds(readDurationFromConfig(config, { key }));
}
