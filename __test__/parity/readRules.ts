/** How reads may differ. */
import { same, type Outcome, type Thrown } from './outcome';
import { upstream } from '../../testing/packages';
import {
  REVOKED,
  hasEscapes,
  mustSignIn,
  sameRead,
  type ReadAnswer,
  type ReadQuestion,
} from './readQuestions';
import { parsed } from './parsed';
import { translation, type Rule } from './rule';
import { expectedOf, hasVersion, isReadOtherwise, withType } from './urlRules';
import { webUrlOf } from './webUrl';
import { shownUrl } from './wordRules';

/** What the caller has is not read again. */
export const conditions: Rule<ReadQuestion> = {
  applies: ({ options = {} }) =>
    Boolean(options.etag || options.lastModifiedAfter),
  holds: ({ question, upstream: theirs, here }) =>
    isThrown(here, 'NotModifiedError') && isKnown(question, theirs),
};

/** The same read, with the token of the credential that names the organization. */
export const organizationsInReads: Rule<ReadQuestion> = {
  applies: ({ url, provider }) =>
    !provider && /\/tfs\/|\.visualstudio\.com/.test(url),
  holds: ({ upstream: theirs, here }) => same(withToken(theirs, REVOKED), here),
};

/** An error that says what to check; of a 203 it begins as upstream's does. */
export const signInPages: Rule<ReadQuestion> = {
  applies: question =>
    mustSignIn(question) ||
    [203, 302].includes(question.answer?.status ?? 0) ||
    isPageForFile(question),
  holds: ({ question, upstream: theirs, here }) => {
    const start =
      question.answer?.status === 203 && 'error' in theirs
        ? theirs.error.message
        : `${shownUrl(question.url)} could not be`;
    return (
      isThrown(here, 'AuthenticationError', start) &&
      / Read with .*: (check|add) /.test(here.error.message)
    );
  },
};

/** An error that names the status of what is a success and has no file. */
export const otherSuccesses: Rule<ReadQuestion> = {
  applies: ({ answer }) => [201, 204, 206].includes(answer?.status ?? 0),
  holds: ({ question: { answer, url }, here }) =>
    isThrown(here, 'Error', `${shownUrl(url)} could not be read as `) &&
    here.error.message.includes(`, ${answer?.status} `),
};

/** Upstream's error with the newest upstream's words for a 203. */
export const rejectedCredentials = translation<ReadQuestion>(
  ({ url }, theirs) => {
    if (!('error' in theirs)) return theirs;
    const { name, message } = theirs.error;
    const { host = '' } = parsed(url) ?? {};
    const isAzures = /^dev\.azure\.com$|\.visualstudio\.com$/.test(host);
    const isGlobal = isAzures ? ' and is not a global token' : '';
    const words = `, Azure DevOps rejected the provided credentials. If you are using a personal access token, check that it has not expired${isGlobal}. See https://backstage.io/docs/integrations/azure/locations#using-a-personal-access-token-pat`;
    const told = message.replace(/, 203 [\w -]*$/, () => words);
    return { error: { name, message: told } };
  },
);

/** Whether a page stands in for a file that is not a page itself, by its name. */
function isPageForFile({ answer, url }: ReadQuestion): boolean {
  const { status = 0, headers = {} } = answer ?? {};
  const path = parsed(url)?.searchParams.get('path') ?? '';
  return (
    status >= 200 &&
    status < 300 &&
    headers['content-type'] === 'text/html' &&
    !/\.(x?html|htm)$/i.test(path)
  );
}

/** An error that says what it is, in place of what Azure DevOps says of the folder. */
export const folders: Rule<ReadQuestion> = {
  applies: ({ there }) => there === undefined,
  holds: ({ question, upstream: theirs, here }) =>
    isOfFolder(theirs) && isFolder(question, here),
};

/**
 * The file of the decoded path, or as little as there is at the path itself, after a few looks: at
 * the folder and at the file's name, as they are and decoded.
 */
export const decodedPaths: Rule<ReadQuestion> = {
  applies: ({ url }) => hasEscapes(url),
  holds: ({ question, upstream: theirs, here }) => {
    if (!isNothing(theirs)) return false;
    if ('error' in here) return isFolder(question, here);
    const { sent, contents } = here.value as ReadAnswer;
    return sent.length <= 4 && holdsFile(contents, question);
  },
};

/** Whether there is no such file. */
function isNothing(theirs: Outcome): boolean {
  return 'error' in theirs
    ? theirs.error.name === 'NotFoundError'
    : (theirs.value as ReadAnswer).contents.length === 0;
}

function isOfFolder(theirs: Outcome): boolean {
  if ('error' in theirs) return false;
  const [found] = (theirs.value as ReadAnswer).contents as Array<
    Buffer | { content: Buffer }
  >;
  const content = Buffer.isBuffer(found) ? found : found?.content;
  return String(content).includes('"isFolder":true');
}

function isFolder({ url }: ReadQuestion, here: Outcome): boolean {
  return isThrown(
    here,
    'InputError',
    `Unable to read ${shownUrl(url)}, it is a folder and not a file`,
  );
}

/** An error of a class of its own, in words that begin as upstream's do. */
export const unauthorized: Rule<ReadQuestion> = {
  applies: ({ answer }) => classOf(answer?.status) !== undefined,
  holds: ({ question, upstream: theirs, here }) =>
    'error' in theirs &&
    isThrown(here, classOf(question.answer?.status), theirs.error.message),
};

