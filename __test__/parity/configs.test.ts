/** `integrations.azure`: what is valid, what comes of it, and in which words it is refused. */
import { Parity } from './Parity';
import { answerConfig, configQuestions } from './configQuestions';
import { outcomeOf } from './outcome';

const parity = new Parity('configs', {
  ask: (from, question) => outcomeOf(() => answerConfig(from, question)),
});

afterAll(() => console.log(parity.summary()));

it('are read the same', () =>
  parity.explore(
    configQuestions.map(question => [question]),
    20_000,
  ));

it('differ in every way that the table has', () =>
  expect(parity.unmet()).toEqual([]));
