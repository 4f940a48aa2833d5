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
import type { AzureDevOpsCredentialsProvider } from './AzureDevOpsCredentialsProvider';
import { AzureIntegration } from './AzureIntegration';
import { native } from './binding';
import { getAzureFileFetchUrl } from './core';
import {
  DefaultAzureDevOpsCredentialsProvider,
  nativeCredentials,
} from './DefaultAzureDevOpsCredentialsProvider';
import { isFailure, toError } from './failure';
import type { Credentials, ReadUrlResult } from './native';
import { publishRead } from './readsChannel';
import { readUrlResponse } from './readUrlResponse';
import type { AzureIntegrationLike } from './types';
import { upstreamReader } from './upstreamReader';

/**
 * What an {@link AzureUrlReader} works with.
 *
 * @public
 */
export interface AzureUrlReaderDeps {
  /** Makes the responses of `readTree`. */
  treeResponseFactory: ReadTreeResponseFactory;
  /** Finds the credentials for a URL: ours, or any object with `getCredentials`. */
  credentialsProvider: AzureDevOpsCredentialsProvider;
  /** Where it is told, once each, which credential reads and what is left to Backstage's reader. */
  logger?: LoggerService;
}

/**
 * Reads Azure DevOps repositories, natively.
 *
 * @public
 */
export class AzureUrlReader implements UrlReaderService {
  /** Makes a reader for every host of `integrations.azure`. */
  static factory: ReaderFactory = ({ config, logger, treeResponseFactory }) => {
    const azure = AzureIntegration.factory({ config });
    const credentialsProvider =
      DefaultAzureDevOpsCredentialsProvider.fromIntegrations({ azure });
    return azure.list().map(integration => ({
      reader: new AzureUrlReader(integration, {
        treeResponseFactory,
        credentialsProvider,
        logger,
      }),
      predicate: url => url.host === integration.config.host,
    }));
  };

  readonly #integration: AzureIntegrationLike;
  readonly #deps: AzureUrlReaderDeps;
  readonly #credentials: Credentials | undefined;
  readonly #told = new Set<string>();
  #upstream: UrlReaderService | undefined;

  constructor(integration: AzureIntegrationLike, deps: AzureUrlReaderDeps) {
    this.#integration = integration;
    this.#deps = deps;
    this.#credentials = nativeCredentials(deps.credentialsProvider);
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
    const startedAt = performance.now();
    const headers = this.#credentials
      ? undefined
      : await this.#providedHeaders(url);
    const result = await this.#readUrl(url, headers, options);
    publishRead(url, result, startedAt);
    this.#tell(`Reading ${result.scope} with ${result.credential}`);
    return readUrlResponse(result, options?.signal);
  }

  /** Reads a tree; left to Backstage's own reader. */
  async readTree(
    url: string,
    options?: UrlReaderServiceReadTreeOptions,
  ): Promise<UrlReaderServiceReadTreeResponse> {
    return this.#upstreamReader('readTree').readTree(url, options);
  }

  /**
   * Finds the file at `url`, or none where there is none there; a pattern in its path is left to
   * Backstage's own reader.
   */
  async search(
    url: string,
    options?: UrlReaderServiceSearchOptions,
  ): Promise<UrlReaderServiceSearchResponse> {
    if (native().isGlob(url)) {
      return this.#upstreamReader('search with a pattern').search(url, options);
    }
    try {
      const file = await this.readUrl(url, options);
      const { buffer: content, lastModifiedAt, etag = '' } = file;
      return { files: [{ url, content, lastModifiedAt }], etag };
    } catch (error) {
      if (error instanceof NotFoundError) {
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

  async #readUrl(
    url: string,
    headers: string[][] | undefined,
    options: UrlReaderServiceReadUrlOptions = {},
  ): Promise<ReadUrlResult> {
    const { signal, etag, lastModifiedAfter } = options;
    const cancellation = signal && new (native().Cancellation)();
    const cancel = () => cancellation?.cancel();
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const outcome = await native().readUrl(
        { url, headers, etag, lastModifiedAfter: lastModifiedAfter?.getTime() },
        this.#credentials,
        cancellation,
      );
      if (!isFailure(outcome)) {
        return outcome;
      }
      throw outcome.kind === 'Aborted'
        ? unable(url, signal?.reason)
        : toError(outcome);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** The headers of a provider that is not ours, which is asked with the REST URL. */
  async #providedHeaders(url: string): Promise<string[][] | undefined> {
    const request = getAzureFileFetchUrl(url);
    try {
      const credentials = await this.#deps.credentialsProvider.getCredentials({
        url: request,
      });
      const headers = credentials && Object.entries(credentials.headers);
      return headers?.map(([name, value]) => [name, String(value)]);
    } catch (error) {
      throw unable(url, error);
    }
  }

  #upstreamReader(what: string): UrlReaderService {
    this.#tell(
      `Leaving ${what} on ${this.#integration.config.host} to Backstage's own AzureUrlReader`,
    );
    this.#upstream ??= upstreamReader(this.#integration, this.#deps);
    return this.#upstream;
  }

  /** Says something to the log, once. */
  #tell(message: string): void {
    if (!this.#told.has(message)) {
      this.#told.add(message);
      this.#deps.logger?.info(message);
    }
  }
}

function unable(url: string, cause: unknown): Error {
  const message = `Unable to read ${native().withoutSecrets(url)}, ${cause}`;
  return new Error(message, { cause });
}
