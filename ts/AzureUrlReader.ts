import { tmpdir } from 'node:os';
import type {
  LoggerService,
  UrlReaderService,
  UrlReaderServiceReadTreeOptions,
  UrlReaderServiceReadTreeResponse,
  UrlReaderServiceReadUrlOptions,
  UrlReaderServiceReadUrlResponse,
  UrlReaderServiceSearchOptions,
  UrlReaderServiceSearchResponse,
} from '@backstage/backend-plugin-api';
import type {
  ReadTreeResponseFactory,
  ReaderFactory,
} from '@backstage/backend-defaults/urlReader';
import { InputError, NotFoundError } from '@backstage/errors';
import { durationToMilliseconds } from '@backstage/types';
import type { AzureDevOpsCredentialsProvider } from './AzureDevOpsCredentialsProvider';
import { AzureIntegration } from './AzureIntegration';
import { native } from './binding';
import { getAzureFileFetchUrl } from './core';
import {
  DefaultAzureDevOpsCredentialsProvider,
  nativeCredentials,
} from './DefaultAzureDevOpsCredentialsProvider';
import { isFailure, toError, unwrap } from './failure';
import { limitAnswers } from './limitAnswers';
import { limitCache } from './limitCache';
import { logTo } from './log';
import { checkLength, matchPaths } from './matchPaths';
import { measured, startMetrics } from './metrics';
import type {
  CallersToken,
  Cancellation,
  Credentials,
  Failure,
  Listing,
  Pattern,
  ReadTreeResult,
  ReadUrlResult,
} from './native';
import { onAbort } from './onAbort';
import { publishFailure, publishRead } from './readsChannel';
import { readUrlResponse } from './readUrlResponse';
import { TreeResponse } from './TreeResponse';
import { inTurns } from './turns';
import type { AzureIntegrationLike } from './types';
import { warnOfTokens } from './warnOfTokens';

/** The URLs that are made in one crossing to the native part: well below a turn of the event loop. */
const URLS_AT_ONCE = 500;

/**
 * What an {@link AzureUrlReader} works with.
 *
 * @public
 */
export interface AzureUrlReaderDeps {
  /** Knows the folder for archives, where `workingDirectory` does not say it. */
  treeResponseFactory: ReadTreeResponseFactory;
  /** Finds the credentials for a URL: ours, or any object with `getCredentials`. */
  credentialsProvider: AzureDevOpsCredentialsProvider;
  /**
   * Where archives are stored while they are read: `backend.workingDirectory`, or the system's
   * folder for temporary files.
   */
  workingDirectory?: string;
  /** Where it is told, once each, which credential reads. */
  logger?: LoggerService;
}

/**
 * Reads Azure DevOps repositories, natively. All readers of a process share connections, tokens, limits and
 * what is kept.
 *
 * @example
 * In a backend, the default export adds it. Elsewhere:
 * ```ts
 * const reader = UrlReaders.create({
 *   config,
 *   logger,
 *   factories: [AzureUrlReader.factory],
 * });
 * const file = await reader.readUrl(
 *   'https://dev.azure.com/org/project/_git/repo?path=/README.md',
 * );
 * ```
 *
 * @see https://backstage.io/docs/backend-system/core-services/url-reader
 *
 * @public
 */
export class AzureUrlReader implements UrlReaderService {
  /**
   * Makes a reader for every host of `integrations.azure`.
   *
   * As Backstage's own reader does, it warns of personal access tokens for Azure DevOps Services.
   */
  static factory: ReaderFactory = options => {
    const readers = makeReaders(options);
    for (const { integration } of readers) {
      warnOfTokens(integration.config, options.logger);
    }
    return readers;
  };

  readonly #integration: AzureIntegrationLike;
  readonly #deps: AzureUrlReaderDeps;
  readonly #credentials: Credentials | undefined;

