/** URLs: every form, every encoding, and what comes out of them. */
import fc from 'fast-check';
import { Parity } from './Parity';
import { URL_CALLS, answerUrl } from './urlQuestions';
import { reference, repositoryUrl } from './urlText';

const parity = new Parity('urls', { ask: answerUrl });

afterAll(() => console.log(parity.summary()));

it('are read and built the same', () =>
  parity.explore(
    repositoryUrl.map(url => URL_CALLS.map(call => ({ call, url }))),
    8_000,
  ));

it('are resolved the same', () =>
  parity.explore(
    fc
      .record({
        url: reference,
        base: repositoryUrl,
        lineNumber: fc.constantFrom(
          ...[undefined, undefined, 0, 1, 42, -1, NaN, 1.5, 1e21, Infinity],
        ),
      })
      .map(question => [{ call: 'resolveUrl', ...question }]),
    20_000,
  ));

it('differ in every way that the table has', () =>
  expect(parity.unmet()).toEqual([]));
