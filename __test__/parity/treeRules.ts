/** How trees may differ. */
import { placeOf } from './generatedTrees';
import { same, type Outcome } from './outcome';
import { translation, type Rule } from './rule';
import {
  draftBelow,
  type TreeAnswer,
  type TreeFile,
  type TreeQuestion,
} from './treeQuestions';

/** The same entry is refused, in other words. */
export const refusedArchives: Rule<TreeQuestion> = {
  applies: ({ draft }) =>
    draft.files.some(({ path }) => /^[a-z]:|\\|(^|\/)\.\.(\/|$)/i.test(path)),
  holds: ({ upstream: theirs, here }) => {
    if (!('error' in theirs) || !('error' in here)) return false;
    const [, what, name] =
      /^(absolute|invalid relative) path: ([^]*)$/.exec(theirs.error.message) ??
      [];
    const why =
      what === 'absolute' ? 'an absolute path' : 'a path that leads outside';
    return (
      name !== undefined &&
      here.error.name === 'Error' &&
      here.error.message.startsWith('Failed to read tree from ') &&
      here.error.message.includes(
        `the archive is damaged: it has ${why}: ${name}`,
      )
    );
  },
};

/** Paths have no parts that lead nowhere, but in the archive as it comes. */
export const canonicalNames: Rule<TreeQuestion> = translation(
  ({ use, path: at = '' }, theirs) => {
    const isAsItComes = use === 'archive' && !at.replaceAll('/', '');
    if ('error' in theirs || isAsItComes) return theirs;
    const answer = theirs.value as TreeAnswer;
    const files = answer.files.map(file => ({
      ...file,
      path: placeOf(file.path),
    }));
    return { value: { ...answer, files } };
  },
);

/** A file is not read as a folder that has nothing in it. */
export const filesAsTrees: Rule<TreeQuestion> = {
  always: true,
  applies: ({ draft, path: at = '' }) => {
    const path = at.replace(/^\/+|\/+$/g, '');
    return draft.files.some(file => file.path === path);
  },
  holds: ({ here }) =>
    'error' in here &&
    here.error.name === 'InputError' &&
    /^Failed to read tree from .*, it is a file and not a folder/s.test(
      here.error.message,
    ),
};

/** The same files, and each of the kind that git has; Azure DevOps Server says none. */
export const modes: Rule<TreeQuestion> = {
  always: true,
  applies: ({ use, at }) => use === 'dir' && at === 'dev.azure.com',
  holds: ({ question, upstream: theirs, here }) =>
    same(withModes(theirs, question), here) || 'error' in theirs,
};

function withModes(outcome: Outcome, question: TreeQuestion): Outcome {
  if ('error' in outcome) return outcome;
  const answer = outcome.value as TreeAnswer;
  const drafted = draftBelow(question);
  const files = answer.files.map((file): TreeFile => {
    const mode = drafted.get(file.path)?.mode;
    if (mode === '100755') return { ...file, is: 'executable' };
    const isLink = mode === '120000' && isInside(file);
    return isLink ? { ...file, is: 'link' } : file;
  });
  return { value: { ...answer, files } };
}

/** As long as Linux takes no link. */
const LONGEST_LINK = 4096;

/** Whether a link leads inside wherever the links on its way lead: it goes up only at its start. */
function isInside({ path, content }: TreeFile): boolean {
  const target = content.toString();
  const isText = Buffer.from(target).equals(content);
  const [, ups, rest] = /^((?:\.{1,2}(?:\/|$))*)([^]*)$/.exec(target)!;
  const depth = path.split('/').length - 1;
  return (
    isText &&
    content.length < LONGEST_LINK &&
    /^[^/\\\0][^\\\0]*$/.test(target) &&
    ups.split('/').filter(up => up === '..').length <= depth &&
    !rest.split('/').includes('..')
  );
}