  constructor(integration: AzureIntegrationLike, deps: AzureUrlReaderDeps) {
    this.#integration = integration;
    this.#deps = deps;
    this.#credentials = nativeCredentials(deps.credentialsProvider);
    startMetrics();
    if (deps.logger) logTo(deps.logger);
  }

  /**
   * Reads a whole file.
   *
   * @throws As {@link AzureUrlReader.readUrl}.
   */
  async read(url: string): Promise<Buffer> {
    const response = await this.readUrl(url);
    return response.buffer();
  }

  /**
   * Reads a file.
   *
   * Where `signal` ends it, it rejects with `Unable to read …`, whose `cause` is the signal's reason.
   *
   * @throws NotFoundError, NotModifiedError (for `etag` or `lastModifiedAfter`), AuthenticationError,
   * NotAllowedError, or an Error that begins as those of Backstage's own reader do.
   */
  async readUrl(
    url: string,
    options?: UrlReaderServiceReadUrlOptions,
  ): Promise<UrlReaderServiceReadUrlResponse> {
    return measured('readUrl', async () =>
      this.#readFile(`${url}`, plain(options)),
    );
  }

  async #readFile(
    url: string,
    options: UrlReaderServiceReadUrlOptions,
  ): Promise<UrlReaderServiceReadUrlResponse> {
    const startedAt = performance.now();
    const result = await publishFailure(url, async () => {
      const headers = this.#asksProvider(options)
        ? await this.#providedHeaders(url)
        : undefined;
      return this.#readUrl(url, headers, options);
    });
    publishRead(url, result, startedAt);
    return readUrlResponse(result, options.signal);
  }

  /**
   * Reads a repository, or a folder of one, at its newest commit. The archive is downloaded when `files()`,
   * `archive()` or `dir()` is called, each of which rejects where it cannot be read or stored, or is damaged.
   *
   * Where `signal` ends it, it rejects with the signal's reason itself.
   *
   * @throws NotFoundError, NotModifiedError (for `etag`), AuthenticationError, NotAllowedError, or
   * an Error that begins as those of Backstage's own reader do.
   */
  async readTree(
    url: string,
    options?: UrlReaderServiceReadTreeOptions,
  ): Promise<UrlReaderServiceReadTreeResponse> {
    return measured('readTree', async () => {
      const startedAt = performance.now();
      const text = `${url}`;
      const { tree, result } = await publishFailure(text, async () =>
        this.#readTree(text, plain(options)),
      );
      publishRead(text, result, startedAt);
      return tree;
    });
  }

  async #readTree(
    url: string,
    options: UrlReaderServiceReadTreeOptions,
    search: { pattern?: string; maxAge?: number; commit?: string } = {},
    select?: (paths: string[]) => Promise<number[]>,
  ): Promise<{ tree: TreeResponse; result: ReadTreeResult }> {
    const { signal, filter, etag } = options;
    const token = this.#callersToken(options);
    const workingDirectory = workingDirectoryOf(this.#deps);
    const headers = this.#asksProvider(options)
      ? await this.#headersOf(url)
      : undefined;
    const reading = cancellable(signal, cancellation =>
      native().readTree(
        {
          url,
          headers,
          token,
          ...this.#asConfigured(),
          ...search,
          etag,
          directory: workingDirectory,
        },
        this.#credentials,
        cancellation,
      ),
    );
    const result = unwrapUnless(signal, await reading);
    const tree = new TreeResponse(result, {
      filter,
      select,
      signal,
      workingDirectory,
    });
    return { tree, result };
  }

  /**
   * Finds the file at `url`, or none where there is none there, of which the log says why; or the files that
   * match the pattern in its path, with the meaning that minimatch gives it.
   *
   * @throws As {@link AzureUrlReader.readTree}; `InputError` for a pattern that expands to more than
   * `backend.reading.azureDevOps.limits.patternAlternatives` (1000 by default), or that takes too long.
   */
  async search(
    url: string,
    options?: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    return measured('search', async () => this.#search(url, plain(options)));
  }

  async #search(
    url: string,
    options: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    if (typeof url !== 'string') {
      throw new Error('The url must be a string.');
    }
    const patterns = unwrap(native().patternsOf(url));
    if (patterns.length > 0) {
      patterns.forEach(checkLength);
      return publishFailure(url, async () =>
        this.#searchPattern(url, patterns, options),
      );
    }
    try {
      const file = await this.#readFile(url, options);
      const { buffer: content, lastModifiedAt, etag = '' } = file;
      return { files: [{ url, content, lastModifiedAt }], etag };
    } catch (error) {
      if (error instanceof NotFoundError) {
        // Whoever searches is told that there is nothing, and not why.
        native().tellNotFound(error.message);
        return { files: [], etag: '' };
      }
      throw error;
    }
  }

  /** The host, and whether it has credentials. */
  toString(): string {
    const { host, credentials } = this.#integration.config;
    return `azure{host=${host},authed=${Boolean(credentials?.length)}}`;
  }

  async #searchPattern(
    url: string,
    patterns: Pattern[],
    options: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    const startedAt = performance.now();
    const { whole } = patterns[0];
    const { signal } = options;
    const found = await cancellable(signal, async cancellation => {
      const listing = await this.#list(url, whole, options, cancellation);
      if (!listing) {
        return { patterns, from: whole, prefix: '' };
      }
      const { matched, places } = await matching(listing, signal);
      const { pattern } = matched;
      const { within, folder } = pattern;
      if (isMost(places.length, matched.total)) {
        const commit = matched.isNewest ? matched.etag : undefined;
        const from = within;
        return { patterns: [pattern], from, prefix: folder, commit };
      }
      const contents = await this.#contents(url, matched, places, options);
      if (contents) publishRead(url, matched, startedAt);
      return contents;
    });
    // Its identity is blocked meanwhile: what was found before stands in.
    if (!found) return this.#searchPattern(url, patterns, options);
    if ('files' in found) return found;
    return this.#searchArchive(url, { ...found, startedAt }, options);
  }

  /** Lists what the pattern may match; nothing where the server does not list. */
  async #list(
    url: string,
    whole: string,
    options: UrlReaderServiceSearchOptions,
    cancellation?: Cancellation,
  ): Promise<Listing | null> {
    const { etag, signal } = options;
    const token = this.#callersToken(options);
    const headers = this.#asksProvider(options)
      ? await this.#headersOf(whole)
      : undefined;
    const directory = workingDirectoryOf(this.#deps);
    const maxAge = this.#maxAge();
    const question = {
      url,
      headers,
      token,
      ...this.#asConfigured(),
      maxAge,
      etag,
      directory,
    };
    const listing = native().list(question, this.#credentials, cancellation);
    return unwrapUnless(signal, await listing);
  }

  /** The files at these places; nothing where an earlier search may stand in. */
  async #contents(
    url: string,
    listing: Listing,
    places: Array<[place: number, path: string]>,
    { signal }: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse | undefined> {
    const reading = listing.read(places.map(([place]) => place));
    const contents = unwrapUnless(signal, await reading);
    if (!contents) return undefined;
    const paths = places.map(([, path]) => path);
    const urls = await fileUrls(url, paths, signal);
    return {
      etag: listing.etag,
      files: places.map(([place], index) => ({
        url: urls[index],
        content: async () => unwrapUnless(signal, await contents.get(place)),
        lastModifiedAt: undefined,
      })),
    };
  }

  /** Searches an archive: where most of it matches, or the server does not list. */
  async #searchArchive(
    url: string,
    { patterns, from, prefix, commit, startedAt }: ArchiveSearch,
    { etag, signal, token }: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    const select = (paths: string[]) =>
      firstMatched(patterns, prefix, paths, signal);
    const search = {
      pattern: patterns[0].glob,
      maxAge: this.#maxAge(),
      commit,
    };
    const options = { etag, signal, token };
    const { tree, result } = await this.#readTree(
      from,
      options,
      search,
      select,
    );
    const files = await tree.files();
    publishRead(url, result, startedAt);
    const paths = files.map(({ path }) => prefix + path);
    const urls = await fileUrls(url, paths, signal);
    return {
      etag: tree.etag,
      files: files.map(({ content, lastModifiedAt }, index) => ({
        url: urls[index],
        content,
        lastModifiedAt,
      })),
    };
  }

  async #readUrl(
    url: string,
    headers: string[][] | undefined,
    options: UrlReaderServiceReadUrlOptions,
  ): Promise<ReadUrlResult> {
    const { signal, etag } = options;
    const token = this.#callersToken(options);
    const lastModifiedAfter = options.lastModifiedAfter?.getTime();
    const outcome = await cancellable(signal, cancellation =>
      native().readUrl(
        {
          url,
          headers,
          token,
          ...this.#asConfigured(),
          maxAge: this.#maxAge(),
          etag,
          lastModifiedAfter,
        },
        this.#credentials,
        cancellation,
      ),
    );
    if (!isFailure(outcome)) {
      return outcome;
    }
    throw outcome.kind === 'Aborted'
      ? unable(url, signal?.reason)
      : toError(outcome);
  }

  /** The token in the options, and the host to which alone it is sent. */
  #callersToken({ token }: { token?: string }): CallersToken | undefined {
    const { host } = this.#integration.config;
    return token === undefined ? undefined : { token, host };
  }

  /** Whether a provider that is not ours has to say how the read is authorized. */
  #asksProvider({ token }: { token?: string }): boolean {
    return !token && !this.#credentials;
  }

  /** The headers of a provider that is not ours, which is asked with the REST URL. */
  async #providedHeaders(url: string): Promise<string[][] | undefined> {
    const request = getAzureFileFetchUrl(url);
    try {
      return await this.#headersOf(request);
    } catch (error) {
      throw unable(url, error);
    }
  }

  async #headersOf(url: string): Promise<string[][] | undefined> {
    const { credentialsProvider } = this.#deps;
    const credentials = await credentialsProvider.getCredentials({ url });
    return credentials ? headerPairs(credentials.headers) : undefined;
  }

  /** How the host is asked, as far as that is configured. */
  #asConfigured() {
    const { plainHttp, retry } = this.#integration.config;
    return { plainHttp: plainHttp ?? undefined, retry: retry ?? undefined };
  }

  /** How old may be what stands in for a new answer, in milliseconds. */
  #maxAge(): number | undefined {
    const { staleIfThrottled } = this.#integration.config;
    return staleIfThrottled
      ? durationToMilliseconds(staleIfThrottled.maxAge)
      : undefined;
  }
}

