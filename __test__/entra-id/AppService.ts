import { randomUUID } from 'node:crypto';
import type { EntraId } from './EntraId';
import {
  IdentityEndpoint,
  seconds,
  type Answer,
  type AssignedIdentity,
  type Grant,
  type IdentityRequest,
} from './IdentityEndpoint';

/**
 * A stand-in for the endpoint where apps on App Service get their identities' tokens.
 *
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
export class AppService extends IdentityEndpoint {
  static async start(entra: EntraId): Promise<AppService> {
    const appService = new AppService(entra);
    await appService.listen(0, '127.0.0.1');
    return appService;
  }

  /** What has to be sent as `X-IDENTITY-HEADER`. */
  readonly header = randomUUID();

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}/msi/token/`;
  }

  /** The variables that App Service sets. */
  get environment(): Record<string, string> {
    return { IDENTITY_ENDPOINT: this.endpoint, IDENTITY_HEADER: this.header };
  }

  protected override refuse({
    path,
    query,
    headers,
  }: IdentityRequest): Answer | undefined {
    if (headers['x-identity-header'] !== this.header) {
      return refusal(403, 'The X-IDENTITY-HEADER header is missing or wrong.');
    }
    if (!/^\/msi\/token\/?$/.test(path)) return refusal(404, 'Not found.');
    return query.get('api-version') === '2019-08-01'
      ? undefined
      : refusal(400, 'The api-version is missing or not supported.');
  }

  protected override identify(clientId?: string): AssignedIdentity | undefined {
    return this.identities.find(own => own.clientId === clientId);
  }

  protected override notFound(): Answer {
    return refusal(
      400,
      'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
    );
  }

  protected override tell(grant: Grant): object {
    return {
      access_token: grant.token,
      expires_on: seconds(grant.expiresAt),
      resource: grant.resource,
      token_type: 'Bearer',
      client_id: grant.clientId,
    };
  }
}

function refusal(statusCode: number, message: string): Answer {
  return [statusCode, { statusCode, message }];
}
