import { ApiError } from './ApiError';
import { tokenOf } from './authentication';
import type { RecordedRequest } from './RecordedRequest';

/** How much an identity may ask for, in throughput units, and what it gets when it asks for more. */
export interface BudgetOptions {
  /** Units that an identity gets back each second. */
  unitsPerSecond: number;
  /** Units in use at which an identity is blocked. */
  capacity: number;
  /** Units in use from which on answers come late; four fifths of the capacity by default. */
  limit?: number;
  /** How late the latest answer before a block comes; 500 by default. */
  maxDelayMs?: number;
  /** The units that a request takes; `unitsOf` by default. */
  cost?: (request: RecordedRequest) => number;
  /** The units that a refused request takes, which makes the block longer; 0.5 by default. */
  refusalCost?: number;
  /** How often a blocked identity is told so, before it is not known any more; 2000 by default. */
  refusalsBefore401?: number;
  /** How `Retry-After` is written; Azure DevOps itself writes seconds. */
  retryAfter?: 'seconds' | 'date';
  /** Whether a late answer says `Retry-After` as well; it does by default. */
  retryAfterWhenLate?: boolean;
  /** The time in milliseconds, for tests to turn. */
  clock?: () => number;
}

/** What the budget says to a request. */
export interface Verdict {
  /** Why it is not answered: an error, or a `401` as for those who are not known. */
  refusal?: ApiError | 'unknown';
  /** How late it is answered. */
  delayMs: number;
  /** What the answer says of the budget. */
  headers: Record<string, string>;
}

/** What an identity has in use. */
interface Account {
  used: number;
  /** When that was. */
  at: number;
  isBlocked: boolean;
  /** How often it was refused in this block. */
  refusals: number;
}

/** From this share of the limit on, answers say how much is left. */
const NEAR = 0.5;

/**
 * What Azure DevOps lets each identity use, in units that come back with time: first answers say
 * how much is left, then they come late, then the identity is blocked until it is below its limit
 * again, and the longer the more it asks meanwhile. An identity is the token of a request.
 *
 * https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
 */
export class Budget {
  readonly options: Required<BudgetOptions>;
  readonly #accounts = new Map<string, Account>();

  constructor(options: BudgetOptions) {
    this.options = {
      limit: options.capacity * 0.8,
      maxDelayMs: 500,
      cost: unitsOf,
      refusalCost: 0.5,
      refusalsBefore401: 2000,
      retryAfter: 'seconds',
      retryAfterWhenLate: true,
      clock: Date.now,
      ...options,
    };
  }

  /** The units that a token has in use. */
  used(token: string): number {
    return this.#account(token).used;
  }

  /** When the block of a token ends, if it asks no more, in milliseconds since 1970. */
  blockedUntil(token: string): number | undefined {
    const account = this.#account(token);
    return account.isBlocked ? this.#belowLimitAt(account) : undefined;
  }

  /** Takes what the request costs. */
  charge(request: RecordedRequest): Verdict {
    const account = this.#account(tokenOf(request.headers.authorization));
    const units = this.options.cost(request);
    account.isBlocked ||= account.used + units > this.options.capacity;
    if (account.isBlocked) return this.#refuse(account);
    account.used += units;
    const delayMs = this.#delayMs(account);
    return { delayMs, headers: this.#headers(account, delayMs) };
  }

  /** The account as it is now. */
  #account(token: string): Account {
    const { clock, limit, unitsPerSecond } = this.options;
    const now = clock();
    const account = this.#accounts.get(token) ?? newAccount(now);
    this.#accounts.set(token, account);
    const back = ((now - account.at) / 1000) * unitsPerSecond;
    account.used = Math.max(0, account.used - back);
    account.at = now;
    if (account.used <= limit) {
      account.isBlocked = false;
      account.refusals = 0;
    }
    return account;
  }

  #refuse(account: Account): Verdict {
    account.used += this.options.refusalCost;
    account.refusals += 1;
    if (account.refusals > this.options.refusalsBefore401)
      return { refusal: 'unknown', delayMs: 0, headers: {} };
    return {
      refusal: new ApiError(
        429,
        'RequestBlockedException',
        "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource 'TSTU' in namespace 'User'.",
      ),
      delayMs: 0,
      headers: { ...this.#headers(account, 0), ...this.#retryAfter(account) },
    };
  }

  /** None up to the limit, and from there on the longer the nearer the block is. */
  #delayMs({ used }: Account): number {
    const { limit, capacity, maxDelayMs } = this.options;
    if (used <= limit) return 0;
    return Math.ceil((maxDelayMs * (used - limit)) / (capacity - limit));
  }

  #headers(account: Account, delayMs: number): Record<string, string> {
    const { limit, unitsPerSecond, retryAfterWhenLate } = this.options;
    const { used, at } = account;
    if (used < limit * NEAR) return {};
    const reset = at / 1000 + used / unitsPerSecond;
    return {
      'X-RateLimit-Resource': 'TSTU/User',
      'X-RateLimit-Limit': limit.toFixed(0),
      'X-RateLimit-Remaining': Math.max(0, limit - used).toFixed(0),
      'X-RateLimit-Reset': Math.ceil(reset).toFixed(0),
      ...(delayMs > 0 && {
        'X-RateLimit-Delay': (delayMs / 1000).toFixed(3),
        ...(retryAfterWhenLate && this.#retryAfter(account)),
      }),
    };
  }

  /** Says when the identity is below its limit again; both forms know whole seconds only. */
  #retryAfter(account: Account): Record<string, string> {
    const at = this.#belowLimitAt(account);
    const value =
      this.options.retryAfter === 'date'
        ? new Date(Math.ceil(at / 1000) * 1000).toUTCString()
        : Math.ceil((at - account.at) / 1000).toFixed(0);
    return { 'Retry-After': value };
  }

  #belowLimitAt({ used, at }: Account): number {
    const { limit, unitsPerSecond } = this.options;
    return at + ((used - limit) / unitsPerSecond) * 1000;
  }
}

/** What a request takes of the budget: an item is cheap, a list is dearer, a zip the dearest. */
export function unitsOf({ url, method, headers }: RecordedRequest): number {
  const isZip = /\$format=zip/i.test(url) || /zip/.test(headers.accept ?? '');
  if (isZip) return 10;
  const isList =
    method === 'POST' || /[?&](scopePath|recursionLevel)=/i.test(url);
  return isList ? 3 : 1;
}

function newAccount(at: number): Account {
  return { used: 0, at, isBlocked: false, refusals: 0 };
}
