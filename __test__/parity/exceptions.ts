/** Where this package is allowed to differ from upstream: the table that all parity tests read. */
import type { ConfigQuestion } from './configQuestions';
import { positionsInConfig } from './configRules';
import type { CredentialQuestion } from './credentialQuestions';
import { organizationsByName } from './credentialRules';
import type { ReadQuestion } from './readQuestions';
import {
  conditions,
  organizationsInReads,
  retried,
  signInPages,
  typedRead,
  unauthorized,
} from './readRules';
import type { Rule } from './rule';
import type { TreeQuestion } from './treeQuestions';
import { modes, refusedArchives } from './treeRules';
import type { UrlQuestion } from './urlQuestions';
import { commitUrls, tagUrls } from './urlRules';

/** The questions of each section. */
export interface Questions {
  urls: UrlQuestion;
  configs: ConfigQuestion;
  credentials: CredentialQuestion;
  reads: ReadQuestion;
  trees: TreeQuestion;
}

/** One row of the table, with a rule for every section that it shows in. */
export type Exception = {
  [S in keyof Questions]?: Rule<Questions[S]>;
} & { where: string; upstream: string; here: string };

export const EXCEPTIONS: Exception[] = [
  {
    where: 'tag URLs (version=GT…)',
    upstream: 'sent as a branch: 404',
    here: 'sent with versionDescriptor.versionType=tag (commits: searchCriteria.itemVersion.versionType=tag)',
    urls: tagUrls,
    reads: typedRead('GT', 'tag'),
  },
  {
    where: 'commit URLs (version=GC…)',
    upstream: 'rejected',
    here: 'read, with versionType=commit',
    urls: commitUrls,
    reads: typedRead('GC', 'commit'),
  },
  {
    where: 'etag, lastModifiedAfter on readUrl and exact search',
    upstream: 'ignored',
    here: 'conditional request; NotModifiedError',
    reads: conditions,
  },
  {
    where: 'organizations in credentials',
    upstream: 'exact bytes of the URL; never for *.visualstudio.com',
    here: 'decoded, without regard to case; *.visualstudio.com too',
    credentials: organizationsByName,
    reads: organizationsInReads,
  },
  {
    where: 'duplicate-organization message',
    upstream: 'positions in a filtered list',
    here: 'positions in the config',
    configs: positionsInConfig,
  },
  {
    where: 'sign-in pages (203, redirects, HTML for an archive)',
    upstream: 'a bare status, or "Unexpected token <", or the page as content',
    here: 'AuthenticationError that says which credential was used and what to check',
    reads: signInPages,
  },
  {
    where: 'answers 401 and 403',
    upstream: 'Error',
    here: 'AuthenticationError, NotAllowedError; the message begins as upstream does',
    reads: unauthorized,
  },
  {
    where: '429, 503, resets, `Retry-After`, `X-RateLimit-*`',
    upstream: 'the read fails',
    here: 'waits and retries, for the identity as a whole',
    reads: retried,
  },
  {
    where: 'damaged archive, throwing filter',
    upstream: 'uncaught exception, hang, or wrong bytes',
    here: 'the promise rejects',
    trees: refusedArchives,
  },
  {
    where: 'executable bits in dir()',
    upstream: 'lost',
    here: 'kept, as are links that stay inside',
    trees: modes,
  },
];
