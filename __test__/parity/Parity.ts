/** Asks both packages the same questions and holds every difference against the table. */
import fc from 'fast-check';
import { EXCEPTIONS, type Exception, type Questions } from './exceptions';
import { same, written, type Outcome } from './outcome';
import {
  here,
  isUpstream,
  upstream,
  type Package,
} from '../../testing/packages';
import type { Difference, Rule } from './rule';
import { seed } from './seed';

type Section = keyof Questions;

/** How a section's questions are asked, and when two outcomes count as the same. */
export interface Asking<Question> {
  ask(from: Package, question: Question): Outcome | Promise<Outcome>;
  same?(upstream: Outcome, here: Outcome): boolean;
}

/** An answer of each package, upstream's as the rows of the table translate it. */
interface Answers<Question> extends Difference<Question> {
  isDifferent: boolean;
  /** The rows that changed upstream's answer. */
  translatedBy: string[];
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
    const answers = await this.#answers(question);
    const reasons = [...answers.translatedBy, ...this.#reason(answers)];
    if (this.#isExplained(answers)) {
      reasons.forEach(where => this.#met.add(where));
      this.#explained += reasons.length > 0 ? 1 : 0;
    } else {
      this.#unexplained += 1;
    }
  }

  async #refuse(question: Questions[S]): Promise<void> {
    const answers = await this.#answers(question);
    if (this.#isExplained(answers)) return;
    const { upstream: theirs, here: ours } = answers;
    const parts = Object.entries({ question, upstream: theirs, here: ours });
    const lines = parts.map(([name, part]) => `${name}: ${written(part)}`);
    throw new Error(`not in the table\n${lines.join('\n')}`);
  }

  async #answers(question: Questions[S]): Promise<Answers<Questions[S]>> {
    const { ask, same: isSame = same } = this.#asking;
    let theirs = await ask(upstream, question);
    const ours = await ask(here, question);
    const translatedBy: string[] = [];
    for (const { where, rule } of this.#rules()) {
      const translated = rule.translate?.(question, theirs) ?? theirs;
      if (!same(translated, theirs)) translatedBy.push(where);
      theirs = translated;
    }
    const difference = { question, upstream: theirs, here: ours };
    const isDifferent = !isSame(theirs, ours) || this.#isMissed(difference);
    return { ...difference, isDifferent, translatedBy };
  }

  #isExplained(answers: Answers<Questions[S]>): boolean {
    return !answers.isDifferent || this.#reason(answers).length > 0;
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

  /** The row of the table that a difference follows, the first of them, or none. */
  #reason(answers: Answers<Questions[S]>): string[] {
    if (!answers.isDifferent) return [];
    const found = this.#rules().find(
      ({ rule }) => rule.applies(answers.question) && rule.holds(answers),
    );
    return found ? [found.where] : [];
  }

  /** The rules that the table has for this section and for the upstream that is installed. */
  #rules(): Array<{ where: string; rule: Rule<Questions[S]> }> {
    return EXCEPTIONS.filter(({ versions }) => isUpstream(versions)).flatMap(
      (row: Exception) => {
        const rule = row[this.#section] as Rule<Questions[S]> | undefined;
        return rule ? [{ where: row.where, rule }] : [];
      },
    );
  }
}
