/** Searches with a pattern. */
import { answerGlob, globQuestions } from './globQuestions';
import { Parity } from './Parity';
import { sameRead } from './readQuestions';

const parity = new Parity('globs', { ask: answerGlob, same: sameRead });

afterAll(() => console.log(parity.summary()));

it(
  'find the same files, or fail in the same words',
  () =>
    parity.explore(
      globQuestions.map(question => [question]),
      400,
      120_000,
    ),
  240_000,
);

it('differ in every way that the table has', () =>
  expect(parity.unmet()).toEqual([]));
