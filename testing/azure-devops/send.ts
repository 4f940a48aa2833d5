import type { IncomingMessage, ServerResponse } from 'node:http';
import http2, {
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Http2Code, Misbehaviour } from './Misbehaviour';
import type { RecordedRequest } from './RecordedRequest';
import { arrival, resetNow } from './reset';

/** A request of either protocol. */
export type Request = IncomingMessage | Http2ServerRequest;
/** A response of either protocol. */
export type Response = ServerResponse | Http2ServerResponse;

/** An answer as it goes over the wire. */
export interface Written {
  status: number;
  reason?: string;
  headers: Record<string, string>;
  body: Buffer;
}

/** Sends an answer, as far and as well as the misbehaviour lets it. */
export async function send(
  request: Request,
  response: Response,
  answer: Written,
  misbehaviour: Misbehaviour,
  record: RecordedRequest,
): Promise<void> {
  const { drip, excess, chunked, damageAt } = misbehaviour;
  sendHead(request, response, answer, chunked);
  const body = damaged(answer.body, damageAt);
  const place = placeOf(misbehaviour) ?? -1;
  if (place >= 0) {
    (response as ServerResponse).flushHeaders();
    await write(response, body.subarray(0, place), drip, record);
    if (await breakOff(request, response, misbehaviour)) return;
  }
  const rest = body.subarray(Math.max(place, 0));
  const all = excess ? Buffer.concat([rest, excess]) : rest;
  await write(response, all, drip, record);
  response.end();
  await finished(response as NodeJS.WritableStream);
}

/** Whether it happens before the head is sent. */
export function isBeforeHead(misbehaviour: Misbehaviour): boolean {
  return (placeOf(misbehaviour) ?? 0) < 0;
}

/** Ends the answer in the way that is asked for; tells whether nothing follows. */
export async function breakOff(
  request: Request,
  response: Response,
  { resetAfter, truncateAfter, goAwayAfter, ...how }: Misbehaviour,
): Promise<boolean> {
  await arrival();
  if (resetAfter !== undefined) {
    reset(request, how.resetCode);
  } else if (truncateAfter !== undefined) {
    truncate(request, response, truncateAfter < 0);
  } else if (goAwayAfter !== undefined) {
    return goAway(request, how.goAwayCode);
  } else if (how.stallMs !== undefined) {
    await wait(how.stallMs);
    return false;
  }
  return true;
}

/** Tells when the client goes away before the end; of an HTTP/2 stream only the stream tells. */
export function onAbort(
  request: Request,
  response: Response,
  listener: () => void,
): void {
  if ('stream' in request) {
    request.stream.once('aborted', listener);
  } else {
    response.once('close', () => {
      if (!(response as ServerResponse).writableFinished) listener();
    });
  }
}

/** Where in the body something happens, if it does; before the head if negative. */
function placeOf(misbehaviour: Misbehaviour): number | undefined {
  const { resetAfter, truncateAfter, goAwayAfter, stallAfter } = misbehaviour;
  return resetAfter ?? goAwayAfter ?? stallAfter ?? truncateAfter;
}

function sendHead(
  request: Request,
  response: Response,
  { status, reason, headers, body }: Written,
  chunked = false,
): void {
  const hasBody = status !== 304 && status !== 204;
  const all =
    hasBody && !chunked
      ? { 'content-length': String(body.length), ...headers }
      : headers;
  if (reason !== undefined && request.httpVersionMajor < 2) {
    (response as ServerResponse).writeHead(status, reason, all);
  } else {
    response.writeHead(status, all);
  }
}

function damaged(body: Buffer, place: number | undefined): Buffer {
  if (place === undefined || body.length === 0) return body;
  const changed = Buffer.from(body);
  changed[place % body.length] ^= 0xff;
  return changed;
}

async function write(
  response: Response,
  body: Buffer,
  drip: Misbehaviour['drip'],
  record: RecordedRequest,
): Promise<void> {
  const size = drip?.bytes ?? 64 * 1024;
  for (let at = 0; at < body.length && !response.destroyed; at += size) {
    const piece = body.subarray(at, at + size);
    const more = (response as NodeJS.WritableStream).write(piece);
    record.bytesSent += piece.length;
    if (!more) await drained(response);
    if (drip) await wait(drip.everyMs);
  }
}

/** Waits until the client takes more, or goes away. */
function drained(response: Response): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

function reset(request: Request, code: Http2Code = 'INTERNAL_ERROR'): void {
  const { stream } = request as Http2ServerRequest;
  if (stream && request.httpVersionMajor === 2) stream.close(numberOf(code));
  else resetNow(request.socket as Socket);
}

/** A stream that has no head cannot end otherwise than by a reset. */
function truncate(request: Request, response: Response, noHead: boolean): void {
  if (request.httpVersionMajor < 2) request.socket.end();
  else if (noHead) reset(request, 'NO_ERROR');
  else response.end();
}

/** Tells whether the connection ends with it. */
function goAway(request: Request, code: Http2Code = 'NO_ERROR'): boolean {
  const { session } = (request as Http2ServerRequest).stream;
  session?.goaway(numberOf(code));
  if (code === 'NO_ERROR') return false;
  setTimeout(() => session?.destroy(), 1);
  return true;
}

function numberOf(code: Http2Code): number {
  return http2.constants[`NGHTTP2_${code}`];
}
