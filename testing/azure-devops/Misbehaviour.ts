import { Faults } from './Faults';
import type { RecordedRequest } from './RecordedRequest';

/** What an HTTP/2 server says of a stream or connection that it ends. */
export type Http2Code =
  | 'NO_ERROR'
  | 'PROTOCOL_ERROR'
  | 'INTERNAL_ERROR'
  | 'REFUSED_STREAM'
  | 'CANCEL'
  | 'ENHANCE_YOUR_CALM'
  | 'HTTP_1_1_REQUIRED';

/** What the stand-in does with a request in place of answering it properly. */
export interface Misbehaviour {
  /** The requests that it is for: a part of the URL, or a test; all where it is missing. */
  match?: string | ((request: RecordedRequest) => boolean);
  /** More of it, which depends on the request. */
  of?: (request: RecordedRequest) => Partial<Misbehaviour>;
  /** How often it happens; always where it is missing. */
  times?: number;
  /** Wait this long before the head is sent. */
  delayMs?: number;
  /** Wait for this before the head is sent. */
  after?: Promise<unknown>;
  /** Answer with this status, and with these headers and this body. */
  status?: number;
  /** The phrase after the status, where the protocol has one. */
  reason?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /**
   * Reset the connection, or the stream of HTTP/2, after so many bytes of the body. Here as below it
   * happens before the head if the number is negative.
   */
  resetAfter?: number;
  /** With which code a stream is reset; `INTERNAL_ERROR` where it is missing. */
  resetCode?: Http2Code;
  /** Send so many bytes of the body and then nothing more. */
  stallAfter?: number;
  /** Go on after so long in which nothing was sent. */
  stallMs?: number;
  /** End the connection, or the stream of HTTP/2, after so many bytes, fewer than were announced. */
  truncateAfter?: number;
  /**
   * Tell an HTTP/2 client after so many bytes to go away. What is under way is still answered if
   * the code is `NO_ERROR`.
   */
  goAwayAfter?: number;
  /** With which code; `NO_ERROR` where it is missing. */
  goAwayCode?: Http2Code;
  /** Announce no length. */
  chunked?: boolean;
  /** Change the byte at this place of the body, as it goes over the wire. */
  damageAt?: number;
  /** Send this after the body, which was announced without it. */
  excess?: Buffer;
  /** Send the body in pieces of this size, with a pause after each. */
  drip?: { bytes: number; everyMs: number };
}

/** The misbehaviours that are asked for, oldest first. */
export class Misbehaviours extends Faults<Misbehaviour> {
  /** The one that this request gets, if any, which is then used once. */
  take(request: RecordedRequest): Misbehaviour | undefined {
    const found = this.takeFirst(own => matches(own, request));
    return found && { ...found, ...found.of?.(request) };
  }
}

function matches({ match }: Misbehaviour, request: RecordedRequest): boolean {
  if (match === undefined) return true;
  return typeof match === 'string'
    ? request.url.includes(match)
    : match(request);
}
