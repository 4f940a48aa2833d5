"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.DefaultAzureDevOpsCredentialsProvider = void 0;
exports.nativeCredentials = nativeCredentials;
const binding_1 = require("./binding");
const failure_1 = require("./failure");
const redact_1 = require("./redact");
const HEADERS = ['Authorization'];
// Beside the class and not in it, so that the public type does not name what is native.
const natives = new WeakMap();
/**
 * The native credentials of a provider that is exactly ours; a subclass, or any other provider, is
 * to be asked.
 */
function nativeCredentials(provider) {
    const { getCredentials } = DefaultAzureDevOpsCredentialsProvider.prototype;
    return provider.getCredentials === getCredentials
        ? natives.get(provider)
        : undefined;
}
/**
 * Finds the configured credential that serves a URL.
 *
 * @public
 */
class DefaultAzureDevOpsCredentialsProvider {
    /**
     * Takes the credentials of all Azure integrations.
     *
     * @param integrations - `ScmIntegrations` of `@backstage/integration`, or anything with a list of
     * Azure integrations.
     */
    static fromIntegrations(integrations) {
        const configs = integrations.azure.list().map(({ config }) => config);
        return new DefaultAzureDevOpsCredentialsProvider((0, failure_1.unwrap)((0, binding_1.native)().Credentials.fromIntegrations(configs)));
    }
    #credentials;
    constructor(credentials) {
        this.#credentials = credentials;
        natives.set(this, credentials);
    }
    /**
     * Gives the headers, token and type of the credential that serves `url`, or nothing where none
     * does.
     */
    async getCredentials(opts) {
        const found = (0, failure_1.unwrap)(this.#credentials.forUrl(opts.url));
        if (!found) {
            return undefined;
        }
        const credentials = {
            headers: (0, redact_1.redact)({ Authorization: found.authorization }, HEADERS),
            type: 'pat',
            token: found.token,
        };
        return (0, redact_1.redact)(credentials, ['token']);
    }
}
exports.DefaultAzureDevOpsCredentialsProvider = DefaultAzureDevOpsCredentialsProvider;
