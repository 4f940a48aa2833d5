/** Faults at every point of a request, generated. */
import fc from 'fast-check';
import type { ConnectionFault, Http2Code, Misbehaviour } from './azure-devops';

/** Something that goes wrong with a request, or with the connection. */
export type Fault =
  | StatusFault
  | { how: 'connection'; fault: Pick<ConnectionFault, 'how' | 'from'> }
  | { how: 'reset' | 'end'; beforeHead: boolean; code?: Http2Code }
  | { how: 'go away'; beforeHead: boolean; code: Http2Code }
  | { how: 'pause' | 'stall'; beforeHead: boolean }
  | { how: 'delay' | 'excess' | 'damaged JSON' | 'chunks cut off' };

/** An answer with a status that is no success. */
export interface StatusFault {
  how: 'status';
  status: number;
  body: 'json' | 'page' | 'nothing';
  /** Sent as `Retry-After`. */
  retryAfter?: string;
}

/** What a fault is made at, and how often. */
export interface Case {
  at: 'server' | 'visualstudio.com' | 'dev.azure.com';
  /** The place of the operation among all. */
  operation: number;
  fault: Fault;
  /** The request that it is made at first, modulo how many there are. */
  nth: number;
  /** Where in the body, or in all that goes over the connection. */
  share: number;
  /** As often; 0 is always. */
  times: number;
  maxRetries: number;
}

/** As Azure DevOps says what is wrong. */
export const WORDS = 'TF000000: It is not so';

const CODES: Http2Code[] = [
  'NO_ERROR',
  'INTERNAL_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'PROTOCOL_ERROR',
  'ENHANCE_YOUR_CALM',
];

const common = fc.constantFrom(
  ...[400, 401, 403, 404, 408, 409, 410, 429, 500, 501, 502, 503, 504],
);

const status: fc.Arbitrary<Fault> = fc.record(
  {
    how: fc.constant('status' as const),
    status: fc.oneof(common, fc.integer({ min: 400, max: 504 })),
    body: fc.constantFrom('json', 'page', 'nothing'),
    retryAfter: fc.constantFrom('0', '0', '1', '-1', 'soon', inThePast()),
  },
  { requiredKeys: ['how', 'status', 'body'] },
);

const beforeHead = fc.boolean();

const broken: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ how: fc.constantFrom('reset', 'end'), beforeHead }),
  fc.record({ how: fc.constant('pause'), beforeHead }),
  fc.record({ how: fc.constantFrom('delay', 'excess', 'damaged JSON') }),
);

const stalled: fc.Arbitrary<Fault> = fc.record({
  how: fc.constant('stall'),
  beforeHead,
});

const ofHttp1: fc.Arbitrary<Fault> = fc.record({
  how: fc.constant('chunks cut off'),
});

const ofHttp2: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    how: fc.constant('reset'),
    beforeHead,
    code: fc.constantFrom(...CODES),
  }),
  fc.record({
    how: fc.constant('go away'),
    beforeHead,
    code: fc.constantFrom(...CODES),
  }),
);

const connection: fc.Arbitrary<Fault> = fc.record({
  how: fc.constant('connection'),
  fault: fc.record({
    how: fc.constantFrom('refuse', 'reset', 'reset', 'end', 'end', 'stall'),
    from: fc.constantFrom('client', 'server'),
  }),
});

/** On a connection that others share, only requests are disturbed. */
const PLACES: Array<[Case['at'], number, Array<[number, fc.Arbitrary<Fault>]>]> =
  [
    ['server', 6, [[6, broken], [1, ofHttp1], [3, connection]]],
    ['visualstudio.com', 3, [[4, broken], [3, ofHttp2], [3, connection]]],
    ['dev.azure.com', 1, [[3, broken], [3, ofHttp2]]],
  ]; // prettier-ignore

/** A case of one of so many operations. */
export function cases(operations: number): fc.Arbitrary<Case> {
  const places = PLACES.map(([at, weight, faults]) => ({
    weight,
    arbitrary: fc.record({
      at: fc.constant(at),
      operation: fc.nat(operations - 1),
      fault: fc.oneof(
        { weight: 6, arbitrary: status },
        { weight: 1, arbitrary: stalled },
        ...faults.map(([own, arbitrary]) => ({ weight: own, arbitrary })),
      ),
      nth: fc.nat(5),
      share: fc.nat(1_000).map(thousandths => thousandths / 1_000),
      times: fc.constantFrom(1, 1, 2, 0),
      maxRetries: fc.constantFrom(0, 1, 2),
    }),
  }));
  return fc.oneof(...places);
}

/** Whether the read can only be ended by who asked for it. */
export function isSilent(fault: Fault): boolean {
  return (
    fault.how === 'stall' ||
    (fault.how === 'connection' && fault.fault.how === 'stall')
  );
}

/** What the stand-in does with a body of this size. */
export function toMisbehaviour(
  fault: Exclude<Fault, { how: 'connection' }>,
  size: number,
  share: number,
): Misbehaviour {
  const within = Math.floor(size * share);
  const place = 'beforeHead' in fault && fault.beforeHead ? -1 : within;
  switch (fault.how) {
    case 'status':
      return toAnswer(fault);
    case 'reset':
      return { resetAfter: place, resetCode: fault.code };
    case 'go away':
      return { goAwayAfter: place, goAwayCode: fault.code };
    case 'end':
      return { truncateAfter: Math.min(place, size - 1) };
    case 'chunks cut off':
      return { truncateAfter: within, chunked: true };
    case 'pause':
      return { stallAfter: place, stallMs: 30 };
    case 'stall':
      return { stallAfter: Math.min(place, size - 1) };
    case 'delay':
      return { delayMs: 30 };
    case 'excess':
      return { excess: Buffer.from('more than was announced') };
    default:
      return { damageAt: within };
  }
}

function toAnswer({
  status: own,
  body,
  retryAfter,
}: StatusFault): Misbehaviour {
  const [type, text] = {
    json: ['application/json', JSON.stringify({ message: WORDS })],
    page: ['text/html', '<html><body>Something is wrong</body></html>'],
    nothing: ['text/plain', ''],
  }[body];
  const headers: Record<string, string> = { 'content-type': type };
  if (retryAfter !== undefined) headers['retry-after'] = retryAfter;
  return { status: own, headers, body: text };
}

function inThePast(): string {
  return new Date(0).toUTCString();
}
