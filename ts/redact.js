"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.redact = redact;
const node_util_1 = require("node:util");
/**
 * Keeps the values of `fields` out of `util.inspect`, and so out of `console.log`.
 *
 * The object stays what it was for everything else: the method that does it is not enumerable.
 */
function redact(object, fields) {
    return Object.defineProperty(object, node_util_1.inspect.custom, {
        enumerable: false,
        value: (_depth, options) => (0, node_util_1.inspect)(withoutValues(object, fields), options),
    });
}
function withoutValues(object, fields) {
    const entries = Object.entries(object).map(([key, value]) => [
        key,
        fields.includes(key) && value !== undefined ? '[redacted]' : value,
    ]);
    return Object.fromEntries(entries);
}
