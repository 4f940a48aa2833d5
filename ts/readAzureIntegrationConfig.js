"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.readAzureIntegrationConfig = readAzureIntegrationConfig;
exports.readAzureIntegrationConfigs = readAzureIntegrationConfigs;
const binding_1 = require("./binding");
const failure_1 = require("./failure");
const redact_1 = require("./redact");
/**
 * Reads and checks one entry of `integrations.azure`.
 *
 * @param config - The entry.
 * @throws Where a value has the wrong type, a host is none, or a credential is of no kind or
 * serves what another one serves.
 *
 * @public
 */
function readAzureIntegrationConfig(config) {
    const fields = { hasRemovedKeys: false };
    let commitSigningKey;
    let typeError;
    try {
        fields.hasRemovedKeys = hasRemovedKeys(config);
        fields.host = config.getOptionalString('host');
        fields.credentials = config
            .getOptionalConfigArray('credentials')
            ?.map(readCredentialFields);
        commitSigningKey = config.getOptionalString('commitSigningKey');
    }
    catch (error) {
        typeError = error;
    }
    // A rule that is broken by what stands before the value of a wrong type is told first.
    const { host, credentials } = (0, failure_1.unwrap)((0, binding_1.native)().readIntegrationConfig(fields));
    if (typeError !== undefined) {
        throw typeError;
    }
    return (0, redact_1.redact)({ host, credentials: credentials?.map(toCredential), commitSigningKey }, ['commitSigningKey']);
}
/**
 * Reads and checks `integrations.azure`, and adds `dev.azure.com` where it is missing.
 *
 * @param configs - The entries.
 * @throws As {@link readAzureIntegrationConfig}.
 *
 * @public
 */
function readAzureIntegrationConfigs(configs) {
    const integrations = configs.map(readAzureIntegrationConfig);
    const missing = (0, binding_1.native)().missingIntegration(integrations.map(i => i.host));
    return missing ? [...integrations, { host: missing.host }] : integrations;
}
function hasRemovedKeys(config) {
    return Boolean(config.getOptional('credential') || config.getOptional('token'));
}
function readCredentialFields(config) {
    return {
        organizations: config.getOptionalStringArray('organizations'),
        personalAccessToken: config.getOptionalString('personalAccessToken'),
        tenantId: config.getOptionalString('tenantId'),
        clientId: config.getOptionalString('clientId'),
        clientSecret: config.getOptionalString('clientSecret'),
        managedIdentityClientId: config.getOptionalString('managedIdentityClientId'),
    };
}
function toCredential({ kind, organizations, ...fields }) {
    // The native part gives exactly the fields of the kind, which the type cannot say.
    const credential = {
        kind,
        organizations,
        ...fields,
    };
    return (0, redact_1.redact)(credential, ['clientSecret', 'personalAccessToken']);
}
