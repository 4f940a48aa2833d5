/**
 * Azure DevOps for Backstage: a drop-in `UrlReader` and `ScmIntegration` with a Rust core.
 *
 * @packageDocumentation
 */

import { Config } from '@backstage/config';
import type { HumanDuration } from '@backstage/types';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type { ReaderFactory } from '@backstage/backend-defaults/urlReader';
import type { ReadTreeResponseFactory } from '@backstage/backend-defaults/urlReader';
import type { ScmIntegration } from '@backstage/integration';
import type { ScmIntegrationsFactory } from '@backstage/integration';
import { ServiceFactory } from '@backstage/backend-plugin-api';
import type { UrlReaderService } from '@backstage/backend-plugin-api';
import type { UrlReaderServiceReadTreeOptions } from '@backstage/backend-plugin-api';
import type { UrlReaderServiceReadTreeResponse } from '@backstage/backend-plugin-api';
import type { UrlReaderServiceReadUrlOptions } from '@backstage/backend-plugin-api';
import type { UrlReaderServiceReadUrlResponse } from '@backstage/backend-plugin-api';
import type { UrlReaderServiceSearchOptions } from '@backstage/backend-plugin-api';
import type { UrlReaderServiceSearchResponse } from '@backstage/backend-plugin-api';

/**
 * A service principal with its certificate, which is in one of two places.
 *
 * @public
 */
export declare type AzureClientCertificateCredential = AzureCredentialBase & {
    kind: 'ClientCertificate';
    /** The Entra ID tenant. */
    tenantId: string;
    /** The app's client id. */
    clientId: string;
    /** The app's certificate with its private key, in PEM. */
    clientCertificate?: string;
    /** The path of a file with the same, which is read for every token. */
    clientCertificatePath?: string;
};

/**
 * A service principal with its secret.
 *
 * @public
 */
export declare type AzureClientSecretCredential = AzureCredentialBase & {
    kind: 'ClientSecret';
    /** The Entra ID tenant. */
    tenantId: string;
    /** The app's client id. */
    clientId: string;
    /** The app's secret. */
    clientSecret: string;
};

/**
 * What all credentials have.
 *
 * @public
 */
export declare type AzureCredentialBase = {
    /** How it signs in. */
    kind: AzureDevOpsCredentialKind;
    /** The organizations that it serves; without any, every one that no other credential names. */
    organizations?: string[];
};

/**
 * A credential with the fields of its kind.
 *
 * @public
 */
export declare type AzureDevOpsCredential = AzureClientSecretCredential | AzureClientCertificateCredential | AzureManagedIdentityClientAssertionCredential | AzureManagedIdentityCredential | PersonalAccessTokenCredential;

/**
 * How a credential signs in.
 *
 * @public
 */
export declare type AzureDevOpsCredentialKind = 'PersonalAccessToken' | 'ClientSecret' | 'ClientCertificate' | 'ManagedIdentity' | 'ManagedIdentityClientAssertion';

/**
 * A credential whose kind is not known yet.
 *
 * @public
 */
export declare type AzureDevOpsCredentialLike = Omit<Partial<AzureClientSecretCredential> & Partial<AzureClientCertificateCredential> & Partial<AzureManagedIdentityClientAssertionCredential> & Partial<AzureManagedIdentityCredential> & Partial<PersonalAccessTokenCredential>, 'kind'>;

/**
 * What authorizes a request to Azure DevOps.
 *
 * @public
 */
export declare type AzureDevOpsCredentials = {
    /** The headers to send. */
    headers: {
        [name: string]: string;
    };
    /** The token in them. */
    token: string;
    /** Whether it is a token of Entra ID or a personal access token. */
    type: AzureDevOpsCredentialType;
};

/**
 * Finds the credentials for a URL.
 *
 * @public
 */
export declare interface AzureDevOpsCredentialsProvider {
    /** Gives the credentials for `url`, or `undefined` where there are none. */
    getCredentials(opts: {
        url: string;
    }): Promise<AzureDevOpsCredentials | undefined>;
}

/**
 * The kind of token in {@link AzureDevOpsCredentials}.
 *
 * @public
 */
export declare type AzureDevOpsCredentialType = 'bearer' | 'pat';

/**
 * One Azure DevOps host as a Backstage integration.
 *
 * @public
 */
