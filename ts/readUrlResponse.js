"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.readUrlResponse = readUrlResponse;
const errors_1 = require("@backstage/errors");
const node_stream_1 = require("node:stream");
const ContentStream_1 = require("./ContentStream");
const failure_1 = require("./failure");
/**
 * Makes the response of a read: its content once as a buffer or once as a stream.
 *
 * The two are closures and not methods, because callers (`search` among them) pass them on alone.
 */
function readUrlResponse(result, signal) {
    const content = result.body
        ? pulledContent(result.body, signal)
        : wholeContent(result.content);
    return {
        ...onceOnly(content),
        etag: result.etag,
        lastModifiedAt: toDate(result.lastModified),
    };
}
function wholeContent(content = Buffer.alloc(0)) {
    return {
        collect: async () => content,
        stream: () => {
            const stream = new node_stream_1.Readable({ read() { } });
            stream.push(content.length > 0 ? content : null);
            if (content.length > 0) {
                stream.push(null);
            }
            return stream;
        },
    };
}
function pulledContent(body, signal) {
    const failed = (failure) => signal?.aborted ? signal.reason : (0, failure_1.toError)(failure);
    const close = () => body.close();
    signal?.addEventListener('abort', close, { once: true });
    const release = () => signal?.removeEventListener('abort', close);
    return {
        collect: async () => {
            const collected = await body.collect().finally(release);
            if ((0, failure_1.isFailure)(collected)) {
                throw failed(collected);
            }
            return collected;
        },
        stream: () => {
            const stream = new ContentStream_1.ContentStream(body, failed);
            return stream.once('close', release);
        },
    };
}
function onceOnly(content) {
    let buffer;
    let stream;
    let bufferWanted = false;
    let streamWanted = false;
    const conflict = () => new errors_1.ConflictError('Cannot use buffer() and stream() from the same ReadUrlResponse');
    return {
        buffer: () => {
            bufferWanted = true;
            if (streamWanted)
                throw conflict();
            buffer ??= content.collect();
            return buffer;
        },
        stream: () => {
            streamWanted = true;
            if (bufferWanted)
                throw conflict();
            stream ??= content.stream();
            return stream;
        },
    };
}
function toDate(lastModified) {
    const date = lastModified ? new Date(lastModified) : undefined;
    return date && !Number.isNaN(date.getTime()) ? date : undefined;
}
