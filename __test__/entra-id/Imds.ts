import type { EntraId } from './EntraId';
import {
  IdentityEndpoint,
  seconds,
  type Answer,
  type AssignedIdentity,
  type Grant,
  type IdentityRequest,
} from './IdentityEndpoint';

const PATH = '/metadata/identity/oauth2/token';
const VERSIONS = ['2018-02-01', '2019-08-01'];

/**
 * A stand-in for the instance metadata service, where virtual machines get their identities' tokens.
 *
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
export class Imds extends IdentityEndpoint {
  /** Listens where the service is found, unless it is told otherwise. */
  static async start(
    entra: EntraId,
    { address = '169.254.169.254', port = 80 } = {},
  ): Promise<Imds> {
    const imds = new Imds(entra);
    await imds.listen(port, address);
    return imds;
  }

  /** Its URL, without a path. */
  url(address = '169.254.169.254'): string {
    return `http://${address}:${this.port}`;
  }

  protected override refuse({
    path,
    query,
    headers,
  }: IdentityRequest): Answer | undefined {
    if (path !== PATH) return [404, { error: 'Not found' }];
    if (headers.metadata?.toString().toLowerCase() !== 'true') {
      return refusal('Required metadata header not specified');
    }
    if (headers['x-forwarded-for'] !== undefined) {
      return refusal('X-Forwarded-For header is not supported');
    }
    return VERSIONS.includes(query.get('api-version') ?? '')
      ? undefined
      : refusal('Required api-version is not specified or not supported');
  }

  /** Where nobody is named, it is the system-assigned one, or the only one that there is. */
  protected override identify(clientId?: string): AssignedIdentity | undefined {
    const named = this.identities.find(own => own.clientId === clientId);
    const isOnlyOne = clientId === undefined && this.identities.length === 1;
    return isOnlyOne ? this.identities[0] : named;
  }

  protected override notFound(): Answer {
    return refusal('Identity not found');
  }

  protected override tell(grant: Grant): object {
    const lifetime = seconds(grant.expiresAt - Date.now());
    return {
      access_token: grant.token,
      client_id: grant.clientId,
      expires_in: lifetime,
      expires_on: seconds(grant.expiresAt),
      ext_expires_in: lifetime,
      not_before: seconds(Date.now()),
      resource: grant.resource,
      token_type: 'Bearer',
    };
  }
}

function refusal(description: string): Answer {
  return [400, { error: 'invalid_request', error_description: description }];
}
