import {
  coreServices,
  createServiceFactory,
  createServiceRef,
  type LoggerService,
  type RootConfigService,
  type RootLoggerService,
} from '@backstage/backend-plugin-api';
import type { ReaderFactory } from '@backstage/backend-defaults/urlReader';
import { AzureUrlReader, makeReaders } from './AzureUrlReader';
import { native } from './binding';
import { builtInReaderWarns } from './builtInReader';
import { logToOwn } from './log';
import { shareThroughCache } from './sharedCache';
import { startLine } from './startLine';
import { unknownKeys } from './unknownKeys';
import { wantsDetails } from './wantsDetails';

/**
 * The service that `@backstage/backend-defaults` collects reader factories from.
 *
 * Services are identified by their id, so it is defined here again: importing theirs would load
 * every reader and cloud SDK of that package, and fail where it is not installed.
 */
const urlReaderFactoriesServiceRef = createServiceRef<ReaderFactory>({
  id: 'core.urlReader.factories',
  scope: 'plugin',
  multiton: true,
});

/** Turns this package off, without its binary being loaded. */
const SWITCH = 'backend.reading.azureDevOps.enabled';

/**
 * Adds the reader to a backend, before the built-in one. Where the native part cannot be loaded, or
 * `backend.reading.azureDevOps.enabled` is false, it logs why and adds nothing, so that the built-in reader
 * serves.
 *
 * @example
 * ```ts
 * backend.add(import('backstage-azure-devops-native'));
 * ```
 *
 * @public
 */
export const azureUrlReaderServiceFactory = createServiceFactory({
  service: urlReaderFactoriesServiceRef,
  deps: {
    rootLogger: coreServices.rootLogger,
    config: coreServices.rootConfig,
    plugin: coreServices.pluginMetadata,
    cache: coreServices.cache,
  },
  createRootContext: ({ rootLogger, config }) => start(rootLogger, config),
  factory: async (deps, isUsable): Promise<ReaderFactory> => {
    if (!isUsable) {
      return () => [];
    }
    shareThroughCache(deps);
    // The warning of personal access tokens is given once, and not by both readers.
    return builtInReaderWarns() ? makeReaders : AzureUrlReader.factory;
  },
});

/** Whether this package reads, which is logged. */
function start(
  rootLogger: RootLoggerService,
  config: RootConfigService,
): boolean {
  const logger = rootLogger.child({ plugin: 'azure-devops-native' });
  if (config.getOptionalBoolean(SWITCH) === false) {
    logger.info(
      `Azure DevOps is read by the built-in reader, because ${SWITCH} is false`,
      { event: 'off' },
    );
    return false;
  }
  try {
    native();
  } catch (error) {
    logger.warn(
      'Azure DevOps is read by the built-in reader, because backstage-azure-devops-native cannot be used',
      error as Error,
    );
    return false;
  }
  logToOwn(logger);
  native().logDetails(wantsDetails(config));
  tellStart(logger, config);
  return true;
}

/** An unusable configuration is reported when it is used, in the words of the built-in reader. */
function tellStart(logger: LoggerService, config: RootConfigService): void {
  for (const message of unknownKeys(config)) {
    logger.warn(message, { event: 'unknown key' });
  }
  let line: string;
  try {
    line = startLine(config);
  } catch {
    return;
  }
  logger.info(line, { event: 'started' });
}
