/** How answers about URLs may differ. */
import { same, thrown, type Outcome } from './outcome';
import { isUpstream, upstream } from '../../testing/packages';
import { parsed } from './parsed';
import { translation, type Rule } from './rule';
import { answerUrl, type UrlQuestion } from './urlQuestions';
import { isCommitId, webUrlOf } from './webUrl';

/** The upstream versions that send a version without its type, and do not tell where a file is edited. */
export const UNTYPED = '<0.19.0';

/** Upstream's REST URL with the type of the version that it names. */
export const typedVersions: Rule<UrlQuestion> = translation(
  (question, theirs) =>
    /file|archive|download|commits/i.test(question.call)
      ? withUrl(theirs, url => withType(url, question.url))
      : theirs,
);

/** The same file, to be edited. */
export const editUrls: Rule<UrlQuestion> = translation((question, theirs) =>
  question.call === 'resolveEditUrl' && namesFile(question.url)
    ? withUrl(theirs, editUrl)
    : theirs,
);

/** What upstream says of the same URL with the project's name in it. */
export const pastedUrls: Rule<UrlQuestion> = {
  always: true,
  applies: question => webUrlOf(urlOf(question))?.isPasted === true,
  holds: isExpected,
};

/** What upstream makes of a branch of the commit's name, and that the version is a commit. */
export const commitPages: Rule<UrlQuestion> = {
  always: true,
  applies: question => webUrlOf(urlOf(question))?.commit !== undefined,
  holds: isExpected,
};

/** What upstream makes of a branch, and that the version is a commit. */
export const commitUrls: Rule<UrlQuestion> = {
  always: true,
  applies: question => hasVersion(urlOf(question), 'GC'),
  holds: isExpected,
};

/** Whether a URL is read as upstream does not read it, or is refused for what upstream ignores. */
export function isReadOtherwise(url: string): boolean {
  const web = webUrlOf(url);
  return Boolean(web?.isPasted) || web?.commit !== undefined;
}

/** Whether the version that a URL names begins so, and goes on. */
export function hasVersion(url: string, prefix: string): boolean {
  const version = parsed(url)?.searchParams.get('version') ?? '';
  return version.startsWith(prefix) && version.length > prefix.length;
}

/** What this package is to answer: what upstream says of the same in words that it knows. */
export function expectedOf(question: UrlQuestion): Outcome {
  const { call, url } = question;
  switch (call) {
    case 'resolveUrl':
      return resolved(question);
    case 'resolveEditUrl':
    case 'byUrl':
    case 'byUrlObject':
    case 'byHost':
      return answerOfNewest(question);
    default: {
      const web = webUrlOf(url);
      if (web?.commit === undefined) {
        return ofVersion({ call, url: web?.url ?? url });
      }
      return ofCommit(call, web.url, web.commit);
    }
  }
}

const NO_COMMIT_ID =
  'Azure URL of a commit must have its id in full, 40 or 64 hex digits, but has ';

/** The REST URL with the type of its version, where it names one without. */
export function withType(restUrl: string, webUrl: string): string {
  const type = hasVersion(webUrl, 'GT') ? 'tag' : 'branch';
  return restUrl.replace(
    /([?&])(searchCriteria\.itemVersion\.)?version=([^&]*)$/,
    (_, mark: string, isOfCommits: string | undefined, name: string) => {
      const of = isOfCommits ?? 'versionDescriptor.';
      return `${mark}${of}version=${name}&${of}versionType=${type}`;
    },
  );
}

function isExpected({
  question,
  here,
}: {
  question: UrlQuestion;
  here: Outcome;
}): boolean {
  const expected = expectedOf(question);
  const isBegun =
    'error' in expected &&
    'error' in here &&
    expected.error.message === NO_COMMIT_ID &&
    here.error.message.startsWith(NO_COMMIT_ID);
  return isBegun || same(here, expected);
}

/** Upstream's answer, and where it is an older one, what the newest says in its place. */
function answerOfNewest(question: UrlQuestion): Outcome {
  const rules = isUpstream(UNTYPED) ? [typedVersions, editUrls] : [];
  return rules.reduce(
    (theirs, rule) => rule.translate!(question, theirs),
    answerUrl(upstream, question),
  );
}

