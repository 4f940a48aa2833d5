/** How searches with a pattern may differ. */
import { Minimatch } from 'minimatch';
import {
  GLOB_FILES,
  GLOB_PLACE,
  type GlobAnswer,
  type GlobQuestion,
} from './globQuestions';
import { same, type Outcome } from './outcome';
import { translation, type Rule } from './rule';

/** The same files, each with the URL by which it is read. */
export const foundUrls: Rule<GlobQuestion> = translation((_, theirs) => {
  if ('error' in theirs) return theirs;
  const answer = theirs.value as GlobAnswer;
  const found = answer.found.map(({ content }) => ({
    content,
    place: GLOB_PLACE,
    path: `/${content}`,
    others: [],
  }));
  return { value: { ...answer, found } };
});

/** What the pattern means to the minimatch that this package has. */
export const newestMinimatch: Rule<GlobQuestion> = {
  applies: () => true,
  holds: ({ question: { pattern }, here }) => {
    try {
      const matcher = new Minimatch(pattern.replace(/^\/+/, ''));
      const found = GLOB_FILES.filter(file => matcher.match(file)).sort();
      return same(pathsIn(here), found);
    } catch {
      return 'error' in here;
    }
  },
};

/** The files that were found, those whose URL leads to them. */
function pathsIn(outcome: Outcome): string[] | undefined {
  if ('error' in outcome) return undefined;
  const { found } = outcome.value as GlobAnswer;
  return found
    .filter(({ content, path, place }) => {
      return place === GLOB_PLACE && path === `/${content}`;
    })
    .map(({ content }) => content);
}