export declare class AzureIntegration implements ScmIntegration {
    #private;
    /** Makes the integrations of `integrations.azure`, `dev.azure.com` among them. */
    static factory: ScmIntegrationsFactory<AzureIntegration>;
    constructor(integrationConfig: AzureIntegrationConfig);
    /** Always `azure`. */
    get type(): string;
    /** The host. */
    get title(): string;
    /** The configuration that this was made from. */
    get config(): AzureIntegrationConfig;
    /**
     * Resolves a URL or path as seen from the file at `base`: a path stays inside the repository,
     * in the `path` parameter.
     */
    resolveUrl(options: {
        url: string;
        base: string;
        lineNumber?: number;
    }): string;
    /** The URL under which a browser edits the file; the same URL where it names none. */
    resolveEditUrl(url: string): string;
}

/**
 * The configuration of one Azure DevOps host.
 *
 * @public
 */
export declare type AzureIntegrationConfig = {
    /** The host that this is for, with its port, e.g. `dev.azure.com`. */
    host: string;
    /**
     * The credentials for its organizations. The one that names a URL's organization serves it;
     * where none does, the one that names no organization.
     *
     * An organization of `dev.azure.com` that none serves is read with the default credential chain
     * (environment, workload identity, managed identity, Azure CLI, Azure Developer CLI), and
     * anonymously where that finds none, as are the organizations of other hosts.
     */
    credentials?: AzureDevOpsCredential[];
    /** The PGP key with which commits are signed; this package does not use it. */
    commitSigningKey?: string;
    /**
     * Whether the host is asked over plain HTTP, where a URL says so: with one warning by default. The
     * hosts of Azure DevOps Services never are.
     */
    plainHttp?: AzurePlainHttp;
    /** How patiently the host is asked. */
    retry?: AzureRetryConfig;
    /** Stale answers while the host throttles a credential. */
    staleIfThrottled?: AzureStaleIfThrottledConfig;
};

/**
 * What an {@link AzureUrlReader} needs of an integration: upstream's fits as well as ours.
 *
 * @public
 */
export declare interface AzureIntegrationLike {
    /** The host and its credentials. */
    config: AzureIntegrationConfig;
    /** Resolves a URL or path as seen from the file at `base`. */
    resolveUrl(options: {
        url: string;
        base: string;
        lineNumber?: number;
    }): string;
}

/**
 * What credentials are taken from: `ScmIntegrations` of `@backstage/integration`, or anything with
 * a list of Azure integrations.
 *
 * @public
 */
export declare interface AzureIntegrations {
    /** The group of Azure integrations. */
    azure: {
        list(): Array<{
            config: AzureIntegrationConfig;
        }>;
    };
}

/**
 * A managed identity whose token is exchanged for an app's.
 *
 * @public
 */
export declare type AzureManagedIdentityClientAssertionCredential = AzureCredentialBase & {
    kind: 'ManagedIdentityClientAssertion';
    /** The Entra ID tenant. */
    tenantId: string;
    /** The app's client id. */
    clientId: string;
    /** The identity's client id; `system-assigned` is the machine's own. */
    managedIdentityClientId: 'system-assigned' | string;
};

/**
 * A managed identity.
 *
 * @public
 */
export declare type AzureManagedIdentityCredential = AzureCredentialBase & {
    kind: 'ManagedIdentity';
    /** The identity's client id; `system-assigned` is the machine's own. */
    clientId: 'system-assigned' | string;
};

/**
 * Whether a host is asked over plain HTTP: `allow` without a warning, `refuse` not at all.
 *
 * @public
 */
export declare type AzurePlainHttp = 'allow' | 'refuse';

/**
 * One read, as it is published on the diagnostics channel `backstage-azure-devops-native:read` when it has
 * ended: with content, with an error, or because nothing has changed.
 *
 * @public
 */
export declare interface AzureReadMessage {
    /** The web URL that was read; what stands before its host is shown where it is no secret. */
    url: string;
    /**
     * The last REST URL that was asked for it: that of the file; that of the archive, or of the newest
     * commit where the archive of that commit is kept; for a search with a pattern that of the newest
     * commit, that of a list which told the newest commit too, or that of the archive where it is
     * searched.
     */
    request: string;
    /** The host, and the organization or collection on it. */
    scope: string;
    /** The kind of credential, in plain words. */
    credential: string;
    /**
     * The credential's place in the app-config, as `integrations.azure[0].credentials[1]`; of one that does
     * not come from there, its host and position, or what else it comes from.
     */
    place: string;
    /**
     * The status of the answer; 0 where an earlier one stands in for it (`staleIfThrottled`), and where
     * there was none.
     */
    status: number;
    /** The time until the answer was there, in milliseconds. */
    durationMs: number;
    /**
     * The error that the caller got, if any; for a file or tree that has not changed, that is
     * `NotModifiedError`.
     */
    error?: {
        name: string;
        message: string;
    };
}

