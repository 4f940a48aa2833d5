"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.ContentStream = void 0;
const node_stream_1 = require("node:stream");
const failure_1 = require("./failure");
/**
 * Content as a stream that pulls: a slow consumer holds the server back, and destroying the stream
 * closes the connection.
 */
class ContentStream extends node_stream_1.Readable {
    #body;
    #toError;
    constructor(body, toError) {
        super();
        this.#body = body;
        this.#toError = toError;
    }
    _read() {
        this.#body.next().then(piece => {
            if ((0, failure_1.isFailure)(piece)) {
                this.destroy(this.#toError(piece));
            }
            else {
                this.push(piece);
            }
        }, error => this.destroy(error));
    }
    _destroy(error, callback) {
        this.#body.close();
        callback(error);
    }
}
exports.ContentStream = ContentStream;