/** A reader for every host of `integrations.azure`, with the integration that it is for. */
export function makeReaders({
  config,
  logger,
  treeResponseFactory,
}: Parameters<ReaderFactory>[0]) {
  const azure = AzureIntegration.factory({ config });
  limitAnswers(config);
  limitCache(config);
  const credentialsProvider =
    DefaultAzureDevOpsCredentialsProvider.fromIntegrations({ azure });
  return azure.list().map(integration => ({
    integration,
    reader: new AzureUrlReader(integration, {
      treeResponseFactory,
      credentialsProvider,
      workingDirectory: config.getOptionalString('backend.workingDirectory'),
      logger,
    }),
    predicate: (url: URL) => url.host === integration.config.host,
  }));
}

/** Headers in each form in which `fetch` takes them. */
function headerPairs(headers: unknown): string[][] {
  const isIterable =
    typeof headers === 'object' &&
    headers !== null &&
    Symbol.iterator in headers;
  const pairs = isIterable
    ? [...(headers as Iterable<[unknown, unknown]>)]
    : Object.entries(headers ?? {});
  return pairs.map(([name, value]) => [`${name}`, `${value}`]);
}

/** A search in an archive: of which repository or folder, and at which commit, if that is known. */
interface ArchiveSearch {
  /** The pattern by each way to write it; the first that matches anything counts. */
  patterns: Pattern[];
  from: string;
  /** What stands before the paths in it. */
  prefix: string;
  commit?: string;
  startedAt: number;
}

