import { createRequire } from 'node:module';
import type { Config } from '@backstage/config';
import type { CaseReader } from './benchCases';
import { findApp, resolveInApp } from './findApp';
import { loggerWith } from './loggerWith';

/** The reader that is built into Backstage, as the app has it. */
export interface BuiltInReader {
  reader: CaseReader;
  version: string;
}

const MODULE = '@backstage/backend-defaults/urlReader';

/** The built-in reader, made with the same configuration; undefined where it is not installed. */
export function builtInReader(config: Config): BuiltInReader | undefined {
  const app = findApp(process.cwd()) ?? { root: process.cwd() };
  const file = resolveInApp(app, MODULE);
  if (!file) return undefined;
  const { UrlReaders, AzureUrlReader } = require(
    file,
  ) as typeof import('@backstage/backend-defaults/urlReader');
  const { version } = createRequire(file)(
    '@backstage/backend-defaults/package.json',
  ) as { version: string };
  const reader = UrlReaders.create({
    config,
    // What it has to say is not what is measured.
    logger: loggerWith(),
    factories: [AzureUrlReader.factory],
  });
  return { reader, version };
}
