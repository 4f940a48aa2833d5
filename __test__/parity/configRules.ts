/** How messages about the config may differ. */
import { entriesOf, type ConfigQuestion } from './configQuestions';
import { same, type Outcome } from './outcome';
import type { Rule } from './rule';

/** Upstream's message with other positions. */
export const positionsInConfig: Rule<ConfigQuestion> = {
  applies: question => entriesOf(question).some(positionsDiffer),
  holds: ({ question, upstream: theirs, here }) =>
    withRealPositions(question, theirs).some(real => same(here, real)),
};

type Named = { organizations?: unknown };

function credentialsOf(entry: { credentials?: unknown }): Named[] {
  return Array.isArray(entry.credentials) ? entry.credentials : [];
}

function namesAny({ organizations }: Named): boolean {
  return Array.isArray(organizations) && organizations.length > 0;
}

/** Whether a credential that names no organization stands before one that does. */
function positionsDiffer(entry: { credentials?: unknown }): boolean {
  const named = credentialsOf(entry).map(own => own && namesAny(own));
  return (
    named.lastIndexOf(true) > named.indexOf(false) && named.includes(false)
  );
}

/** Upstream's message with the positions that it counts replaced by those of each entry. */
function withRealPositions(
  question: ConfigQuestion,
  outcome: Outcome,
): Outcome[] {
  if (!('error' in outcome)) return [];
  const { name, message } = outcome.error;
  return entriesOf(question).map(entry => {
    const positions = credentialsOf(entry).flatMap((own, index) =>
      own && namesAny(own) ? [index + 1] : [],
    );
    const real = message.replace(
      /(?<=multiple times in credentials at positions )[\d, ]+ and \d+/g,
      counted => counted.replace(/\d+/g, n => String(positions[Number(n) - 1])),
    );
    return { error: { name, message: real } };
  });
}