/**
 * How often a host is asked again that did not answer, and how fast it is asked.
 *
 * @public
 */
export declare type AzureRetryConfig = {
    /** How often a request is repeated at most, a whole number: 5 times by default, 0 for never. */
    maxRetries?: number;
    /** The statuses after which it is, from 100 to 599: 408, 429, 500, 502, 503 and 504 by default. */
    retryStatusCodes?: number[];
    /** The most requests in a minute by one process with one credential, from 1; -1, as by default, for any number. */
    maxApiRequestsPerMinute?: number;
};

/**
 * Stale answers while a host throttles a credential: files and searches as they were read
 * last.
 *
 * @public
 */
export declare type AzureStaleIfThrottledConfig = {
    /** How old they may be; longer than no time. In the app-config also `30m` or `PT30M`. */
    maxAge: HumanDuration;
};

/**
 * A repository of Azure DevOps, or a path in it, as its web URL names it.
 *
 * @example
 * ```ts
 * const url = AzureUrl.fromRepoUrl(
 *   'https://dev.azure.com/org/project/_git/repo?path=/README.md&version=GTv1',
 * ); url.getRef(); // 'v1' url.getPrefix(); // 'GT'
 * ```
 *
 * @public
 */
export declare class AzureUrl {
    #private;
    /**
     * Reads a URL as copied from the browser's address bar.
     *
     * @throws Where the URL names no repository, or a version that is no branch, tag or commit; a
     * `TypeError` where it is no URL, a `URIError` where an escape in it does not decode.
     */
    static fromRepoUrl(repoUrl: string): AzureUrl;
    private constructor();
    /** The URL under which a browser shows this. */
    toRepoUrl(): string;
    /**
     * The REST URL of the file's content.
     *
     * @throws Where the URL names no path.
     */
    toFileUrl(): string;
    /** The REST URL of a zip of the repository, or of the folder that the path names. */
    toArchiveUrl(): string;
    /** The REST URL of the version's commits, newest first. */
    toCommitsUrl(): string;
    /** The organization, or the collection (`tfs/{collection}` below `/tfs/`). */
    getOwner(): string;
    /** The name of the project. */
    getProject(): string;
    /** The name of the repository. */
    getRepo(): string;
    /** The path in the repository, if the URL has one. */
    getPath(): string | undefined;
    /** The branch, tag or commit, if the URL has one. */
    getRef(): string | undefined;
    /** What the ref is: `GB` a branch, `GT` a tag, `GC` a commit. */
    getPrefix(): string | undefined;
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
export declare class AzureUrlReader implements UrlReaderService {
    #private;
    /**
     * Makes a reader for every host of `integrations.azure`.
     *
     * As Backstage's own reader does, it warns of personal access tokens for Azure DevOps Services.
     */
    static factory: ReaderFactory;
    constructor(integration: AzureIntegrationLike, deps: AzureUrlReaderDeps);
    /**
     * Reads a whole file.
     *
     * @throws As {@link AzureUrlReader.readUrl}.
     */
    read(url: string): Promise<Buffer>;
    /**
     * Reads a file.
     *
     * Where `signal` ends it, it rejects with `Unable to read …`, whose `cause` is the signal's reason.
     *
     * @throws NotFoundError, NotModifiedError (for `etag` or `lastModifiedAfter`), AuthenticationError,
     * NotAllowedError, or an Error that begins as those of Backstage's own reader do.
     */
    readUrl(url: string, options?: UrlReaderServiceReadUrlOptions): Promise<UrlReaderServiceReadUrlResponse>;
    /**
     * Reads a repository, or a folder of one, at its newest commit. The archive is downloaded when `files()`,
     * `archive()` or `dir()` is called; each rejects where the archive cannot be read or stored, or is damaged.
     *
     * Where `signal` ends it, it rejects with the signal's reason itself.
     *
     * @throws NotFoundError, NotModifiedError (for `etag`), AuthenticationError, NotAllowedError, or
     * an Error that begins as those of Backstage's own reader do.
     */
    readTree(url: string, options?: UrlReaderServiceReadTreeOptions): Promise<UrlReaderServiceReadTreeResponse>;
    /**
     * Finds the file at `url`, or none where it does not exist, which is logged; or the files that match the
     * glob in its path, as minimatch matches it.
     *
     * @throws As {@link AzureUrlReader.readTree}; `InputError` for a pattern that expands to more than
     * `backend.reading.azureDevOps.limits.patternAlternatives` (1000 by default), or that takes too long.
     */
    search(url: string, options?: UrlReaderServiceSearchOptions): Promise<UrlReaderServiceSearchResponse>;
    /** The host, and whether it has credentials. */
    toString(): string;
}

/**
 * What an {@link AzureUrlReader} works with.
 *
 * @public
 */
export declare interface AzureUrlReaderDeps {
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
 * Adds the reader to a backend, before the built-in one. Where the native part cannot be loaded, or
 * `backend.reading.azureDevOps.enabled` is false, it logs why and adds nothing, so that the built-in reader
 * serves.
 *
 * @example
 * ```ts
 * backend.add(import('backstage-azure-devops-native'));
 * ```
 *
 * @public
 */
declare const azureUrlReaderServiceFactory: ServiceFactory<ReaderFactory, "plugin", "multiton">;
export default azureUrlReaderServiceFactory;

/**
 * Finds the configured credential that serves a URL: that of its organization, else the host's for any
 * organization, else, for `dev.azure.com`, the default chain. All providers of a process share tokens.
 *
 * @example
 * ```ts
 * const azure = AzureIntegration.factory({ config }); const provider =
 * DefaultAzureDevOpsCredentialsProvider.fromIntegrations({ azure }); const credentials = await
 * provider.getCredentials({ url }); await fetch(request, { headers: credentials?.headers });
 * ```
 *
 * @see https://backstage.io/docs/integrations/azure/locations
 *
 * @public
 */
export declare class DefaultAzureDevOpsCredentialsProvider implements AzureDevOpsCredentialsProvider {
    #private;
    /**
     * Takes the credentials of all Azure integrations.
     *
     * @param integrations - `ScmIntegrations` of `@backstage/integration`, or anything with a list of
     * Azure integrations.
     */
    static fromIntegrations(integrations: AzureIntegrations): DefaultAzureDevOpsCredentialsProvider;
    private constructor();
    /**
     * Gives the headers, token and type of the credential that serves `url`, or `undefined` where none
     * does.
     *
     * @throws Where no token can be obtained for it, or the default chain failed.
     */
    getCredentials(opts: {
        url: string;
    }): Promise<AzureDevOpsCredentials | undefined>;
}

/**
 * The REST URL of the commits of a repository's branch, tag or commit.
 *
 * @param url - The web URL, with `version` where it is not the default branch.
 * @throws Where the URL names no repository; a `TypeError` where it is no URL.
 * @see https://learn.microsoft.com/rest/api/azure/devops/git/commits/get-commits
 *
 * @public
 */
export declare function getAzureCommitsUrl(url: string): string;

/**
 * The REST URL of a zip of a repository or folder.
 *
 * @param url - Its web URL, with `path` where it is a folder.
 * @throws Where the URL names no repository; a `TypeError` where it is no URL.
 * @see https://learn.microsoft.com/rest/api/azure/devops/git/items/get
 *
 * @public
 */
export declare function getAzureDownloadUrl(url: string): string;

/**
 * The REST URL of a file's content.
 *
 * @param url - The file's web URL, as the browser's address bar shows it.
 * @throws Where the URL names no repository, or no path in it; a `TypeError` where it is no URL.
 * @see https://learn.microsoft.com/rest/api/azure/devops/git/items/get
 *
 * @public
 */
export declare function getAzureFileFetchUrl(url: string): string;

/**
 * A personal access token.
 *
 * @public
 */
export declare type PersonalAccessTokenCredential = AzureCredentialBase & {
    kind: 'PersonalAccessToken';
    /** The token, raw. */
    personalAccessToken: string;
};

/**
 * Reads and checks one entry of `integrations.azure`.
 *
 * @param config - The entry.
 * @throws Where a value has the wrong type, a host is invalid, or a credential is of no kind or
 * serves what another one serves.
 *
 * @public
 */
export declare function readAzureIntegrationConfig(config: Config): AzureIntegrationConfig;

/**
 * Reads and checks `integrations.azure`, and adds `dev.azure.com` where it is missing.
 *
 * @example
 * ```ts
 * readAzureIntegrationConfigs(
 *   config.getOptionalConfigArray('integrations.azure') ?? [],
 * );
 * ```
 *
 * @param configs - The entries of `integrations.azure`, all of them in their order: a credential is called by
 * its place among them.
 * @throws As {@link readAzureIntegrationConfig}.
 *
 * @public
 */
export declare function readAzureIntegrationConfigs(configs: Config[]): AzureIntegrationConfig[];

export { }
