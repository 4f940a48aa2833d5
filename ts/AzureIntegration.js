"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.AzureIntegration = void 0;
const binding_1 = require("./binding");
const failure_1 = require("./failure");
const readAzureIntegrationConfig_1 = require("./readAzureIntegrationConfig");
/**
 * One Azure DevOps host as a Backstage integration.
 *
 * @public
 */
class AzureIntegration {
    /** Makes the integrations of `integrations.azure`, `dev.azure.com` among them. */
    static factory = ({ config }) => group((0, readAzureIntegrationConfig_1.readAzureIntegrationConfigs)(config.getOptionalConfigArray('integrations.azure') ?? []).map(integration => new AzureIntegration(integration)));
    // Private for real, so that no secret of it shows where the integration is inspected.
    #config;
    constructor(integrationConfig) {
        this.#config = integrationConfig;
    }
    /** Always `azure`. */
    get type() {
        return 'azure';
    }
    /** The host. */
    get title() {
        return this.#config.host;
    }
    /** The configuration that this was made from. */
    get config() {
        return this.#config;
    }
    /**
     * Resolves a URL or path as seen from the file at `base`: a path stays inside the repository,
     * in the `path` parameter.
     */
    resolveUrl(options) {
        const { url, base, lineNumber } = options;
        const lines = lineNumber
            ? { start: String(lineNumber), end: String(lineNumber + 1) }
            : undefined;
        return (0, failure_1.unwrap)((0, binding_1.native)().resolveUrl(url, base, lines)) ?? url;
    }
    /** Azure DevOps edits a file where it shows it. */
    resolveEditUrl(url) {
        return url;
    }
}
exports.AzureIntegration = AzureIntegration;
function group(integrations) {
    const byHost = (host) => integrations.find(integration => integration.config.host === host);
    return {
        list: () => integrations,
        byUrl: url => byHost(typeof url === 'string' ? (0, binding_1.native)().hostOf(url) : url.host),
        byHost,
    };
}
