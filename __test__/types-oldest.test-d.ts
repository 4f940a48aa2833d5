/**
 * What the public types promise beside every Backstage that is supported, the oldest included,
 * checked by `tsc` and never run: it compiles, or a promise is broken.
 */
import type { ReaderFactory } from '@backstage/backend-defaults/urlReader';
import type {
  BackendFeature,
  UrlReaderService,
} from '@backstage/backend-plugin-api';
import type * as upstream from '@backstage/integration';
import type { BasicPermission } from '@backstage/plugin-permission-common';
import * as ours from 'backstage-azure-devops-native';
import * as status from 'backstage-azure-devops-native/status';

/** Whether what is of the one type fits where the other is wanted. */
type Fits<Given, Wanted> = [Given] extends [Wanted] ? true : false;

/** Whatever Backstage gives is taken. */
export const theirs: {
  AzureClientSecretCredential: Fits<
    upstream.AzureClientSecretCredential,
    ours.AzureClientSecretCredential
  >;
  AzureCredentialBase: Fits<
    upstream.AzureCredentialBase,
    ours.AzureCredentialBase
  >;
  AzureDevOpsCredential: Fits<
    upstream.AzureDevOpsCredential,
    ours.AzureDevOpsCredential
  >;
  AzureDevOpsCredentialKind: Fits<
    upstream.AzureDevOpsCredentialKind,
    ours.AzureDevOpsCredentialKind
  >;
  AzureDevOpsCredentialLike: Fits<
    upstream.AzureDevOpsCredentialLike,
    ours.AzureDevOpsCredentialLike
  >;
  AzureDevOpsCredentials: Fits<
    upstream.AzureDevOpsCredentials,
    ours.AzureDevOpsCredentials
  >;
  AzureDevOpsCredentialsProvider: Fits<
    upstream.AzureDevOpsCredentialsProvider,
    ours.AzureDevOpsCredentialsProvider
  >;
  AzureDevOpsCredentialType: Fits<
    upstream.AzureDevOpsCredentialType,
    ours.AzureDevOpsCredentialType
  >;
  AzureIntegrationConfig: Fits<
    upstream.AzureIntegrationConfig,
    ours.AzureIntegrationConfig
  >;
  AzureManagedIdentityClientAssertionCredential: Fits<
    upstream.AzureManagedIdentityClientAssertionCredential,
    ours.AzureManagedIdentityClientAssertionCredential
  >;
  AzureManagedIdentityCredential: Fits<
    upstream.AzureManagedIdentityCredential,
    ours.AzureManagedIdentityCredential
  >;
  PersonalAccessTokenCredential: Fits<
    upstream.PersonalAccessTokenCredential,
    ours.PersonalAccessTokenCredential
  >;
} = {
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

/** Our credentials of the kinds that Backstage has. */
type KnownCredential = Extract<
  ours.AzureDevOpsCredential,
  { kind: upstream.AzureDevOpsCredentialKind }
>;

/** Whether Backstage takes our credentials of each kind that it has. */
type CredentialsOfKind = {
  [Kind in upstream.AzureDevOpsCredentialKind]: Fits<
    Extract<ours.AzureDevOpsCredential, { kind: Kind }>,
    Extract<upstream.AzureDevOpsCredential, { kind: Kind }>
  >;
};

/** Backstage takes what we give, as far as it knows the kind of credential. */
export const given: {
  kinds: Fits<
    CredentialsOfKind,
    Record<upstream.AzureDevOpsCredentialKind, true>
  >;
  noKindIsMissing: Fits<
    upstream.AzureDevOpsCredentialKind,
    KnownCredential['kind']
  >;
  AzureDevOpsCredentialLike: Fits<
    ours.AzureDevOpsCredentialLike,
    upstream.AzureDevOpsCredentialLike
  >;
  AzureDevOpsCredentials: Fits<
    ours.AzureDevOpsCredentials,
    upstream.AzureDevOpsCredentials
  >;
  AzureDevOpsCredentialsProvider: Fits<
    ours.AzureDevOpsCredentialsProvider,
    upstream.AzureDevOpsCredentialsProvider
  >;
  AzureDevOpsCredentialType: Fits<
    ours.AzureDevOpsCredentialType,
    upstream.AzureDevOpsCredentialType
  >;
  AzureIntegrationConfig: Fits<
    Omit<ours.AzureIntegrationConfig, 'credentials'> & {
      credentials?: KnownCredential[];
    },
    upstream.AzureIntegrationConfig
  >;
} = {
  kinds: true,
  noKindIsMissing: true,
  AzureDevOpsCredentialLike: true,
  AzureDevOpsCredentials: true,
  AzureDevOpsCredentialsProvider: true,
  AzureDevOpsCredentialType: true,
  AzureIntegrationConfig: true,
};

/** What a backend, and code that is written for upstream's classes, does with ours. */
export function use(
  deps: Omit<
    ConstructorParameters<typeof ours.AzureUrlReader>[1],
    'credentialsProvider'
  >,
  theirs: {
    integration: upstream.AzureIntegration;
    integrations: upstream.ScmIntegrations;
    provider: upstream.AzureDevOpsCredentialsProvider;
  },
): unknown {
  const { fromIntegrations } = ours.DefaultAzureDevOpsCredentialsProvider;
  const provider: upstream.AzureDevOpsCredentialsProvider = fromIntegrations(
    theirs.integrations,
  );
  const { treeResponseFactory } = deps;
  const reader: UrlReaderService = new ours.AzureUrlReader(theirs.integration, {
    treeResponseFactory,
    credentialsProvider: theirs.provider,
  });
  const integration: upstream.ScmIntegration = new ours.AzureIntegration(
    theirs.integration.config,
  );
  return [provider, reader, integration];
}
ours.AzureUrlReader.factory satisfies ReaderFactory;
ours.AzureIntegration
  .factory satisfies upstream.ScmIntegrationsFactory<ours.AzureIntegration>;
ours.default satisfies BackendFeature;
status.default satisfies BackendFeature;
status.azureDevOpsNativeStatusReadPermission satisfies BasicPermission;