/** What the file is, asked a second time. */
export const retried: Rule<ReadQuestion> = {
  applies: ({ answer }) =>
    [408, 429, 500, 502, 503, 504].includes(answer?.status ?? 0),
  holds: ({ question, upstream: theirs, here }) => {
    if (!('error' in theirs)) return false;
    if ('error' in here) return isRefused(question, here);
    const { sent, contents } = here.value as ReadAnswer;
    return sent.length === 2 && holdsFile(contents, question);
  },
};

function classOf(status?: number): string | undefined {
  return { 401: 'AuthenticationError', 403: 'NotAllowedError' }[status ?? 0];
}

/** Upstream's read, with the type of the version in every REST URL. */
function withTypes({ url }: ReadQuestion, theirs: Outcome): Outcome {
  const restUrl = restUrlOf(url);
  if (restUrl === undefined) return theirs;
  const typed = withType(restUrl, url);
  if ('error' in theirs) {
    const { name, message } = theirs.error;
    return { error: { name, message: message.replace(restUrl, () => typed) } };
  }
  const { sent, asked, ...answer } = theirs.value as ReadAnswer;
  return {
    value: {
      ...answer,
      sent: sent.map(own => ({ ...own, url: withType(own.url, url) })),
      asked: asked.map(own => withType(own, url)),
    },
  };
}

function restUrlOf(url: string): string | undefined {
  try {
    return upstream.getAzureFileFetchUrl(url);
  } catch {
    return undefined;
  }
}

/** Here a tag is read as a tag, where upstream looks for a branch of its name. */
export const typedVersions: Rule<ReadQuestion> = {
  ...readAs('tag', url => hasVersion(url, 'GT')),
  translate: (question, theirs) =>
    question.call === 'toString' ? theirs : withTypes(question, theirs),
};

/** A commit is read as one, or refused by its URL. */
export const commitUrls = readAs('commit', url => hasVersion(url, 'GC'));
export const commitPages = readAs(
  'commit',
  url => webUrlOf(url)?.commit !== undefined,
);

/** The repository is the one that the project's name leads to. */
export const pastedUrls = readAs('', url => webUrlOf(url)?.isPasted ?? false);

/** What is read is the file in that kind of version, or an error that says why it is not. */
function readAs(
  type: string,
  applies: (url: string) => boolean,
): Rule<ReadQuestion> {
  return {
    always: true,
    applies: ({ call, url }) => call !== 'toString' && applies(url),
    holds: ({ question, upstream: theirs, here }) => {
      if ('error' in here) {
        const isSame = sameRead(theirs, here) && !isReadOtherwise(question.url);
        return isSame || isRefused(question, here) || isNoUrl(question, here);
      }
      const { sent, contents } = here.value as ReadAnswer;
      const isSent = JSON.stringify(sent).includes(`versionType=${type}`);
      return (isSent || type === '') && holdsFile(contents, question);
    },
  };
}

/** Whether the URL itself is refused, as it has to be. */
function isNoUrl({ url }: ReadQuestion, here: Outcome): boolean {
  const expected = expectedOf({ call: 'getAzureFileFetchUrl', url });
  return (
    'error' in expected &&
    isThrown(here, expected.error.name, expected.error.message)
  );
}

/** What is no file is refused by Azure DevOps, or before it is asked. */
function isRefused(question: ReadQuestion, here: Outcome): boolean {
  const { there, url, provider } = question;
  const noPath = 'Azure URL must point to a specific path';
  if (provider?.rejects !== undefined) {
    const rejection = `Unable to read ${shownUrl(url)}, ${provider.rejects}`;
    return [noPath, rejection].some(start => isThrown(here, 'Error', start));
  }
  const starts = [`${shownUrl(url)} could not be read`, noPath];
  const names = ['Error', 'NotFoundError'];
  return (
    !there &&
    (isFolder(question, here) ||
      names.some(name => starts.some(start => isThrown(here, name, start))))
  );
}

/** Whether what was read is the file, or nothing where there is none. */
function holdsFile(
  contents: unknown[],
  { call, there }: ReadQuestion,
): boolean {
  if (call !== 'search') return same(contents[0], there);
  const [file] = contents as Array<{ content: Buffer } | undefined>;
  return same(file?.content, there);
}

function isThrown(
  outcome: Outcome,
  name: string | undefined,
  start = '',
): outcome is { error: Thrown } {
  return (
    'error' in outcome &&
    outcome.error.name === name &&
    outcome.error.message.startsWith(start)
  );
}

/** Whether upstream read what the caller says it has. */
function isKnown({ options = {} }: ReadQuestion, theirs: Outcome): boolean {
  if (!('value' in theirs)) return false;
  const { etag, lastModifiedAt, contents } = theirs.value as ReadAnswer;
  const [file] = contents as Array<{ lastModifiedAt?: Date }>;
  const modified = lastModifiedAt ?? file?.lastModifiedAt;
  return options.etag
    ? options.etag === etag?.replace(/^W\//, '')
    : Boolean(
        modified &&
        options.lastModifiedAfter &&
        modified <= options.lastModifiedAfter,
      );
}

/** The same read with another token. */
function withToken(outcome: Outcome, token: string): Outcome {
  if ('error' in outcome) return outcome;
  const answer = outcome.value as ReadAnswer;
  const authorization = `Basic ${btoa(`:${token}`)}`;
  const sent = answer.sent.map(request => ({ ...request, authorization }));
  return { value: { ...answer, sent } };
}
