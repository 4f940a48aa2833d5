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
import { NotFoundError } from '@backstage/errors';
import { durationToMilliseconds } from '@backstage/types';
import { Minimatch } from 'minimatch';
import type { AzureDevOpsCredentialsProvider } from './AzureDevOpsCredentialsProvider';
import { AzureIntegration } from './AzureIntegration';
import { native } from './binding';
import { getAzureFileFetchUrl } from './core';
import {
  DefaultAzureDevOpsCredentialsProvider,
  nativeCredentials,
} from './DefaultAzureDevOpsCredentialsProvider';
import { isFailure, toError, unwrap } from './failure';
import { limitCache } from './limitCache';
import { logTo } from './log';
import { measured, startMetrics } from './metrics';
import type {
  Cancellation,
  Credentials,
  Failure,
  Listing,
  Pattern,
  ReadTreeResult,
  ReadUrlResult,
} from './native';
import { onAbort } from './onAbort';
import { publishRead } from './readsChannel';
import { readUrlResponse } from './readUrlResponse';
import { TreeResponse } from './TreeResponse';
import type { AzureIntegrationLike } from './types';
import { warnOfTokens } from './warnOfTokens';

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
 * Reads Azure DevOps repositories, natively.
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

  /** Reads a whole file. */
  async read(url: string): Promise<Buffer> {
    const response = await this.readUrl(url);
    return response.buffer();
  }

  /**
   * Reads a file.
   *
   * @throws NotFoundError, NotModifiedError (for `etag` or `lastModifiedAfter`), AuthenticationError,
   * NotAllowedError, or an Error that begins as those of Backstage's own reader do.
   */
  async readUrl(
    url: string,
    options?: UrlReaderServiceReadUrlOptions,
  ): Promise<UrlReaderServiceReadUrlResponse> {
    return measured('readUrl', () =>
      this.#readFile(String(url), plain(options)),
    );
  }

  async #readFile(
    url: string,
    options: UrlReaderServiceReadUrlOptions,
  ): Promise<UrlReaderServiceReadUrlResponse> {
    const startedAt = performance.now();
    const headers = this.#asksProvider(options)
      ? await this.#providedHeaders(url)
      : undefined;
    const result = await this.#readUrl(url, headers, options);
    publishRead(url, result, startedAt);
    return readUrlResponse(result, options.signal);
  }

  /**
   * Reads a repository, or a folder of one, at its newest commit.
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
      const text = String(url);
      const { tree, result } = await this.#readTree(text, plain(options));
      publishRead(text, result, startedAt);
      return tree;
    });
  }

  async #readTree(
    url: string,
    options: UrlReaderServiceReadTreeOptions,
    search: { pattern?: string; maxAge?: number; commit?: string } = {},
  ): Promise<{ tree: TreeResponse; result: ReadTreeResult }> {
    const { signal, filter, etag, token } = options;
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
          retry: this.#integration.config.retry,
          ...search,
          etag,
          directory: workingDirectory,
        },
        this.#credentials,
        cancellation,
      ),
    );
    const result = unwrapUnless(signal, await reading);
    const tree = new TreeResponse(result, { filter, signal, workingDirectory });
    return { tree, result };
  }

  /**
   * Finds the file at `url`, or none where there is none there; or the files that match the pattern
   * in its path, with the meaning that minimatch gives it.
   */
  async search(
    url: string,
    options?: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    return measured('search', () => this.#search(url, plain(options)));
  }

  async #search(
    url: string,
    options: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    if (typeof url !== 'string') {
      throw new Error('The url must be a string.');
    }
    const pattern = native().patternOf(url);
    if (pattern) {
      return this.#searchPatterns(url, pattern, options);
    }
    try {
      const file = await this.#readFile(url, options);
      const { buffer: content, lastModifiedAt, etag = '' } = file;
      return { files: [{ url, content, lastModifiedAt }], etag };
    } catch (error) {
      if (error instanceof NotFoundError) {
        return { files: [], etag: '' };
      }
      throw error;
    }
  }

  /** Searches for the pattern as it is written, and, where nothing matches, as it is decoded once. */
  async #searchPatterns(
    url: string,
    pattern: Pattern,
    options: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    const found = await this.#searchPattern(url, pattern, options);
    const decodedUrl =
      found.files.length === 0 ? native().withDecodedPath(url) : undefined;
    const decoded = decodedUrl && native().patternOf(decodedUrl);
    return decoded ? this.#searchPattern(decodedUrl, decoded, options) : found;
  }

  /** The host, and whether it has credentials. */
  toString(): string {
    const { host, credentials } = this.#integration.config;
    return `azure{host=${host},authed=${Boolean(credentials?.length)}}`;
  }

  async #searchPattern(
    url: string,
    pattern: Pattern,
    options: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    const startedAt = performance.now();
    const matcher = new Minimatch(pattern.glob);
    const matches = (path: string) => matcher.match(path);
    const { signal } = options;
    const found = await cancellable(signal, async cancellation => {
      const listing = await this.#list(url, pattern, options, cancellation);
      if (!listing) {
        return { from: pattern.whole, prefix: '', commit: undefined };
      }
      const places = matching(listing.paths(), matches);
      if (isMost(places.length, listing.total)) {
        const commit = listing.isNewest ? listing.etag : undefined;
        return { from: pattern.within, prefix: pattern.folder, commit };
      }
      const contents = await this.#contents(url, listing, places, options);
      if (contents) publishRead(url, listing, startedAt);
      return contents;
    });
    // Its identity is blocked meanwhile: what was found before stands in.
    if (!found) return this.#searchPattern(url, pattern, options);
    if ('files' in found) return found;
    const search = { ...pattern, ...found, startedAt };
    return this.#searchArchive(url, search, matches, options);
  }

  /** Lists what the pattern may match; nothing where the server does not list. */
  async #list(
    url: string,
    { whole }: Pattern,
    options: UrlReaderServiceSearchOptions,
    cancellation?: Cancellation,
  ): Promise<Listing | null> {
    const { etag, signal, token } = options;
    const headers = this.#asksProvider(options)
      ? await this.#headersOf(whole)
      : undefined;
    const directory = workingDirectoryOf(this.#deps);
    const { retry } = this.#integration.config;
    const maxAge = this.#maxAge();
    const question = { url, headers, token, retry, maxAge, etag, directory };
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
    const urls = unwrap(native().fileUrls(url, paths));
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
    { glob, from, prefix, commit, startedAt }: ArchiveSearch,
    matches: (path: string) => boolean,
    { etag, signal, token }: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    const filter = (path: string) => matches(prefix + path);
    const options = { etag, signal, token, filter };
    const search = { pattern: glob, maxAge: this.#maxAge(), commit };
    const { tree, result } = await this.#readTree(from, options, search);
    const files = await tree.files();
    publishRead(url, result, startedAt);
    const paths = files.map(({ path }) => prefix + path);
    const urls = unwrap(native().fileUrls(url, paths));
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
    const { signal, etag, token } = options;
    const { retry } = this.#integration.config;
    const lastModifiedAfter = options.lastModifiedAfter?.getTime();
    const outcome = await cancellable(signal, cancellation =>
      native().readUrl(
        {
          url,
          headers,
          token,
          retry,
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
    const headers = credentials && Object.entries(credentials.headers);
    return headers?.map(([name, value]) => [name, String(value)]);
  }

  /** How old may be what stands in for a new answer, in milliseconds. */
  #maxAge(): number | undefined {
    const { staleIfThrottled } = this.#integration.config;
    return staleIfThrottled && durationToMilliseconds(staleIfThrottled.maxAge);
  }
}

/** A reader for every host of `integrations.azure`, with the integration that it is for. */
export function makeReaders({
  config,
  logger,
  treeResponseFactory,
}: Parameters<ReaderFactory>[0]) {
  const azure = AzureIntegration.factory({ config });
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

/** A search in an archive: of which repository or folder, and at which commit, if that is known. */
interface ArchiveSearch {
  glob: string;
  from: string;
  /** What stands before the paths in it. */
  prefix: string;
  commit?: string;
  startedAt: number;
}

type Options = UrlReaderServiceReadUrlOptions & UrlReaderServiceReadTreeOptions;

/** What is read of the options, of which `null` counts as none: all, or each. */
function plain(options: Options | null | undefined): Options {
  return {
    etag: options?.etag ?? undefined,
    filter: options?.filter ?? undefined,
    lastModifiedAfter: options?.lastModifiedAfter ?? undefined,
    signal: options?.signal ?? undefined,
    token: options?.token ?? undefined,
  };
}

/** The places and paths of those that match. */
function matching(paths: string[], matches: (path: string) => boolean) {
  return [...paths.entries()].filter(([, path]) => matches(path));
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
