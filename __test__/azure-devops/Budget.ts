import { sentToken } from './authentication';
import type { RecordedRequest } from './RecordedRequest';
import type { Written } from './send';

/** What one identity may ask for, and what becomes of it when it asks for more. */
export interface BudgetOptions {
  /** The token of the identity. */
  token: string;
  /** As much as it may ask for at once. */
  capacity: number;
  /** How much is there again after a second. */
  perSecond: number;
  /** How long it is blocked, in seconds. */
  blockedFor?: number;
  /** After how many requests while it is blocked it is taken for nobody. */
  patience?: number;
}

/** What the budget says of one request. */
export interface Verdict {
  /** How long the answer is held back. */
  delayMs: number;
  headers: Record<string, string>;
  /** What is answered in place of what was asked for. */
  answer?: Written;
}

/** From when on an answer says what is left, and from when on it is late. */
const TOLD = 0.5;
const LATE = 0.25;
const LATEST_MS = 1_000;

/**
 * The budget of an identity, as Azure DevOps has it, in units that come back with time.
 *
 * Answers tell of it when half is gone, are late when a quarter is left, and refuse when nothing is:
 * `429`, and then, to who goes on asking, `401`. Who asks while it is blocked stays blocked longer.
 *
 * https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
 */
export class Budget {
  /** How much was left, with the time, whenever something was asked. */
  readonly history: Array<{ at: number; left: number; isRefused: boolean }> =
    [];

  #left: number;
  #filledAt = performance.now();
  #blockedUntil = -Infinity;
  #askedInVain = 0;

  constructor(private readonly options: BudgetOptions) {
    this.#left = options.capacity;
  }

  /** Whether it is the budget of who asks. */
  isOf({ headers }: RecordedRequest): boolean {
    const { authorization } = headers;
    return (
      authorization !== undefined &&
      sentToken(authorization) === this.options.token
    );
  }

  /** Takes what a request costs, if that is there. */
  spend(request: RecordedRequest): Verdict {
    const now = performance.now();
    this.#fill(now);
    const cost = costOf(request);
    const isRefused = now < this.#blockedUntil || this.#left < cost;
    this.history.push({ at: now, left: this.#left, isRefused });
    if (isRefused) return this.#refuse(now);
    this.#left -= cost;
    this.#askedInVain = 0;
    const share = this.#left / this.options.capacity;
    const delayMs = Math.max(0, (1 - share / LATE) * LATEST_MS);
    const delay = (delayMs / 1000).toFixed(3);
    const headers = {
      ...this.#told(),
      ...(delayMs > 0 && { 'x-ratelimit-delay': delay }),
    };
    return { delayMs, headers };
  }

  #fill(now: number): void {
    const { capacity, perSecond } = this.options;
    const more = ((now - this.#filledAt) / 1000) * perSecond;
    this.#left = Math.min(capacity, this.#left + more);
    this.#filledAt = now;
  }

  #refuse(now: number): Verdict {
    const { blockedFor = 3, patience = 300 } = this.options;
    this.#askedInVain += 1;
    const isNew = now >= this.#blockedUntil;
    this.#blockedUntil = isNew
      ? now + blockedFor * 1000
      : this.#blockedUntil + 1;
    if (this.#askedInVain > patience) {
      return { delayMs: 0, headers: {}, answer: written(401, {}) };
    }
    const seconds = Math.ceil((this.#blockedUntil - now) / 1000);
    const headers = { ...this.#told(), 'retry-after': String(seconds) };
    const answer = written(429, {
      $id: '1',
      message:
        'TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource in namespace.',
      typeKey: 'RequestBlockedException',
    });
    return { delayMs: 0, headers, answer };
  }

  #told(): Record<string, string> {
    const { capacity, perSecond } = this.options;
    if (this.#left / capacity >= TOLD) return {};
    const full = (capacity - this.#left) / perSecond;
    return {
      'x-ratelimit-resource': 'Core',
      'x-ratelimit-limit': String(capacity),
      'x-ratelimit-remaining': String(Math.max(0, Math.floor(this.#left))),
      'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000 + full)),
    };
  }
}

/** A file costs one; a list or zip of many things, some more. */
function costOf({ url, method }: RecordedRequest): number {
  return method === 'POST' || /recursionLevel=full|zip/i.test(url) ? 3 : 1;
}

function written(status: number, json: object): Written {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: Buffer.from(JSON.stringify(json)),
  };
}
