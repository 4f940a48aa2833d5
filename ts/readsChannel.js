"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.publishRead = publishRead;
const node_diagnostics_channel_1 = require("node:diagnostics_channel");
const reads = (0, node_diagnostics_channel_1.channel)('backstage-azure-devops-native:read');
/** Tells subscribers of a read; costs nothing where there are none. */
function publishRead(url, result, startedAt) {
    if (!reads.hasSubscribers) {
        return;
    }
    const { request, scope, credential, status } = result;
    const durationMs = performance.now() - startedAt;
    const message = {
        url: url,
        request,
        scope,
        credential,
        status,
        durationMs,
    };
    reads.publish(message);
}
