import { Readable } from 'node:stream';
import { isFailure } from './failure';
import type { Body, Failure } from './native';

/**
 * Content as a stream that pulls: a slow consumer holds the server back, and destroying the stream
 * closes the connection.
 */
export class ContentStream extends Readable {
  readonly #body: Body;
  readonly #toError: (failure: Failure) => unknown;

  constructor(body: Body, toError: (failure: Failure) => unknown) {
    super();
    this.#body = body;
    this.#toError = toError;
  }

  override _read(): void {
    this.#body.next().then(
      piece => {
        if (isFailure(piece)) {
          this.destroy(this.#toError(piece) as Error);
        } else {
          this.push(piece);
        }
      },
      error => this.destroy(error),
    );
  }

  override _destroy(
    error: Error | null,
    callback: (error?: Error | null) => void,
  ): void {
    this.#body.close();
    callback(error);
  }
}
