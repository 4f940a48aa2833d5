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
  applies(question: Question): boolean;
  holds(difference: Difference<Question>): boolean;
}
