import { isFailure } from './failure';
import type { Failure } from './native';

/** What is fetched at once, in bytes, unless one file is larger. */
const AT_ONCE = 1024 * 1024;

type Outcome = Buffer | Failure;

/** A tree, or the contents of a search. */
interface Source {
  contents(places: number[]): Promise<Outcome[] | Failure>;
}

interface Waiting {
  index: number;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/**
 * Contents of files, many in one crossing to the native part, which takes longer than to inflate a
 * small file: those that are asked for together, and, where they are asked for one after the other,
 * those that come next.
 */
export class TreeContents {
  readonly #source: Source;
  readonly #places: ArrayLike<number>;
  readonly #sizes: ArrayLike<number>;
  #waiting: Waiting[] = [];
  /** What was fetched before it was asked for. */
  #ahead = new Map<number, Outcome>();
  /** The index after the last that was fetched. */
  #next = -1;

  /**
   * @param source - Where they are.
   * @param places - The places of the files there.
   * @param sizes - Their sizes in bytes.
   */
  constructor(
    source: Source,
    places: ArrayLike<number>,
    sizes: ArrayLike<number>,
  ) {
    this.#source = source;
    this.#places = places;
    this.#sizes = sizes;
  }

  /** The content of the file at an index of the places. */
  async get(index: number): Promise<Outcome> {
    const ahead = this.#ahead.get(index);
    if (ahead) {
      this.#ahead.delete(index);
      return ahead;
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ index, resolve, reject });
      if (this.#waiting.length === 1)
        queueMicrotask(() => this.#fetchWaiting());
    });
  }

  #fetchWaiting(): void {
    const waiting = this.#waiting.splice(0);
    const isNext = waiting.length === 1 && waiting[0].index === this.#next;
    const last = waiting[waiting.length - 1].index;
    const ahead = isNext ? this.#from(last + 1, this.#size(last)) : [];
    this.#next = last + ahead.length + 1;
    for (const batch of this.#batches(waiting)) void this.#fetch(batch, ahead);
  }

  async #fetch(batch: Waiting[], ahead: number[]): Promise<void> {
    try {
      const indexes = [...batch.map(({ index }) => index), ...ahead];
      const places = indexes.map(index => this.#places[index]);
      const outcome = await this.#source.contents(places);
      const outcomes = isFailure(outcome)
        ? indexes.map(() => outcome)
        : outcome;
      const rest = outcomes.slice(batch.length);
      this.#ahead = new Map(rest.map((content, at) => [ahead[at], content]));
      batch.forEach(({ resolve }, at) => resolve(outcomes[at]));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** The indexes from `start` for which there is room beside what takes so many bytes. */
  #from(start: number, bytes: number): number[] {
    const indexes = [];
    let total = bytes;
    for (let index = start; index < this.#places.length; index += 1) {
      total += this.#size(index);
      if (total > AT_ONCE) break;
      indexes.push(index);
    }
    return indexes;
  }

  #batches(waiting: Waiting[]): Waiting[][] {
    const batches: Waiting[][] = [];
    let room = -1;
    for (const one of waiting) {
      room -= this.#size(one.index);
      if (room < 0) {
        batches.push([]);
        room = AT_ONCE - this.#size(one.index);
      }
      batches[batches.length - 1].push(one);
    }
    return batches;
  }

  #size(index: number): number {
    return this.#sizes[index];
  }
}
