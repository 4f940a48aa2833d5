/** The credential that serves a URL. */
import { Parity } from './Parity';
import { answerCredential, credentialQuestions } from './credentialQuestions';
import { outcomeOf } from './outcome';

const parity = new Parity('credentials', {
  ask: (from, question) => outcomeOf(() => answerCredential(from, question)),
});

afterAll(() => console.log(parity.summary()));

it('are chosen the same', () =>
  parity.explore(
    credentialQuestions.map(question => [question]),
    25_000,
  ));

it('differ in every way that the table has', () =>
  expect(parity.unmet()).toEqual([]));
