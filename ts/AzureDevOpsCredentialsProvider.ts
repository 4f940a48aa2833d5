/**
 * The kind of token in {@link AzureDevOpsCredentials}.
 *
 * @public
 */
export type AzureDevOpsCredentialType = 'bearer' | 'pat';

/**
 * What authorizes a request to Azure DevOps.
 *
 * @public
 */
export type AzureDevOpsCredentials = {
  /** The headers to send. */
  headers: { [name: string]: string };
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
export interface AzureDevOpsCredentialsProvider {
  /** Gives the credentials for `url`, or `undefined` where there are none. */
  getCredentials(opts: {
    url: string;
  }): Promise<AzureDevOpsCredentials | undefined>;
}
