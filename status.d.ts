/**
 * The status of Azure DevOps as a Backstage backend reads it: a plugin that answers over HTTP, off until it is
 * added.
 *
 * @packageDocumentation
 */

import type { BackendFeature } from '@backstage/backend-plugin-api';
import { BasicPermission } from '@backstage/plugin-permission-common';

/**
 * What `GET /api/azure-devops-native/status` answers: a diagnosis, and when it was made.
 *
 * @public
 */
export declare interface AzureDevOpsNativeStatus extends Diagnosis {
    /** When the diagnosis was complete, in ISO 8601; it is given again for 30 seconds. */
    diagnosedAt: string;
}

/**
 * Adds `GET /api/azure-devops-native/status` to a backend: what is wrong with its reads of Azure DevOps, and what
 * to do about it. Who asks needs the permission {@link azureDevOpsNativeStatusReadPermission}. It is not a health
 * check, and the backend's own ones know nothing of it.
 *
 * @example
 * ```ts
 * backend.add(import('backstage-azure-devops-native/status'));
 * ```
 *
 * @public
 */
declare const azureDevOpsNativeStatusPlugin: BackendFeature;
export default azureDevOpsNativeStatusPlugin;

/**
 * The permission that `GET /api/azure-devops-native/status` needs, for permission policies. Its name is
 * `azure-devops-native.status.read`.
 *
 * @public
 */
export declare const azureDevOpsNativeStatusReadPermission: BasicPermission;

/**
 * Why a URL cannot be read.
 *
 * @public
 */
export declare interface CauseReport {
    /** Where it is found: the first of these that is not as it should be. */
    at: 'url' | 'configuration' | 'credential' | 'network' | 'limits' | 'organization' | 'project' | 'repository' | 'version' | 'path' | 'unknown';
    message: string;
    advice: string;
    /** What is there and nearly has the name that is not. */
    near: string[];
}

/**
 * A certificate of a server's chain.
 *
 * @public
 */
export declare interface CertificateReport {
    subject: string;
    issuer: string;
    /** When it stops being valid, in ISO 8601. */
    expiresAt: string;
}

/**
 * One thing that was looked at.
 *
 * @public
 */
export declare interface Check {
    /** What was looked at, in one or two words. */
    name: string;
    state: CheckState;
    /** What was found. */
    message: string;
    /** What to do about it. */
    advice?: string;
}

/**
 * What a check found: `problem` is what keeps reads from working, `warning` what may do so one day.
 *
 * @public
 */
export declare type CheckState = 'ok' | 'warning' | 'problem' | 'unknown';

/**
 * Something in the configuration that is not as it should be.
 *
 * @public
 */
export declare interface ConfigurationProblem {
    state: 'warning' | 'problem';
    /** The key, as `integrations.azure[0].host`; missing where it is about all of it. */
    path?: string;
    message: string;
    advice?: string;
}

/**
 * The configuration that was looked at.
 *
 * @public
 */
export declare interface ConfigurationReport {
    /** Where it came from, in words. */
    source: string;
    files: string[];
    problems: ConfigurationProblem[];
}

/**
 * A credential, by its place in the configuration; it holds no secret.
 *
 * @public
 */
export declare interface CredentialName {
    /** The kind of credential in plain words. */
    kind: string;
    /** Where it stands, as `integrations.azure[0].credentials[1]`, or what else it comes from. */
    place: string;
    /** Why it is the one that serves. */
    reason: string;
}

/**
 * Everything that was looked at.
 *
 * @public
 */
export declare interface Diagnosis {
    /** Whether nothing is a problem. */
    isHealthy: boolean;
    runtime: RuntimeReport;
    configuration: ConfigurationReport;
    hosts: HostReport[];
    organizations: OrganizationReport[];
    urls: UrlReport[];
}

/**
 * A host of `integrations.azure`.
 *
 * @public
 */
export declare interface HostReport {
    host: string;
    /** The way to it: directly, or through which proxy. */
    route: string;
    /** What it presented, the server's own certificate first; missing where no connection was made. */
    certificates?: CertificateReport[];
    checks: Check[];
}

/**
 * Whom Azure DevOps sees.
 *
 * @public
 */
export declare interface IdentityReport {
    /** The name that is displayed. */
    name: string;
    /** The account, such as a mail address. */
    account?: string;
    id?: string;
}

/**
 * An organization or collection, as the credential that serves it sees it.
 *
 * @public
 */
export declare interface OrganizationReport {
    host: string;
    /** Missing where the credential names none and no URL does. */
    organization?: string;
    credential: CredentialName;
    token?: TokenReport;
    identity?: IdentityReport;
    /** How many projects it sees; at least as many where there are more pages of them. */
    projects?: number;
    /** Whether it can list repositories (Code, Read); missing where that was not found out. */
    canReadCode?: boolean;
    /** The newest version of the Git REST API that is there. */
    apiVersion?: string;
    /** What is left of the budget of the identity, from 0 to 1, where the service says so. */
    budgetLeft?: number;
    /** How long the first answer took, in milliseconds, with the connection that was made for it. */
    latencyMs?: number;
    checks: Check[];
}

/**
 * What a repository URL names.
 *
 * @public
 */
export declare interface RepositoryUrlParts {
    host: string;
    organization: string;
    project: string;
    repository: string;
    path?: string;
    /** As `branch main`; missing for the default branch. */
    version?: string;
    /** Whether the path is a pattern. */
    isPattern: boolean;
}

/**
 * What runs.
 *
 * @public
 */
export declare interface RuntimeReport {
    version: string;
    node: string;
    platform: string;
    /** The file of the native part. */
    binary: string;
    /** The proxies that the environment names, without their users. */
    proxies: string[];
    /** What TLS trusts, in words. */
    trust: string;
}

/**
 * An access token of Entra ID.
 *
 * @public
 */
export declare interface TokenReport {
    /** When it stops being valid, in ISO 8601. */
    expiresAt: string;
    /** The tenant and the object in it that it is for, where the token says so. */
    tenantId?: string;
    objectId?: string;
}

/**
 * A URL, and whether it can be read.
 *
 * @public
 */
export declare interface UrlReport {
    /** Without secrets. */
    url: string;
    parts?: RepositoryUrlParts;
    credential?: CredentialName;
    /** The REST URL that was asked for. */
    request?: string;
    /** The status of the answer; missing where there was none. */
    status?: number;
    /** What the read gave: what was found, or the message of its error, as the log of a backend has it. */
    answer?: string;
    isReadable: boolean;
    /** The first that was asked, down to what failed. */
    checks: Check[];
    cause?: CauseReport;
}

export { }
