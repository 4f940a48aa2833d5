"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.isFailure = isFailure;
exports.unwrap = unwrap;
exports.toError = toError;
const errors_1 = require("@backstage/errors");
/** Whether the native part gave a failure and not a result. */
function isFailure(outcome) {
    return (typeof outcome === 'object' && outcome !== null && 'message' in outcome);
}
/** The result, or the failure thrown as an error of its class. */
function unwrap(outcome) {
    if (isFailure(outcome)) {
        throw toError(outcome);
    }
    return outcome;
}
/** The error that Backstage, or JavaScript itself, has for a failure. */
function toError({ kind, message }) {
    switch (kind) {
        case 'InvalidUrl':
            return Object.assign(new TypeError(message), { code: 'ERR_INVALID_URL' });
        case 'MalformedEscape':
            return new URIError(message);
        case 'Input':
            return new errors_1.InputError(message);
        case 'NotFound':
            return new errors_1.NotFoundError(message);
        case 'NotModified':
            return new errors_1.NotModifiedError(message);
        case 'Authentication':
            return new errors_1.AuthenticationError(message);
        case 'NotAllowed':
            return new errors_1.NotAllowedError(message);
        default:
            return new Error(message);
    }
}
