/** Reads and exact searches, over plain HTTP and over TLS through the proxy. */
import { hostRepositories, type HostedFiles } from './hostedRepositories';
import { Parity } from './Parity';
import {
  answerRead,
  nameQuestions,
  noFileQuestions,
  readQuestions,
  sameRead,
} from './readQuestions';

const parity = new Parity('reads', { ask: answerRead, same: sameRead });

let repositories: HostedFiles[];

beforeAll(async () => {
  repositories = await hostRepositories();
});

afterAll(() => console.log(parity.summary()));

it('give the same, or fail in the same words', () =>
  parity.explore(
    readQuestions(repositories).map(question => [question]),
    1_400,
  ));

it('of what is no file fail the same', () =>
  parity.explore(
    noFileQuestions.map(question => [question]),
    1_500,
  ));

it('are made by readers of the same name', () =>
  parity.explore(
    nameQuestions().map(question => [question]),
    100,
  ));

it('differ in every way that the table has', () =>
  expect(parity.unmet()).toEqual([]));
