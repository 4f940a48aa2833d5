"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.AzureUrlReader = void 0;
const errors_1 = require("@backstage/errors");
const AzureIntegration_1 = require("./AzureIntegration");
const binding_1 = require("./binding");
const core_1 = require("./core");
const DefaultAzureDevOpsCredentialsProvider_1 = require("./DefaultAzureDevOpsCredentialsProvider");
const failure_1 = require("./failure");
const readsChannel_1 = require("./readsChannel");
const readUrlResponse_1 = require("./readUrlResponse");
const upstreamReader_1 = require("./upstreamReader");
/**
 * Reads Azure DevOps repositories, natively.
 *
 * @public
 */
class AzureUrlReader {
    /** Makes a reader for every host of `integrations.azure`. */
    static factory = ({ config, logger, treeResponseFactory }) => {
        const azure = AzureIntegration_1.AzureIntegration.factory({ config });
        const credentialsProvider = DefaultAzureDevOpsCredentialsProvider_1.DefaultAzureDevOpsCredentialsProvider.fromIntegrations({ azure });
        return azure.list().map(integration => ({
            reader: new AzureUrlReader(integration, {
                treeResponseFactory,
                credentialsProvider,
                logger,
            }),
            predicate: url => url.host === integration.config.host,
        }));
    };
    #integration;
    #deps;
    #credentials;
    #told = new Set();
    #upstream;
    constructor(integration, deps) {
        this.#integration = integration;
        this.#deps = deps;
        this.#credentials = (0, DefaultAzureDevOpsCredentialsProvider_1.nativeCredentials)(deps.credentialsProvider);
    }
    /** Reads a whole file. */
    async read(url) {
        const response = await this.readUrl(url);
        return response.buffer();
    }
    /**
     * Reads a file.
     *
     * @throws NotFoundError, NotModifiedError (for `etag` or `lastModifiedAfter`), AuthenticationError,
     * NotAllowedError, or an Error that begins as those of Backstage's own reader do.
     */
    async readUrl(url, options) {
        const startedAt = performance.now();
        const headers = this.#credentials
            ? undefined
            : await this.#providedHeaders(url);
        const result = await this.#readUrl(url, headers, options);
        (0, readsChannel_1.publishRead)(url, result, startedAt);
        this.#tell(`Reading ${result.scope} with ${result.credential}`);
        return (0, readUrlResponse_1.readUrlResponse)(result, options?.signal);
    }
    /** Reads a tree; left to Backstage's own reader. */
    async readTree(url, options) {
        return this.#upstreamReader('readTree').readTree(url, options);
    }
    /**
     * Finds the file at `url`, or none where there is none there; a pattern in its path is left to
     * Backstage's own reader.
     */
    async search(url, options) {
        if ((0, binding_1.native)().isGlob(url)) {
            return this.#upstreamReader('search with a pattern').search(url, options);
        }
        try {
            const file = await this.readUrl(url, options);
            const { buffer: content, lastModifiedAt, etag = '' } = file;
            return { files: [{ url, content, lastModifiedAt }], etag };
        }
        catch (error) {
            if (error instanceof errors_1.NotFoundError) {
                return { files: [], etag: '' };
            }
            throw error;
        }
    }
    /** The host, and whether it has credentials. */
    toString() {
        const { host, credentials } = this.#integration.config;
        return `azure{host=${host},authed=${Boolean(credentials?.length)}}`;
    }
    async #readUrl(url, headers, options = {}) {
        const { signal, etag, lastModifiedAfter } = options;
        const cancellation = signal && new ((0, binding_1.native)().Cancellation)();
        const cancel = () => cancellation?.cancel();
        if (signal?.aborted)
            cancel();
        signal?.addEventListener('abort', cancel, { once: true });
        try {
            const outcome = await (0, binding_1.native)().readUrl({ url, headers, etag, lastModifiedAfter: lastModifiedAfter?.getTime() }, this.#credentials, cancellation);
            if (!(0, failure_1.isFailure)(outcome)) {
                return outcome;
            }
            throw outcome.kind === 'Aborted'
                ? unable(url, signal?.reason)
                : (0, failure_1.toError)(outcome);
        }
        finally {
            signal?.removeEventListener('abort', cancel);
        }
    }
    /** The headers of a provider that is not ours, which is asked with the REST URL. */
    async #providedHeaders(url) {
        const request = (0, core_1.getAzureFileFetchUrl)(url);
        try {
            const credentials = await this.#deps.credentialsProvider.getCredentials({
                url: request,
            });
            return credentials && Object.entries(credentials.headers);
        }
        catch (error) {
            throw unable(url, error);
        }
    }
    #upstreamReader(what) {
        this.#tell(`Leaving ${what} on ${this.#integration.config.host} to Backstage's own AzureUrlReader`);
        this.#upstream ??= (0, upstreamReader_1.upstreamReader)(this.#integration, this.#deps);
        return this.#upstream;
    }
    /** Says something to the log, once. */
    #tell(message) {
        if (!this.#told.has(message)) {
            this.#told.add(message);
            this.#deps.logger?.info(message);
        }
    }
}
exports.AzureUrlReader = AzureUrlReader;
function unable(url, cause) {
    const message = `Unable to read ${(0, binding_1.native)().withoutSecrets(url)}, ${cause}`;
    return new Error(message, { cause });
}
