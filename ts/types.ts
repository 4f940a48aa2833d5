import type { HumanDuration } from '@backstage/types';

/**
 * The configuration of one Azure DevOps host.
 *
 * @public
 */
export type AzureIntegrationConfig = {
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
 * Whether a host is asked over plain HTTP: `allow` without a warning, `refuse` not at all.
 *
 * @public
 */
export type AzurePlainHttp = 'allow' | 'refuse';

/**
 * Stale answers while a host throttles a credential: files and searches as they were read
 * last.
 *
 * @public
 */
export type AzureStaleIfThrottledConfig = {
  /** How old they may be; longer than no time. In the app-config also `30m` or `PT30M`. */
  maxAge: HumanDuration;
};

/**
 * How often a host is asked again that did not answer, and how fast it is asked.
 *
 * @public
 */
export type AzureRetryConfig = {
  /** How often a request is repeated at most, a whole number: 5 times by default, 0 for never. */
  maxRetries?: number;

  /** The statuses after which it is, from 100 to 599: 408, 429, 500, 502, 503 and 504 by default. */
  retryStatusCodes?: number[];

  /** The most requests in a minute by one process with one credential, from 1; -1, as by default, for any number. */
  maxApiRequestsPerMinute?: number;
};

/**
 * How a credential signs in.
 *
 * @public
 */
export type AzureDevOpsCredentialKind =
  | 'PersonalAccessToken'
  | 'ClientSecret'
  | 'ClientCertificate'
  | 'ManagedIdentity'
  | 'ManagedIdentityClientAssertion';

/**
 * What all credentials have.
 *
 * @public
 */
export type AzureCredentialBase = {
  /** How it signs in. */
  kind: AzureDevOpsCredentialKind;

  /** The organizations that it serves; without any, every one that no other credential names. */
  organizations?: string[];
};

/**
 * A service principal with its secret.
 *
 * @public
 */
export type AzureClientSecretCredential = AzureCredentialBase & {
  kind: 'ClientSecret';
  /** The Entra ID tenant. */
  tenantId: string;
  /** The app's client id. */
  clientId: string;
  /** The app's secret. */
  clientSecret: string;
};

/**
 * A service principal with its certificate, which is in one of two places.
 *
 * @public
 */
export type AzureClientCertificateCredential = AzureCredentialBase & {
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
 * A managed identity whose token is exchanged for an app's.
 *
 * @public
 */
export type AzureManagedIdentityClientAssertionCredential =
  AzureCredentialBase & {
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
export type AzureManagedIdentityCredential = AzureCredentialBase & {
  kind: 'ManagedIdentity';
  /** The identity's client id; `system-assigned` is the machine's own. */
  clientId: 'system-assigned' | string;
};

/**
 * A personal access token.
 *
 * @public
 */
export type PersonalAccessTokenCredential = AzureCredentialBase & {
  kind: 'PersonalAccessToken';
  /** The token, raw. */
  personalAccessToken: string;
};

/**
 * A credential with the fields of its kind.
 *
 * @public
 */
export type AzureDevOpsCredential =
  | AzureClientSecretCredential
  | AzureClientCertificateCredential
  | AzureManagedIdentityClientAssertionCredential
  | AzureManagedIdentityCredential
  | PersonalAccessTokenCredential;

/**
 * A credential whose kind is not known yet.
 *
 * @public
 */
export type AzureDevOpsCredentialLike = Omit<
  Partial<AzureClientSecretCredential> &
    Partial<AzureClientCertificateCredential> &
    Partial<AzureManagedIdentityClientAssertionCredential> &
    Partial<AzureManagedIdentityCredential> &
    Partial<PersonalAccessTokenCredential>,
  'kind'
>;

/**
 * What an {@link AzureUrlReader} needs of an integration: upstream's fits as well as ours.
 *
 * @public
 */
export interface AzureIntegrationLike {
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
export interface AzureIntegrations {
  /** The group of Azure integrations. */
  azure: { list(): Array<{ config: AzureIntegrationConfig }> };
}
