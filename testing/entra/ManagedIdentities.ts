import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AZURE_DEVOPS, type EntraId } from './EntraId';

/** An identity that is assigned to the machine. */
export interface AssignedIdentity {
  /** The machine's own where it is missing. */
  clientId?: string;
  organizations?: string[];
}

/** Which of the two endpoints it is. */
type Kind = 'App Service' | 'IMDS';

interface Fault {
  status: number;
  times: number;
  /** What it says, in App Service's way. */
  message?: string;
}

/**
 * A stand-in for the endpoints where a machine gets its identities' tokens.
 *
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
export class ManagedIdentities {
  /** App Service's, on an address of this machine. */
  static async appService(entra: EntraId): Promise<ManagedIdentities> {
    const endpoint = new ManagedIdentities('App Service', entra);
    await endpoint.#listen(0, '127.0.0.1');
    return endpoint;
  }

  /** The instance metadata service, which needs its own address. */
  static async imds(entra: EntraId): Promise<ManagedIdentities> {
    const endpoint = new ManagedIdentities('IMDS', entra);
    await endpoint.#listen(80, '169.254.169.254');
    return endpoint;
  }

  identities: AssignedIdentity[] = [];
  /** The query of every request but those that only look whether it is there. */
  readonly requests: URLSearchParams[] = [];
  /** What App Service wants to see in `X-IDENTITY-HEADER`. */
  readonly header = `header-${randomUUID()}`;
  readonly #server: http.Server;
  readonly #faults: Fault[] = [];

  private constructor(
    private readonly kind: Kind,
    private readonly entra: EntraId,
  ) {
    this.#server = http.createServer((request, response) =>
      this.#answer(request, response),
    );
  }

  /** What App Service puts into the environment. */
  get environment(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/msi/token/`,
      IDENTITY_HEADER: this.header,
    };
  }

  misbehave(fault: Fault): void {
    this.#faults.push(fault);
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #listen(port: number, host: string): Promise<void> {
    await new Promise<void>(resolve =>
      this.#server.listen(port, host, resolve),
    );
    this.#server.unref();
  }

  #answer({ url = '/', headers }: IncomingMessage, response: ServerResponse) {
    const { pathname, searchParams } = new URL(url, 'http://here');
    const isLook = this.kind === 'IMDS' && !headers.metadata;
    if (!isLook) this.requests.push(searchParams);
    const [status, body] =
      (isLook ? undefined : this.#fault()) ??
      this.#refusal(pathname, headers) ??
      this.#token(searchParams);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  #fault(): [number, object] | undefined {
    const fault = this.#faults.find(({ times }) => times > 0);
    if (!fault) return undefined;
    fault.times -= 1;
    const { status, message } = fault;
    return [
      status,
      message ? { statusCode: status, message } : { error: 'fault' },
    ];
  }

  #refusal(
    path: string,
    headers: http.IncomingHttpHeaders,
  ): [number, object] | undefined {
    if (this.kind === 'App Service') {
      return headers['x-identity-header'] === this.header
        ? undefined
        : [403, { statusCode: 403, message: 'The header is missing or wrong' }];
    }
    if (path !== '/metadata/identity/oauth2/token') {
      return [404, { error: 'not_found' }];
    }
    return headers.metadata === 'true' && !headers['x-forwarded-for']
      ? undefined
      : [
          400,
          {
            error: 'invalid_request',
            error_description: 'Required metadata header not specified',
          },
        ];
  }

  #token(query: URLSearchParams): [number, object] {
    const resource = query.get('resource') ?? '';
    const clientId = query.get('client_id') ?? undefined;
    const known = this.identities.find(own => own.clientId === clientId);
    if (
      !known ||
      ![AZURE_DEVOPS, 'api://AzureADTokenExchange'].includes(resource)
    ) {
      const said = 'Identity not found';
      return this.kind === 'IMDS'
        ? [400, { error: 'invalid_request', error_description: said }]
        : [400, { statusCode: 400, message: said }];
    }
    const { token, expiresAt } = this.entra.issueTo(
      clientId ?? 'system-assigned',
      resource,
      known.organizations,
    );
    const expiresOn = String(Math.floor(expiresAt / 1000));
    return [
      200,
      {
        access_token: token,
        client_id: clientId ?? randomUUID(),
        expires_in: '86399',
        expires_on: expiresOn,
        ext_expires_in: '86399',
        not_before: String(Math.floor(Date.now() / 1000)),
        resource,
        token_type: 'Bearer',
      },
    ];
  }
}