type Options = UrlReaderServiceReadUrlOptions & UrlReaderServiceReadTreeOptions;

/** What is read of the options: `null` counts as none, for all or for each, and a blank token too. */
function plain(options: Options | null | undefined): Options {
  const { etag, filter, lastModifiedAfter, signal, token } = options ?? {};
  if (lastModifiedAfter && typeof lastModifiedAfter.getTime !== 'function') {
    throw new InputError('The option lastModifiedAfter is not a date');
  }
  const isBlank = typeof token === 'string' && token.trim() === '';
  return {
    etag: etag ?? undefined,
    filter: filter ?? undefined,
    lastModifiedAfter: lastModifiedAfter ?? undefined,
    signal: signal || undefined,
    token: isBlank ? undefined : token || undefined,
  };
}

/**
 * The places and paths of the files that match, in the list by the first way to write the pattern by which
 * any do, or else by the last.
 */
async function matching(
  listing: Listing,
  signal: AbortSignal | undefined,
): Promise<{ matched: Listing; places: Array<[number, string]> }> {
  const paths = listing.paths();
  const matches = await matchPaths(listing.pattern, paths, signal);
  const places = matches.map((place): [number, string] => [
    place,
    paths[place],
  ]);
  if (places.length > 0) return { matched: listing, places };
  const other = unwrapUnless(signal, await listing.otherwise());
  return other ? matching(other, signal) : { matched: listing, places };
}

