import type { UrlReaderServiceReadUrlResponse } from '@backstage/backend-plugin-api';
import { ConflictError } from '@backstage/errors';
import { Readable } from 'node:stream';
import { ContentStream } from './ContentStream';
import { isFailure, toError } from './failure';
import type { Body, Failure, ReadUrlResult } from './native';
import { closeOnAbort } from './onAbort';

/**
 * Makes the response of a read: its content once as a buffer or once as a stream.
 *
 * The two are closures and not methods, because callers (`search` among them) pass them on alone.
 */
export function readUrlResponse(
  result: ReadUrlResult,
  signal?: AbortSignal,
): UrlReaderServiceReadUrlResponse {
  const content = result.body
    ? pulledContent(result.body, signal)
    : wholeContent(result.content);
  return {
    ...onceOnly(content),
    etag: result.etag,
    lastModifiedAt: toDate(result.lastModified),
  };
}

interface Content {
  collect(): Promise<Buffer>;
  stream(): Readable;
}

function wholeContent(content: Buffer = Buffer.alloc(0)): Content {
  return {
    collect: async () => content,
    stream: () => {
      const stream = new Readable({ read() {} });
      stream.push(content.length > 0 ? content : null);
      if (content.length > 0) {
        stream.push(null);
      }
      return stream;
    },
  };
}

function pulledContent(body: Body, signal?: AbortSignal): Content {
  const failed = (failure: Failure) =>
    signal?.aborted ? signal.reason : toError(failure);
  const release = closeOnAbort(signal, body);
  return {
    collect: async () => {
      const collected = await body.collect().finally(release);
      if (isFailure(collected)) {
        throw failed(collected);
      }
      return collected;
    },
    stream: () => {
      const stream = new ContentStream(body, failed);
      return stream.once('close', release);
    },
  };
}

function onceOnly(
  content: Content,
): Pick<UrlReaderServiceReadUrlResponse, 'buffer'> & { stream(): Readable } {
  let buffer: Promise<Buffer> | undefined;
  let stream: Readable | undefined;
  let bufferWanted = false;
  let streamWanted = false;
  const conflict = () =>
    new ConflictError(
      'Cannot use buffer() and stream() from the same ReadUrlResponse',
    );
  return {
    buffer: () => {
      bufferWanted = true;
      if (streamWanted) throw conflict();
      buffer ??= content.collect();
      return buffer;
    },
    stream: () => {
      streamWanted = true;
      if (bufferWanted) throw conflict();
      stream ??= content.stream();
      return stream;
    },
  };
}

function toDate(lastModified?: string): Date | undefined {
  const date = lastModified ? new Date(lastModified) : undefined;
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}
