"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.upstreamReader = upstreamReader;
const errors_1 = require("@backstage/errors");
/**
 * Backstage's own reader for the same integration, for what this package leaves to it.
 *
 * @throws NotImplementedError where `@backstage/backend-defaults` is not installed.
 */
function upstreamReader(integration, deps) {
    const { AzureUrlReader } = upstream();
    // Upstream's class has private members and so can be met by no other; it uses only these.
    return new AzureUrlReader(integration, deps);
}
function upstream() {
    try {
        return require('@backstage/backend-defaults/urlReader');
    }
    catch (cause) {
        throw new errors_1.NotImplementedError('Reading trees and searching with a pattern need @backstage/backend-defaults, which could not be loaded', cause);
    }
}
