/** What a row of the table says of a section's questions. */
import type { Outcome } from './outcome';

/** A question that the two packages answer differently. */
export interface Difference<Question> {
  question: Question;
  upstream: Outcome;
  here: Outcome;
}

/** When a row is about a question, and whether a difference is the one that it allows. */
export interface Rule<Question> {
  /** Whether answering as upstream does is wrong wherever this applies and does not hold. */
  always?: boolean;
  /**
   * What upstream's answer becomes before anything is compared, this row's and every other row's
   * view of it included: for what differs in a great many answers, and always in one way.
   */
  translate?(question: Question, upstream: Outcome): Outcome;
  applies(question: Question): boolean;
  holds(difference: Difference<Question>): boolean;
}

/** A row that is nothing but a translation. */
export function translation<Question>(
  translate: (question: Question, upstream: Outcome) => Outcome,
): Rule<Question> {
  return { translate, applies: () => false, holds: () => false };
}
