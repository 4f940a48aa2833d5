import {
  coreServices,
  createServiceFactory,
  createServiceRef,
  type RootLoggerService,
} from '@backstage/backend-plugin-api';
import type { ReaderFactory } from '@backstage/backend-defaults/urlReader';
import { AzureUrlReader, makeReaders } from './AzureUrlReader';
import { native } from './binding';
import { builtInReaderWarns } from './builtInReader';
import { logTo } from './log';
import { shareThroughCache } from './sharedCache';

/**
 * The service that `@backstage/backend-defaults` collects reader factories from.
 *
 * Services are told apart by their id, so it is defined here again: importing theirs would load
 * every reader and cloud SDK of that package, and fail where it is not installed.
 */
const urlReaderFactoriesServiceRef = createServiceRef<ReaderFactory>({
  id: 'core.urlReader.factories',
  scope: 'plugin',
  multiton: true,
});

/**
 * Adds the reader to a backend, before the built-in one. Where the native part cannot be loaded it
 * logs why and adds nothing, so that the built-in reader serves.
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
    logger: coreServices.logger,
  },
  createRootContext: ({ rootLogger }) => canBeUsed(rootLogger),
  factory: async (deps, isUsable): Promise<ReaderFactory> => {
    if (!isUsable) {
      return () => [];
    }
    // What the cache has to tell is told even before anything is read.
    logTo(deps.logger);
    shareThroughCache(deps);
    // The warning of personal access tokens is given once, and not by both readers.
    return builtInReaderWarns() ? makeReaders : AzureUrlReader.factory;
  },
});

function canBeUsed(logger: RootLoggerService): boolean {
  try {
    native();
    return true;
  } catch (error) {
    logger.warn(
      'Azure DevOps is read by the built-in reader, because backstage-azure-devops-native cannot be used',
      error as Error,
    );
    return false;
  }
}
