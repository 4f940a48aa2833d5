import { createRequire } from 'node:module';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Config } from '@backstage/config';
import type { CaseReader } from './benchCases';
import { findApp, resolveInApp } from './findApp';

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
    logger: silent(),
    factories: [AzureUrlReader.factory],
  });
  return { reader, version };
}

/** What the built-in reader has to say is not what is measured. */
function silent(): LoggerService {
  const nothing = () => {};
  const logger: LoggerService = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    child: () => logger,
  };
  return logger;
}
