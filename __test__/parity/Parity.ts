/** Asks both packages the same questions and holds every difference against the table. */
import fc from 'fast-check';
import { EXCEPTIONS, type Questions } from './exceptions';
import { same, written, type Outcome } from './outcome';
import { here, upstream, type Package } from './packages';
import type { Difference, Rule } from './rule';
import { seed } from './seed';

type Section = keyof Questions;

/** How a section's questions are asked, and when two outcomes count as the same. */
export interface Asking<Question> {
  ask(from: Package, question: Question): Outcome | Promise<Outcome>;
  same?(upstream: Outcome, here: Outcome): boolean;
}

/** One section of the parity tests, with the count of what was asked. */
export class Parity<S extends Section> {
  readonly #section: S;
  readonly #asking: Asking<Questions[S]>;
  readonly #met = new Set<string>();
  #questions = 0;
  #explained = 0;
  #unexplained = 0;

  constructor(section: S, asking: Asking<Questions[S]>) {
    this.#section = section;
    this.#asking = asking;
  }

  /**
   * Asks all generated questions, so that every difference counts; where there are some, asks again
   * to reduce the first of them, for as long as it may take.
   */
  async explore(
    questions: fc.Arbitrary<Questions[S][]>,
    numRuns: number,
    reduceForMs?: number,
  ): Promise<void> {
    const before = this.#unexplained;
    await fc.assert(
      fc.asyncProperty(questions, async asked => {
        for (const question of asked) await this.#count(question);
      }),
      { seed, numRuns },
    );
    if (this.#unexplained === before) return;
    await fc.assert(
      fc.asyncProperty(questions, async asked => {
        for (const question of asked) await this.#refuse(question);
      }),
      { seed, numRuns, interruptAfterTimeLimit: reduceForMs },
    );
  }

  /** The table's rows of this section that no difference has shown. */
  unmet(): string[] {
    const rows = this.#rules().map(({ where }) => where);
    return rows.filter(where => !this.#met.has(where));
  }

  /** One line for who runs the tests. */
  summary(): string {
    return `parity: ${this.#section} ${this.#questions} questions, ${this.#unexplained} differences outside the table, ${this.#explained} explained by it`;
  }

  async #count(question: Questions[S]): Promise<void> {
    this.#questions += 1;
    const difference = await this.#differ(question);
    const reason = difference && this.#reason(difference);
    if (reason !== undefined) {
      this.#met.add(reason);
      this.#explained += 1;
    } else if (difference) {
      this.#unexplained += 1;
    }
  }

  async #refuse(question: Questions[S]): Promise<void> {
    const difference = await this.#differ(question);
    if (!difference || this.#reason(difference) !== undefined) return;
    const parts = Object.entries(difference);
    const lines = parts.map(([name, part]) => `${name}: ${written(part)}`);
    throw new Error(`not in the table\n${lines.join('\n')}`);
  }

  async #differ(
    question: Questions[S],
  ): Promise<Difference<Questions[S]> | undefined> {
    const { ask, same: isSame = same } = this.#asking;
    const theirs = await ask(upstream, question);
    const ours = await ask(here, question);
    const difference = { question, upstream: theirs, here: ours };
    return isSame(theirs, ours) && !this.#isMissed(difference)
      ? undefined
      : difference;
  }

  /** Whether the table wants another answer than upstream's, which was given. */
  #isMissed(difference: Difference<Questions[S]>): boolean {
    return this.#rules().some(
      ({ rule }) =>
        rule.always &&
        rule.applies(difference.question) &&
        !rule.holds(difference),
    );
  }

  /** The row of the table that a difference follows. */
  #reason(difference: Difference<Questions[S]>): string | undefined {
    const found = this.#rules().find(
      ({ rule }) => rule.applies(difference.question) && rule.holds(difference),
    );
    return found?.where;
  }

  /** The table's rows of this section. */
  #rules(): Array<{ where: string; rule: Rule<Questions[S]> }> {
    return EXCEPTIONS.flatMap(row => {
      const rule = row[this.#section] as Rule<Questions[S]> | undefined;
      return rule ? [{ where: row.where, rule }] : [];
    });
  }
}
