import { Readable } from 'node:stream';
import { isFailure } from './failure';
import type { Failure } from './native';

/** What content is pulled from. */
export interface Source {
  next(): Promise<Buffer | null | Failure>;
  close(): void;
}

/**
 * Content as a stream that pulls: a slow consumer holds the server back, and destroying the stream
 * closes the connection.
 */
export class ContentStream extends Readable {
  readonly #source: Source;
  readonly #toError: (failure: Failure) => unknown;

  constructor(source: Source, toError: (failure: Failure) => unknown) {
    super();
    this.#source = source;
    this.#toError = toError;
  }

  override _read(): void {
    this.#source.next().then(
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
    this.#source.close();
    callback(error);
  }
}