/** The places of the paths that match the first of these that any path matches. */
async function firstMatched(
  patterns: Pattern[],
  prefix: string,
  paths: string[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const whole = paths.map(path => prefix + path);
  for (const pattern of patterns) {
    const places = await matchPaths(pattern, whole, signal);
    if (places.length > 0) return places;
  }
  return [];
}

/** The URLs of files, a batch of them in one crossing to the native part. */
async function fileUrls(
  url: string,
  paths: string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const batches: string[][] = [];
  const resolve = (batch: number) => {
    const start = batch * URLS_AT_ONCE;
    const some = paths.slice(start, start + URLS_AT_ONCE);
    batches.push(unwrap(native().fileUrls(url, some)));
  };
  await inTurns(Math.ceil(paths.length / URLS_AT_ONCE), resolve, signal);
  return batches.flat();
}

/**
 * Whether one archive is cheaper than contents one by one: where more than a few files match, and
 * these are most of all.
 */
function isMost(matches: number, all: number | null): boolean {
  return all !== null && matches > 20 && matches > all / 2;
}

/** The outcome; a failure is thrown, or the reason of a signal that ended it. */
function unwrapUnless<T>(
  signal: AbortSignal | undefined,
  outcome: T | Failure,
): T {
  if (!isFailure(outcome)) {
    return outcome;
  }
  throw outcome.kind === 'Aborted' ? signal?.reason : toError(outcome);
}

/** Calls with what ends the call when the signal says so. */
async function cancellable<T>(
  signal: AbortSignal | undefined,
  call: (cancellation?: Cancellation) => Promise<T>,
): Promise<T> {
  const cancellation = signal && new (native().Cancellation)();
  const release = onAbort(signal, () => cancellation?.cancel());
  try {
    return await call(cancellation);
  } finally {
    release();
  }
}

/** The folder that Backstage keeps for such, which its own factory of responses knows as well. */
function workingDirectoryOf(deps: AzureUrlReaderDeps): string {
  const known = deps.treeResponseFactory as { workDir?: unknown } | undefined;
  const theirs = typeof known?.workDir === 'string' ? known.workDir : undefined;
  return deps.workingDirectory ?? theirs ?? tmpdir();
}

function unable(url: string, cause: unknown): Error {
  const message = `Unable to read ${native().withoutSecrets(url)}, ${cause}`;
  return new Error(message, { cause });
}
