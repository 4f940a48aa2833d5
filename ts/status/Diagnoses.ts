import { ServiceUnavailableError } from '@backstage/errors';
import type { Diagnosis } from '../diagnosis/report';
import type { AzureDevOpsNativeStatus } from './status';

/** Makes a diagnosis, with these URLs. */
export type Make = (
  urls: string[],
  options: { signal: AbortSignal },
) => Promise<Diagnosis>;

/** For how long a diagnosis is given again. */
const KEPT_MS = 30_000;

/** The longest that one may take: the next has to wait for it. */
const LONGEST_MS = 120_000;

/** How many are kept, and how many are under way or wait. */
const MOST = 20;

/**
 * Makes one diagnosis at a time, whoever asks: those who ask for the same URLs share one, others wait for
 * their turn. One that was begun is finished, also where nobody waits for it any more. A failure is shared by
 * those who wait for it, and then forgotten.
 */
export class Diagnoses {
  readonly #kept = new Map<
    string,
    { status: AzureDevOpsNativeStatus; until: number }
  >();
  readonly #pending = new Map<string, Promise<AzureDevOpsNativeStatus>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly make: Make) {}

  /** The diagnosis with these URLs, in whatever order. */
  async with(urls: string[]): Promise<AzureDevOpsNativeStatus> {
    const set = [...new Set(urls)].sort();
    const key = JSON.stringify(set);
    this.#forgetOld();
    return (
      this.#kept.get(key)?.status ??
      this.#pending.get(key) ??
      this.#begin(key, set)
    );
  }

  #begin(key: string, urls: string[]): Promise<AzureDevOpsNativeStatus> {
    if (this.#pending.size >= MOST) {
      throw new ServiceUnavailableError(
        `${MOST} diagnoses wait for their turn already, try again later`,
      );
    }
    const made = this.#last
      .then(() => this.#makeInTime(urls))
      .then(diagnosis => this.#keep(key, diagnosis))
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, made);
    this.#last = made.catch(() => {});
    return made;
  }

  async #makeInTime(urls: string[]): Promise<Diagnosis> {
    const controller = new AbortController();
    const end = () =>
      controller.abort(
        new ServiceUnavailableError(
          `The diagnosis took longer than ${LONGEST_MS / 1000} seconds and was ended`,
        ),
      );
    const timer = setTimeout(end, LONGEST_MS).unref();
    try {
      return await this.make(urls, controller);
    } finally {
      clearTimeout(timer);
    }
  }

  #keep(key: string, diagnosis: Diagnosis): AzureDevOpsNativeStatus {
    const status = { diagnosedAt: new Date().toISOString(), ...diagnosis };
    this.#kept.set(key, { status, until: performance.now() + KEPT_MS });
    // A map gives the oldest first.
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST) this.#kept.delete(oldest);
    return status;
  }

  #forgetOld(): void {
    for (const [key, { until }] of this.#kept) {
      if (until <= performance.now()) this.#kept.delete(key);
    }
  }
}
