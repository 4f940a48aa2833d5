/** How searches with a pattern may differ. */
import { Minimatch } from 'minimatch';
import {
  GLOB_FILES,
  type GlobAnswer,
  type GlobQuestion,
} from './globQuestions';
import { same } from './outcome';
import type { Rule } from './rule';

/** What the pattern means to the minimatch that this package has. */
export const newestMinimatch: Rule<GlobQuestion> = {
  applies: () => true,
  holds: ({ question: { pattern }, here }) => {
    try {
      const matcher = new Minimatch(pattern.replace(/^\/+/, ''));
      const found = GLOB_FILES.filter(file => matcher.match(file)).sort();
      return 'value' in here && same((here.value as GlobAnswer).found, found);
    } catch {
      return 'error' in here;
    }
  },
};
