/** How answers about URLs may differ. */
import { same, type Outcome } from './outcome';
import { upstream } from './packages';
import { parsed } from './parsed';
import type { Rule } from './rule';
import { answerUrl, type UrlQuestion } from './urlQuestions';

/** Upstream's REST URL, and that the version is a tag. */
export const tagUrls: Rule<UrlQuestion> = {
  always: true,
  applies: question => hasVersion(urlOf(question), 'GT'),
  holds: ({ question, upstream: theirs, here }) =>
    same(here, withVersionType(question, theirs, 'tag')),
};

/** What upstream makes of a branch, and that the version is a commit. */
export const commitUrls: Rule<UrlQuestion> = {
  applies: question => hasVersion(urlOf(question), 'GC'),
  holds: ({ question, here }) =>
    same(canonical(question, here), asCommit(question)),
};

function urlOf(question: UrlQuestion): string {
  return question.call === 'resolveUrl' ? question.base : question.url;
}

/** Whether the version that a URL names begins so. */
export function hasVersion(url: string, prefix: string): boolean {
  const version = parsed(url)?.searchParams.get('version');
  return Boolean(version?.startsWith(prefix));
}

/** The REST URL with the type of its version, where it has one. */
function withVersionType(
  { call }: UrlQuestion,
  outcome: Outcome,
  type: string,
): Outcome {
  if (!('value' in outcome) || typeof outcome.value !== 'string') {
    return outcome;
  }
  const key = /commits/i.test(call)
    ? 'searchCriteria.itemVersion.version'
    : /file|archive|download/i.test(call) && 'version';
  const isNamed = key && new URL(outcome.value).searchParams.has(key);
  const typeKey =
    key === 'version' ? 'versionDescriptor.versionType' : `${key}Type`;
  return isNamed ? { value: `${outcome.value}&${typeKey}=${type}` } : outcome;
}

/** What upstream says to the same URL with a branch of the commit's name. */
function asCommit(question: UrlQuestion): Outcome {
  const swapped = swapVersion(urlOf(question), 'GC', 'GB');
  const asked =
    question.call === 'resolveUrl'
      ? { ...question, base: swapped }
      : { ...question, url: swapped };
  const theirs = withVersionType(asked, answerUrl(upstream, asked), 'commit');
  if (!('value' in theirs)) {
    return theirs;
  }
  const { value } = theirs;
  if (question.call === 'fromRepoUrl') {
    return { value: { ...(value as object), prefix: 'GC' } };
  }
  return ['toRepoUrl', 'resolveUrl'].includes(question.call)
    ? { value: swapVersion(String(value), 'GB', 'GC') }
    : theirs;
}

/** A resolved URL may keep its base's query as it was written, which swapping does not. */
function canonical(question: UrlQuestion, outcome: Outcome): Outcome {
  return question.call === 'resolveUrl' && 'value' in outcome
    ? { value: swapVersion(String(outcome.value), 'GC', 'GC') }
    : outcome;
}

/** The URL with another prefix before the version that counts, the first one. */
function swapVersion(text: string, from: string, to: string): string {
  const url = new URL(text);
  const parameters = [...url.searchParams];
  const first = parameters.find(([name]) => name === 'version');
  if (first?.[1].startsWith(from)) {
    first[1] = to + first[1].slice(from.length);
  }
  url.search = String(new URLSearchParams(parameters));
  return url.toString();
}
