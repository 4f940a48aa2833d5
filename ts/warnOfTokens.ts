import type { LoggerService } from '@backstage/backend-plugin-api';
import type { AzureIntegrationConfig } from './types';

/** Where Backstage explains it. */
const EXPLANATION =
  'https://backstage.io/docs/integrations/azure/locations#using-a-personal-access-token-pat';

/** The hosts that were warned of in this process. */
const warned = new Set<string>();

/**
 * Warns of personal access tokens for Azure DevOps Services, once for each host in the process: in the
 * words of Backstage's own reader, and under its conditions.
 */
export function warnOfTokens(
  { host, credentials = [] }: AzureIntegrationConfig,
  logger: LoggerService,
): void {
  const isServices =
    host === 'dev.azure.com' || host.endsWith('.visualstudio.com');
  const hasToken = credentials.some(
    ({ kind }) => kind === 'PersonalAccessToken',
  );
  const isDevelopment = process.env.NODE_ENV === 'development';
  if (!isServices || !hasToken || isDevelopment || warned.has(host)) return;
  warned.add(host);
  const move =
    host === 'dev.azure.com'
      ? ''
      : ', after moving this integration and its repository URLs to dev.azure.com';
  logger.warn(
    `Personal access token credentials for Azure DevOps Services (${host}) are deprecated. Global personal access tokens stop working on January 27, 2027, and Microsoft recommends Microsoft Entra ID credentials over all personal access tokens. Use a service principal or managed identity instead${move}, see ${EXPLANATION}`,
  );
}
