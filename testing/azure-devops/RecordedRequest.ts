import type { IncomingHttpHeaders } from 'node:http';

/** A request that the stand-in got, and what became of it. */
export interface RecordedRequest {
  /** When its head was there, in milliseconds since 1970. */
  at: number;
  protocol: 'http/1.1' | 'h2';
  method: string;
  /** The host that it was for. */
  host: string;
  /** Path and query, exactly as they were sent. */
  url: string;
  headers: IncomingHttpHeaders;
  credential: 'none' | 'pat' | 'bearer';
  /** How many requests with the same token were being answered when it came, itself included. */
  inProgress: number;
  /** The status of the answer; 0 while there is none. */
  status: number;
  /** When the head of the answer was sent, in milliseconds since 1970. */
  answeredAt?: number;
  /** Bytes of the answer's body. */
  bytesSent: number;
  /** Whether the client went away before the end. */
  aborted: boolean;
  /** The body of a POST. */
  body?: string;
}
