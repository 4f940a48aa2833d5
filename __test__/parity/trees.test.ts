/** Trees of generated repositories: as files, as folders on disk, as zips. */
import type { Draft, DraftFile } from './generatedTrees';
import { here } from '../../testing/packages';
import { Parity } from './Parity';
import { sameRead } from './readQuestions';
import {
  answerTree,
  treeQuestions,
  type TreeAnswer,
  type TreeQuestion,
} from './treeQuestions';

const parity = new Parity('trees', { ask: answerTree, same: sameRead });

afterAll(() => console.log(parity.summary()));

it(
  'are the same, or fail in the same words',
  () => parity.explore(treeQuestions, 40, 120_000),
  240_000,
);

it('differ in every way that the table has', () =>
  expect(parity.unmet()).toEqual([]));

describe('where upstream never answers, have all files', () => {
  it('an empty one in the archive of a folder', async () =>
    expect(await contentsOf('archive', { 'd/a': '', 'd/b': 'b' })).toEqual({
      a: '',
      b: 'b',
    }));

  it('one whose name begins with two dots, on disk', async () =>
    expect(await contentsOf('dir', { 'd/.../a': 'a', 'd/..b': 'b' })).toEqual({
      '.../a': 'a',
      '..b': 'b',
    }));
});

describe('have all', () => {
  it.each(['f:g', 'ü:g', 'f:ü'])('of the name %s in an archive', async name =>
    expect(await contentsOf('archive', { [`d/e/${name}/h`]: 'h' })).toEqual({
      [`e/${name}/h`]: 'h',
    }),
  );

  it('of a link that is longer than a path may be', async () => {
    const target = 'long/'.repeat(900);
    expect(await contentsOf('dir', { 'd/a': target }, '120000')).toEqual({
      a: target,
    });
  });
});

/** What this package reads below the folder `d`. */
async function contentsOf(
  use: TreeQuestion['use'],
  files: Record<string, string>,
  mode: DraftFile['mode'] = '100644',
): Promise<Record<string, string>> {
  const drafted = Object.entries(files).map(([path, content]) => ({
    path,
    content: Buffer.from(content),
    mode,
  }));
  const draft: Draft = { files: drafted, hollow: [], submodules: [] };
  const question = { draft, at: 'dev.azure.com', path: '/d', use } as const;
  const outcome = await answerTree(here, question);
  if ('error' in outcome) throw new Error(outcome.error.message);
  const answer = outcome.value as TreeAnswer;
  return Object.fromEntries(
    answer.files.map(({ path, content }) => [path, String(content)]),
  );
}
