/**
 * Where this package is allowed to differ from upstream: the table that all parity tests read, and
 * that `scripts/differences.mjs` puts into docs/differences.md. A row without a rule is about what no generated
 * question asks; a test of its own shows it.
 */
import type { ConfigQuestion } from './configQuestions';
import { certificates, positionsInConfig } from './configRules';
import type { CredentialQuestion } from './credentialQuestions';
import { organizationsByName } from './credentialRules';
import type { GlobQuestion } from './globQuestions';
import { foundUrls, newestMinimatch } from './globRules';
import type { ReadQuestion } from './readQuestions';
import * as reads from './readRules';
import type { Rule } from './rule';
import type { TreeQuestion } from './treeQuestions';
import {
  canonicalNames,
  filesAsTrees,
  modes,
  refusedArchives,
} from './treeRules';
import type { UrlQuestion } from './urlQuestions';
import * as urls from './urlRules';
import * as words from './wordRules';

/** The questions of each section. */
export interface Questions {
  urls: UrlQuestion;
  configs: ConfigQuestion;
  credentials: CredentialQuestion;
  reads: ReadQuestion;
  trees: TreeQuestion;
  globs: GlobQuestion;
}

/** One row of the table, with a rule for every section that it shows in. */
export type Exception = {
  [S in keyof Questions]?: Rule<Questions[S]>;
} & {
  where: string;
  upstream: string;
  here: string;
  /** The versions of `@backstage/backend-defaults` that differ; all, where it is missing. */
  versions?: string;
};

