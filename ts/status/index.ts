/**
 * The status of Azure DevOps as a Backstage backend reads it: a plugin that answers over HTTP, off until it is
 * added.
 *
 * @packageDocumentation
 */

export { azureDevOpsNativeStatusPlugin as default } from './azureDevOpsNativeStatusPlugin';
export { azureDevOpsNativeStatusReadPermission } from './permission';
export type { AzureDevOpsNativeStatus } from './status';
export type {
  CauseReport,
  CertificateReport,
  Check,
  CheckState,
  ConfigurationProblem,
  ConfigurationReport,
  CredentialName,
  Diagnosis,
  HostReport,
  IdentityReport,
  OrganizationReport,
  RepositoryUrlParts,
  RuntimeReport,
  TokenReport,
  UrlReport,
} from '../diagnosis/report';
