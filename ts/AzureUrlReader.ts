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
import type { AzureDevOpsCredentialsProvider } from './AzureDevOpsCredentialsProvider';
import { AzureIntegration } from './AzureIntegration';
import { native } from './binding';
import { cancellable } from './cancellable';
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
  Credentials,
  Failure,
  FoundFiles,
  Glob,
  ReadOptions,
  Reader,
  ReadTreeResult,
  ReadUrlResult,
  Search,
} from './native';
import { nativeReader } from './nativeReader';
import {
  arePublished,
  publishError,
  publishFailure,
  publishRead,
} from './readsChannel';
import { readUrlResponse } from './readUrlResponse';
import { TreeContents } from './TreeContents';
import { TreeResponse } from './TreeResponse';
import { inTurns } from './turns';
import type { AzureIntegrationLike } from './types';
import { warnOfTokens } from './warnOfTokens';

/** The URLs that are made in one crossing to the native part: well below a turn of the event loop. */
const URLS_AT_ONCE = 500;

/** What is between two paths, or URLs, that cross as one text. */
const BETWEEN = '\0';

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
  /** Where it is logged, once each, which credential reads. */
  logger?: LoggerService;
}

/**
 * Reads Azure DevOps repositories, natively. All readers of a process share connections, tokens, limits and
 * what is kept.
 *
 * @example In a backend, the default export adds it. Elsewhere:
 * ```ts
 * const reader = UrlReaders.create({
 *   config,
 *   logger,
 *   factories: [AzureUrlReader.factory],
 * }); const file = await reader.readUrl(
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
  #reader: Reader | undefined;

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

  /** In one function, since each that is waited for costs the event loop something at every read. */
  async #readFile(
    url: string,
    options: Options,
  ): Promise<UrlReaderServiceReadUrlResponse> {
    const startedAt = performance.now();
    try {
      const headers = this.#asksProvider(options)
        ? await this.#headersOrUnable(url, options)
        : undefined;
      const result = await this.#readUrl(url, headers, options);
      if (isFailure(result)) {
        throw result.kind === 'Aborted'
          ? unable(url, options.signal?.reason)
          : toError(result);
      }
      publishRead(url, result.asked, startedAt);
      return readUrlResponse(result, options.signal);
    } catch (error) {
      publishError(url, error, startedAt);
      throw error;
    }
  }

  /**
   * Reads a repository, or a folder of one, at its newest commit. The archive is downloaded when `files()`,
   * `archive()` or `dir()` is called; each rejects where the archive cannot be read or stored, or is damaged.
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
      publishRead(text, result.asked, startedAt);
      return tree;
    });
  }

  async #readTree(
    url: string,
    options: Options,
  ): Promise<{ tree: TreeResponse; result: ReadTreeResult }> {
    const { signal, filter } = options;
    const headers = await this.#headersOf(url, options);
    const asked = asksWith(options, headers);
    const reading = cancellable(signal, cancellation =>
      this.#native().readTree(url, asked, cancellation),
    );
    const result = unwrapUnless(signal, await reading);
    const workingDirectory = workingDirectoryOf(this.#deps);
    const tree = new TreeResponse(result, { filter, signal, workingDirectory });
    return { tree, result };
  }

  /**
   * Finds the file at `url`, or none where it does not exist, which is logged; or the files that match the
   * glob in its path, as minimatch matches it.
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
    options: Options,
  ): Promise<UrlReaderServiceSearchResponse> {
    if (typeof url !== 'string') {
      throw new Error('The url must be a string.');
    }
    const glob = unwrap(native().globOf(url));
    if (glob) {
      glob.spellings.forEach(checkLength);
      return publishFailure(url, async () =>
        this.#searchGlob(url, glob, options),
      );
    }
    try {
      const file = await this.#readFile(url, options);
      const { buffer: content, lastModifiedAt, etag = '' } = file;
      return { files: [{ url, content, lastModifiedAt }], etag };
    } catch (error) {
      if (error instanceof NotFoundError) {
        // A search does not say why there is nothing; the log does.
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

  async #searchGlob(
    url: string,
    { repository }: Glob,
    options: Options,
  ): Promise<UrlReaderServiceSearchResponse> {
    const startedAt = performance.now();
    const { signal } = options;
    const headers = await this.#headersOf(repository, options);
    const asked = asksWith(options, headers);
    const { search, found, places } = await cancellable(
      signal,
      async cancellation => {
        const begun = this.#native().search(url, asked, cancellation);
        const search = unwrapUnless(signal, await begun);
        return { search, ...(await matching(search, signal)) };
      },
    );
    publishRead(url, found.asked, startedAt);
    return searchResponse(search, found, places, signal);
  }

  #readUrl(
    url: string,
    headers: string[][] | undefined,
    options: Options,
  ): Promise<ReadUrlResult | Failure> {
    const { etag, lastModifiedAfter, signal, token } = options;
    const isPlain = !(headers || etag || lastModifiedAfter || token);
    const asked = isPlain ? undefined : asksWith(options, headers);
    const wantsAsked = arePublished();
    if (!signal) return this.#native().readUrl(url, wantsAsked, asked);
    return cancellable(signal, cancellation =>
      this.#native().readUrl(url, wantsAsked, asked, cancellation),
    );
  }

  /** The native reader, made at the first read: where it cannot be made, that read says why. */
  #native(): Reader {
    this.#reader ??= nativeReader(
      this.#integration.config,
      this.#credentials,
      workingDirectoryOf(this.#deps),
    );
    return this.#reader;
  }

  /** The headers of a provider that is not ours, which is asked with the REST URL of the file. */
  async #headersOrUnable(
    url: string,
    options: Options,
  ): Promise<string[][] | undefined> {
    if (!this.#asksProvider(options)) return undefined;
    const request = getAzureFileFetchUrl(url);
    try {
      return await this.#headersOf(request, options);
    } catch (error) {
      throw unable(url, error);
    }
  }

  /** The headers of a provider that is not ours; none where the read needs none. */
  async #headersOf(
    url: string,
    options: Options,
  ): Promise<string[][] | undefined> {
    if (!this.#asksProvider(options)) return undefined;
    const { credentialsProvider } = this.#deps;
    const credentials = await credentialsProvider.getCredentials({ url });
    return credentials ? headerPairs(credentials.headers) : undefined;
  }

  /** Whether a provider that is not ours has to say how the read is authorized. */
  #asksProvider({ token }: Options): boolean {
    return !token && !this.#credentials;
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

type Options = UrlReaderServiceReadUrlOptions & UrlReaderServiceReadTreeOptions;

/** What the native part is asked with. */
function asksWith(
  { etag, lastModifiedAfter, token }: Options,
  headers: string[][] | undefined,
): ReadOptions {
  return {
    headers,
    token,
    etag,
    lastModifiedAfter: lastModifiedAfter?.getTime(),
  };
}

/** The options that are used: `null` counts as missing, for all or for each, and so does a blank token. */
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

/** The files of the search that match its glob, and their places among the last candidates. */
async function matching(
  search: Search,
  signal: AbortSignal | undefined,
): Promise<{ found: FoundFiles; places: Uint32Array }> {
  for (;;) {
    const candidates = unwrapUnless(signal, await search.candidates());
    const pathsAt = (start: number, end: number) =>
      search.paths(start, end).split(BETWEEN);
    const matches = await matchPaths(candidates, pathsAt, signal);
    const places = Uint32Array.from(matches);
    const found = unwrapUnless(signal, await search.read(places));
    if (found) return { found, places };
  }
}

async function searchResponse(
  search: Search,
  found: FoundFiles,
  places: Uint32Array,
  signal: AbortSignal | undefined,
): Promise<UrlReaderServiceSearchResponse> {
  const { etag, tree, contents } = found;
  const inside = tree
    ? new TreeContents(tree.tree, places, tree.sizes)
    : new TreeContents(contents!.contents, places, contents!.sizes);
  const files: UrlReaderServiceSearchResponse['files'] = [];
  let urls: string[] = [];
  const add = (index: number) => {
    if (index % URLS_AT_ONCE === 0) {
      const batch = places.subarray(index, index + URLS_AT_ONCE);
      urls = search.urls(batch).split(BETWEEN);
    }
    files.push({
      url: urls[index % URLS_AT_ONCE],
      content: async () => unwrapUnless(signal, await inside.get(index)),
      lastModifiedAt: dateOf(tree?.modified[index]),
    });
  };
  await inTurns(places.length, add, signal);
  return { etag, files };
}

/** The date, if there is one. */
function dateOf(milliseconds: number | undefined): Date | undefined {
  return milliseconds ? new Date(milliseconds) : undefined;
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