/** The answer to a URL whose version may be a commit, which upstream knows as a branch. */
function ofVersion(
  question: Exclude<UrlQuestion, { call: 'resolveUrl' }>,
): Outcome {
  const { call, url } = question;
  if (!hasVersion(url, 'GC')) return answerOfNewest(question);
  const name = parsed(url)!.searchParams.get('version')!.slice(2);
  const asked = { call, url: withVersion(url, `GB${name}`) };
  const theirs = answerOfNewest(asked);
  if ('value' in theirs && call === 'fromRepoUrl') {
    return { value: { ...(theirs.value as object), prefix: 'GC' } };
  }
  return withUrl(theirs, own =>
    call === 'toRepoUrl'
      ? name
        ? withVersion(own, `GC${name}`)
        : own
      : own.replace(/versionType=branch$/, 'versionType=commit'),
  );
}

/** The answer to the page of a commit, whatever the URL's version. */
function ofCommit(
  call: Exclude<UrlQuestion['call'], 'resolveUrl'>,
  url: string,
  commit: string,
): Outcome {
  if (isCommitId(commit)) {
    return ofVersion({ call, url: withVersion(url, `GC${commit}`) });
  }
  const place = { call: 'fromRepoUrl', url: withVersion(url, 'GB') } as const;
  const theirs = answerUrl(upstream, place);
  return 'error' in theirs
    ? theirs
    : { error: { name: 'Error', message: NO_COMMIT_ID } };
}

/** A place that upstream knows, and by which what comes of it is known again. */
const KNOWN_PLACE = '/organization/project/_git/repository';
const KNOWN_HASH = '#known';

/** Resolves as upstream does where the base is one that both read, and else as any URL. */
function resolved(
  question: Extract<UrlQuestion, { call: 'resolveUrl' }>,
): Outcome {
  const { url, base } = question;
  if (parsed(url)) return answerOfNewest(question);
  if (!isBase(base)) return asAnyUrl(url, base);
  const own = new URL(base);
  const known = new URL(base);
  known.pathname = KNOWN_PLACE;
  known.hash = KNOWN_HASH;
  const version = own.searchParams.get('version');
  const asked = version === null ? known.href : swapVersion(known.href, 'GBx');
  const theirs = answerOfNewest({ ...question, base: asked });
  if (!('value' in theirs)) return asAnyUrl(url, base);
  const text = String(theirs.value);
  const answer = new URL(version === null ? text : swapVersion(text, version));
  if (answer.hash !== KNOWN_HASH) return asAnyUrl(url, base);
  answer.pathname = own.pathname;
  return { value: answer.href.replace(KNOWN_HASH, () => fragmentOf(own)) };
}

/** Whether what stands beside it is resolved in its repository; of a commit's page, whatever the commit. */
function isBase(base: string): boolean {
  const web = webUrlOf(base);
  const url = web?.commit === undefined ? base : withVersion(web.url, 'GBany');
  return !('error' in expectedOf({ call: 'fromRepoUrl', url }));
}

/** With its mark, which `hash` leaves out where nothing follows it. */
function fragmentOf({ href }: URL): string {
  return href.includes('#') ? href.slice(href.indexOf('#')) : '';
}

function asAnyUrl(url: string, base: string): Outcome {
  try {
    return { value: new URL(url, base).href };
  } catch (error) {
    return { error: thrown(error) };
  }
}

function urlOf(question: UrlQuestion): string {
  return question.call === 'resolveUrl' ? question.base : question.url;
}

function namesFile(url: string): boolean {
  const theirs = answerUrl(upstream, { call: 'fromRepoUrl', url });
  const { path } = ('value' in theirs ? theirs.value : {}) as { path?: string };
  return Boolean(path) && path !== '/';
}

function editUrl(url: string): string {
  const edited = new URL(url);
  edited.searchParams.set('_a', 'edit');
  return edited.href;
}

function withUrl(outcome: Outcome, change: (url: string) => string): Outcome {
  return 'value' in outcome && typeof outcome.value === 'string'
    ? { value: change(outcome.value) }
    : outcome;
}

/** The URL with this version and no other. */
function withVersion(text: string, version: string): string {
  const url = new URL(text);
  url.searchParams.set('version', version);
  return url.href;
}

/** The URL with another version in the place of the one that counts, the first. */
function swapVersion(text: string, version: string): string {
  const url = new URL(text);
  const parameters = [...url.searchParams];
  const first = parameters.find(([name]) => name === 'version');
  if (first) first[1] = version;
  url.search = String(new URLSearchParams(parameters));
  return url.href;
}
