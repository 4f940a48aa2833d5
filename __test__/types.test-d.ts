/**
 * What the public types promise beside the newest Backstage's, checked by `tsc` and never run: it
 * compiles, or a promise is broken. `types-oldest.test-d.ts` is what they promise beside every one.
 */
import type * as upstream from '@backstage/integration';
import * as ours from 'backstage-azure-devops-native';
import type { Config } from '../config';
import type { CredentialFields, IntegrationFields } from '../ts/native';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2
    ? true
    : false;

/** Either fits where the other is wanted, and neither has a key that the other lacks. */
type Interchangeable<A, B> = [A, B] extends [B, A]
  ? Same<KeysOf<A>, KeysOf<B>>
  : false;

type KeysOf<T> = T extends unknown ? keyof T : never;

/** The upstream types of the same names. */
export const types: {
  AzureClientCertificateCredential: Interchangeable<
    ours.AzureClientCertificateCredential,
    upstream.AzureClientCertificateCredential
  >;
  AzureClientSecretCredential: Interchangeable<
    ours.AzureClientSecretCredential,
    upstream.AzureClientSecretCredential
  >;
  AzureCredentialBase: Interchangeable<
    ours.AzureCredentialBase,
    upstream.AzureCredentialBase
  >;
  AzureDevOpsCredential: Interchangeable<
    ours.AzureDevOpsCredential,
    upstream.AzureDevOpsCredential
  >;
  AzureDevOpsCredentialKind: Interchangeable<
    ours.AzureDevOpsCredentialKind,
    upstream.AzureDevOpsCredentialKind
  >;
  AzureDevOpsCredentialLike: Interchangeable<
    ours.AzureDevOpsCredentialLike,
    upstream.AzureDevOpsCredentialLike
  >;
  AzureDevOpsCredentials: Interchangeable<
    ours.AzureDevOpsCredentials,
    upstream.AzureDevOpsCredentials
  >;
  AzureDevOpsCredentialsProvider: Interchangeable<
    ours.AzureDevOpsCredentialsProvider,
    upstream.AzureDevOpsCredentialsProvider
  >;
  AzureDevOpsCredentialType: Interchangeable<
    ours.AzureDevOpsCredentialType,
    upstream.AzureDevOpsCredentialType
  >;
  /** But for what upstream does not look at. */
  AzureIntegrationConfig: Interchangeable<
    Omit<
      ours.AzureIntegrationConfig,
      'plainHttp' | 'retry' | 'staleIfThrottled'
    >,
    upstream.AzureIntegrationConfig
  >;
  AzureManagedIdentityClientAssertionCredential: Interchangeable<
    ours.AzureManagedIdentityClientAssertionCredential,
    upstream.AzureManagedIdentityClientAssertionCredential
  >;
  AzureManagedIdentityCredential: Interchangeable<
    ours.AzureManagedIdentityCredential,
    upstream.AzureManagedIdentityCredential
  >;
  PersonalAccessTokenCredential: Interchangeable<
    ours.PersonalAccessTokenCredential,
    upstream.PersonalAccessTokenCredential
  >;
} = {
  AzureClientCertificateCredential: true,
  AzureClientSecretCredential: true,
  AzureCredentialBase: true,
  AzureDevOpsCredential: true,
  AzureDevOpsCredentialKind: true,
  AzureDevOpsCredentialLike: true,
  AzureDevOpsCredentials: true,
  AzureDevOpsCredentialsProvider: true,
  AzureDevOpsCredentialType: true,
  AzureIntegrationConfig: true,
  AzureManagedIdentityClientAssertionCredential: true,
  AzureManagedIdentityCredential: true,
  PersonalAccessTokenCredential: true,
};

/** The functions of the same names. */
export const functions: Same<
  {
    getAzureCommitsUrl: typeof ours.getAzureCommitsUrl;
    getAzureDownloadUrl: typeof ours.getAzureDownloadUrl;
    getAzureFileFetchUrl: typeof ours.getAzureFileFetchUrl;
  },
  Pick<
    typeof upstream,
    'getAzureCommitsUrl' | 'getAzureDownloadUrl' | 'getAzureFileFetchUrl'
  >
> = true;
ours.readAzureIntegrationConfig satisfies typeof upstream.readAzureIntegrationConfig;
ours.readAzureIntegrationConfigs satisfies typeof upstream.readAzureIntegrationConfigs;

type IntegrationKeys = ConfiguredIntegration extends infer T ? keyof T : never;
type ConfiguredIntegration = NonNullable<
  NonNullable<Config['integrations']>['azure']
>[number];
type ConfiguredCredential = NonNullable<
  ConfiguredIntegration['credentials']
>[number];

/**
 * The config schema has the keys that are read, no fewer and no more: by the native part, and
 * `commitSigningKey` by the face alone. `hasRemovedKeys` tells of keys that are refused, and `maxStale` is
 * `staleIfThrottled` in milliseconds.
 */
export const schema: {
  integration: Same<
    IntegrationKeys,
    | Exclude<keyof IntegrationFields, 'hasRemovedKeys' | 'maxStale'>
    | 'commitSigningKey'
    | 'staleIfThrottled'
  >;
  publicIntegration: Same<IntegrationKeys, keyof ours.AzureIntegrationConfig>;
  credential: Interchangeable<ConfiguredCredential, CredentialFields>;
} = { integration: true, publicIntegration: true, credential: true };