export const EXCEPTIONS: Exception[] = [
  {
    where: 'branch and tag URLs (`version=GB…`, `version=GT…`)',
    upstream: 'sent without a type, so that a tag is taken for a branch: 404',
    here: 'sent with `versionDescriptor.versionType`, as 0.19 does',
    versions: '<0.19.0',
    urls: urls.typedVersions,
    reads: reads.typedVersions,
  },
  {
    where: '`resolveEditUrl`',
    upstream: 'the URL as it is',
    here: 'the URL that opens the editor (`_a=edit`), as 0.19 does',
    versions: '<0.19.0',
    urls: urls.editUrls,
  },
  {
    where: 'credentials with `clientCertificate` or `clientCertificatePath`',
    upstream: 'rejected, or read as if the certificate were not there',
    here: 'certificates of service principals, as 0.19 has them',
    versions: '<0.19.0',
    configs: certificates,
  },
  {
    where: 'answers 203',
    upstream: 'told by their number',
    here: 'told as rejected credentials, as 0.19 does',
    versions: '<0.19.0',
    reads: reads.rejectedCredentials,
  },
  {
    where:
      '`{org}.visualstudio.com/_git/{repo}`, `…/DefaultCollection/_git/{repo}`, `{server}/tfs/{collection}/_git/{repo}`',
    upstream: 'rejected, or another project',
    here: "the project of the repository's name",
    urls: urls.pastedUrls,
    reads: reads.pastedUrls,
  },
  {
    where: "a commit's page (`…/_git/{repo}/commit/{sha}?path=…`)",
    upstream: 'the default branch is read, or what `version=` names',
    here: 'that commit is read; an error where the id is not given in full',
    urls: urls.commitPages,
    reads: reads.commitPages,
  },
  {
    where: 'commit URLs (`version=GC…`)',
    upstream: 'rejected',
    here: 'read, with `versionType=commit`',
    urls: urls.commitUrls,
    reads: reads.commitUrls,
  },
  {
    where: 'URLs of files that `search` finds',
    upstream: 'the path is encoded twice: 404',
    here: 'encoded once',
    globs: foundUrls,
  },
  {
    where: 'a path with `%XX` that is not there',
    upstream: '404',
    here: "the path decoded once is read, since Backstage's own registry of integrations writes it so",
    reads: reads.decodedPaths,
  },
  {
    where: 'a folder read as a file; a file read as a tree',
    upstream: "the folder's JSON; an empty tree",
    here: 'an error that says so',
    reads: reads.folders,
    trees: filesAsTrees,
  },
  {
    where: '`token` in the options',
    upstream: 'ignored',
    here: 'read as the caller',
  },
  {
    where: '`etag`, `lastModifiedAfter` on `readUrl` and exact `search`',
    upstream: 'ignored',
    here: 'conditional request; `NotModifiedError`',
    reads: reads.conditions,
  },
  {
    where: '`search` with a pattern',
    upstream:
      "downloads the whole repository; on hosts other than Azure's own the pattern is taken for a file name",
    here: 'lists, then reads only what matches; on every configured host',
  },
  {
    where: 'rare patterns (`???` and letters like 🚀, nested groups)',
    upstream: 'as in minimatch 10',
    here: 'as in minimatch 11, which 0.19 has',
    versions: '<0.19.0',
    globs: newestMinimatch,
  },
  {
    where: 'organizations in credentials',
    upstream: 'exact bytes of the URL; never for `*.visualstudio.com`',
    here: 'decoded, without regard to case; `*.visualstudio.com` too',
    credentials: organizationsByName,
    reads: reads.organizationsInReads,
  },
  {
    where: 'message about an organization named twice',
    upstream: 'positions in a filtered list',
    here: 'positions in the config',
    configs: positionsInConfig,
  },
  {
    where:
      'sign-in pages (203, redirects, HTML for JSON, for an archive or for a file that is no HTML)',
    upstream:
      'an error without credential or cause, "Unexpected token <", or the page as content',
    here: '`AuthenticationError` that says which credential was used and what to check',
    reads: reads.signInPages,
  },
  {
    where: 'what a message repeats: URLs, names, words of a server',
    upstream: 'as it is',
    here: 'without what was sent, `user:password@`, secret parameters and fragments; what cannot be seen is written out (`\\u{202e}`)',
    reads: words.shownUrls,
    trees: words.shownNames,
  },
  {
    where: 'answers 401 and 403',
    upstream: '`Error`',
    here: '`AuthenticationError`, `NotAllowedError`; the message begins as upstream does',
    reads: reads.unauthorized,
  },
  {
    where: '100 first reads at once',
    upstream: '100 token requests',
    here: 'one',
  },
  {
    where: '429, 503, resets, `Retry-After`, `X-RateLimit-*`',
    upstream: 'the read fails',
    here: 'waits and retries, for the identity as a whole',
    reads: reads.retried,
  },
  {
    where: '`http://` on `dev.azure.com` and `*.visualstudio.com`',
    upstream: 'asked in plain text, with the credential',
    here: '`InputError`, and nothing is sent',
  },
  {
    where: '`http://` on a Server',
    upstream: 'asked in plain text',
    here: 'asked so with one warning, or as `plainHttp` of the host says: `allow` or `refuse`',
  },
  {
    where:
      'patterns whose braces expand too far, or that take too long to match',
    upstream: 'the event loop stands still, or the process ends without memory',
    here: 'an error, which for braces names limit and key: `patternAlternatives`',
  },
  {
    where: 'answers beyond the limits of the configuration',
    upstream: 'memory and disk, as far as they last',
    here: 'an error that names limit and key',
  },
  {
    where:
      '`Content-Encoding` that is not decoded, damaged or cut off; `206` and other successes than `200`; cut HTTP/2 bodies',
    upstream: 'as content, partly',
    here: 'an error',
    reads: reads.otherSuccesses,
  },
  {
    where: 'ids of commits and contents that git cannot have',
    upstream: 'taken',
    here: 'no answer: an error, or what the archive has in place of a list',
  },
  {
    where: 'empty repository, odd JSON',
    upstream: '`TypeError`',
    here: 'a clear error',
  },
  {
    where:
      'trees that are held and not used; a process that has no more files to open',
    upstream:
      'each tree of `files()` keeps its archive on disk and open; reads fail',
    here: 'held within bounds, and downloaded again when they are used; what is kept gives way, and the read is tried again',
  },
  {
    where: 'damaged archive, throwing filter',
    upstream: 'uncaught exception, hang, or wrong bytes',
    here: 'the promise rejects',
    trees: refusedArchives,
  },
  {
    where: 'archives beyond the limits (`backend.reading.azureDevOps.limits`)',
    upstream: 'memory, disk and time without bounds',
    here: 'an error that names the entry, the limit and its key',
  },
  {
    where: 'names in an archive with `.` and empty parts',
    upstream:
      'as they stand; below a sub-path `/etc/x` and `C:/x` may be left of them',
    here: 'in one form, which is relative; drives are refused below a sub-path too',
    trees: canonicalNames,
  },
  {
    where:
      'two names in an archive that are one path, or one file on the disk that is written to',
    upstream: 'two files of one path; one file, or no answer, on disk',
    here: 'an error that names both; of one name that is there twice `dir()` has the last file',
  },
  {
    where: '`dir()` that fails',
    upstream: 'what was written until then stays',
    here: 'what was made is gone, and what was there is as it was, or whole and new',
  },
  {
    where: 'extra fields of a zip that are cut off',
    upstream: 'the archive is refused',
    here: 'they are ignored, as by `unzip`',
  },
  {
    where: '`search` of what is no URL',
    upstream: 'the words of a library for git URLs',
    here: 'a `TypeError`, "Invalid URL", as from `readUrl`',
  },
  {
    where:
      'certificates with an RSA key of fewer than 2048 bits, or more than 8192',
    upstream: 'used',
    here: 'refused, by name',
  },
  {
    where: 'executable bits in `dir()`',
    upstream: 'lost',
    here: "kept, as are links that stay inside, where the archive tells of them: Azure DevOps' own hosts, not a Server's",
    trees: modes,
  },
  {
    where: '`lastModifiedAt` of archive entries',
    upstream: 'a DOS time read as milliseconds of 1970',
    here: "the entry's real date, or none",
  },
  {
    where: 'proxies that the environment names',
    upstream: 'used where Node is told to (`NODE_USE_ENV_PROXY`)',
    here: 'used; `ALL_PROXY` counts after the others, and SOCKS 5 on every Node',
  },
  {
    where: 'a proxy that is set in code (`setGlobalDispatcher`)',
    upstream: 'used',
    here: 'not seen: name it in the environment',
  },
  {
    where: 'a variable that names no proxy (`proxy:3128`)',
    upstream: 'the process does not start, or the variable means nothing',
    here: 'each read that would go through it fails, and names the variable',
  },
  {
    where: 'a server that has HTTP/2',
    upstream: 'asked over HTTP/1.1',
    here: 'asked over HTTP/2, and over HTTP/1.1 where it refuses that',
  },
  {
    where:
      'certificates of X.509 version 1 or with an RSA key of fewer than 2,048 bits',
    upstream: 'accepted; of 1,024 bits by Node 20 alone',
    here: 'refused, by name',
  },
  {
    where:
      'certificates signed with RSASSA-PSS and a salt that is longer than the hash; keys of RSASSA-PSS and Ed448',
    upstream: 'accepted',
    here: 'refused, by name or with the likely causes',
  },
  {
    where:
      'the certificate of an authority (CA:TRUE) that another has issued, as that of a server; `a*.example.com` among the alternative names; one trusted by itself that another of its own name has issued',
    upstream: 'accepted',
    here: 'refused, by name',
  },
  {
    where:
      'TLS 1.2 without ECDHE or without AES-GCM and ChaCha20 (CBC, RSA key exchange, DHE); key exchange on P-521',
    upstream: 'spoken',
    here: 'refused, with the likely causes',
  },
  {
    where:
      'a root that has expired; the key usage of a certificate that an authority has issued; an authority that is trusted while its own root is not',
    upstream: 'refused',
    here: 'accepted',
  },
  {
    where: 'no credential for `dev.azure.com`',
    upstream: 'fails where the default chain finds none',
    here: 'anonymous, so public projects read; the failure names every credential tried',
  },
];
