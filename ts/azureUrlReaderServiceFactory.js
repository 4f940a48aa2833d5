"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.azureUrlReaderServiceFactory = void 0;
const backend_plugin_api_1 = require("@backstage/backend-plugin-api");
const AzureUrlReader_1 = require("./AzureUrlReader");
const binding_1 = require("./binding");
/**
 * The service that `@backstage/backend-defaults` collects reader factories from.
 *
 * Services are told apart by their id, so it is defined here again: importing theirs would load
 * every reader and cloud SDK of that package, and fail where it is not installed.
 */
const urlReaderFactoriesServiceRef = (0, backend_plugin_api_1.createServiceRef)({
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
exports.azureUrlReaderServiceFactory = (0, backend_plugin_api_1.createServiceFactory)({
    service: urlReaderFactoriesServiceRef,
    deps: { rootLogger: backend_plugin_api_1.coreServices.rootLogger },
    createRootContext: ({ rootLogger }) => usableFactory(rootLogger),
    factory: async (_deps, factory) => factory,
});
function usableFactory(logger) {
    try {
        (0, binding_1.native)();
        return AzureUrlReader_1.AzureUrlReader.factory;
    }
    catch (error) {
        logger.warn('Azure DevOps is read by the built-in reader, because backstage-azure-devops-native cannot be used', error);
        return () => [];
    }
}
