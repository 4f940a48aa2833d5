import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Written } from '../azure-devops/AzureDevOps';
import { checkCertificateAssertion, claimsOf, isSelfIssued } from './assertion';
import { EntraError } from './EntraError';
import { Faults, type Fault } from './Faults';

/** A service principal, with what may vouch for it. */
export interface App {
  tenantId: string;
  clientId: string;
  secrets?: string[];
  /** Secrets that were good once. */
  expiredSecrets?: string[];
  /** Certificates in PEM. */
  certificates?: string[];
  /** Managed identities, by their client id or `system-assigned`, or another issuer's tokens. */
  federated?: Array<{ subject: string; token?: string }>;
  /** The organizations of Azure DevOps that its tokens read; all where they are missing. */
  organizations?: string[];
}

/** A request for a token, and what became of it. */
export interface TokenRequest {
  /** When it was there, in milliseconds since 1970. */
  at: number;
  host: string;
  tenant: string;
  clientId: string;
  grant: 'client_secret' | 'client_assertion';
  scope: string;
  /** The status of the answer; 0 while there is none. */
  status: number;
  /** The number after `AADSTS`. */
  errorCode?: number;
  params: URLSearchParams;
  headers: IncomingHttpHeaders;
}

/** A token that was issued. */
export interface Issued {
  token: string;
  /** The organizations that it reads; all where they are missing. */
  organizations?: string[];
  /** In milliseconds since 1970. */
  expiresAt: number;
}

/** The rest of a request, besides its URL and its body. */
export interface RequestHead {
  method?: string;
  headers?: IncomingHttpHeaders;
}

/** Where Entra ID is found in Azure's clouds. */
export const AUTHORITY_HOSTS = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
];

/** Azure DevOps, as Entra ID knows it. */
export const AZURE_DEVOPS = '499b84ac-1321-427f-aa17-267ca6975798';

/** For whom a token is that vouches for an app. */
export const TOKEN_EXCHANGE = 'api://AzureADTokenExchange';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const LIFETIME = 3599;
const VOUCHER_LIFETIME = 86_400;

/**
 * A stand-in for Entra ID where apps sign in: its token endpoint, for client credentials.
 *
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export class EntraId {
  /** Every request for a token since the last `reset`, oldest first. */
  readonly requests: TokenRequest[] = [];
  /** Every token for Azure DevOps, whether it is still good or not. */
  readonly issued: string[] = [];
  /** How long tokens live, in seconds. */
  tokenLifetime = LIFETIME;
  /** How long an answer takes. */
  delayMs = 0;

  readonly #apps = new Map<string, App>();
  readonly #faults = new Faults<TokenRequest>();
  readonly #vouchers = new Map<string, string>();
  #valid: Issued[] = [];

  /** Adds a service principal, in place of the one with the same client id. */
  addApp(app: App): void {
    this.#apps.set(app.clientId.toLowerCase(), app);
  }

  /** Does something else with the requests that match; the result takes it back. */
  misbehave(fault: Fault<TokenRequest>): () => void {
    return this.#faults.add(fault);
  }

  /** Makes Azure DevOps refuse every token that was issued until now. */
  revokeTokens(): void {
    this.#valid = [];
  }

  /** What Azure DevOps accepts now. */
  validTokens(): Issued[] {
    this.#valid = this.#valid.filter(({ expiresAt }) => Date.now() < expiresAt);
    return this.#valid;
  }

  /** Behaves again, and forgets requests and apps; tokens stay. */
  reset(): void {
    this.#faults.clear();
    this.#apps.clear();
    this.requests.length = 0;
    this.tokenLifetime = LIFETIME;
    this.delayMs = 0;
  }

  /** Issues a token to a managed identity: for Azure DevOps, or to vouch for an app. */
  issueTo(subject: string, resource: string, organizations?: string[]): Issued {
    if (resource !== TOKEN_EXCHANGE) return this.#issue(subject, organizations);
    const expiresAt = Date.now() + VOUCHER_LIFETIME * 1000;
    const token = newToken(subject, TOKEN_EXCHANGE, expiresAt);
    this.#vouchers.set(token, subject);
    return { token, expiresAt };
  }

  /** Answers a request to one of the authority hosts; `undefined` ends the connection. */
  async answer(
    host: string,
    url: string,
    body: string,
    { method = 'POST', headers = {} }: RequestHead = {},
  ): Promise<Written | undefined> {
    const { pathname } = new URL(url, `https://${host}`);
    const [, tenant, rest = ''] = pathname.match(/^\/([^/]+)\/(.*)$/) ?? [];
    if (rest === 'v2.0/.well-known/openid-configuration') {
      return this.#discovery(host, tenant);
    }
    if (rest !== 'oauth2/v2.0/token') return written(404, '');
    const request = recorded({ host, tenant, headers }, body);
    this.requests.push(request);
    if (this.delayMs) await wait(this.delayMs);
    const answer = this.#faultOr(request, () => this.#token(request, method));
    request.status = answer?.status ?? 0;
    return answer;
  }

  /** Where things are, which Microsoft's client asks first. */
  #discovery(host: string, tenant: string): Written {
    const base = `https://${host}/${tenant}`;
    if (this.#appsOf(tenant).length === 0) {
      const error = new EntraError(90002, { tenant });
      return json(error.status, { ...error.body(), error: 'invalid_tenant' });
    }
    return json(200, {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
      issuer: `${base}/v2.0`,
    });
  }

  #faultOr(request: TokenRequest, proper: () => Written): Written | undefined {
    const fault = this.#faults.take(request);
    if (!fault) return proper();
    const { status = 500, body = '', headers } = fault;
    return fault.resetConnection ? undefined : written(status, body, headers);
  }

  #token(request: TokenRequest, method: string): Written {
    try {
      if (method !== 'POST') throw new EntraError(900561, { method });
      const app = this.#authenticate(request);
      checkScope(request);
      const { token } = this.#issue(app.clientId, app.organizations);
      return json(200, {
        token_type: 'Bearer',
        expires_in: this.tokenLifetime,
        ext_expires_in: this.tokenLifetime,
        access_token: token,
      });
    } catch (error) {
      if (!(error instanceof EntraError)) throw error;
      request.errorCode = error.code;
      const correlation = request.headers['client-request-id'];
      return json(error.status, error.body(correlation?.toString()));
    }
  }

  /** The app that the request proves to come from. */
  #authenticate(request: TokenRequest): App {
    const { params } = request;
    for (const name of ['grant_type', 'client_id', 'scope']) {
      if (!params.get(name)) throw new EntraError(900144, { name });
    }
    const grant = params.get('grant_type')!;
    if (grant !== 'client_credentials') throw new EntraError(70003, { grant });
    const app = this.#find(request);
    if (params.has('client_secret')) {
      checkSecret(app, params.get('client_secret')!);
    } else {
      this.#checkAssertion(app, request);
    }
    return app;
  }

  #find({ tenant, clientId }: TokenRequest): App {
    const inTenant = this.#appsOf(tenant);
    if (inTenant.length === 0) throw new EntraError(90002, { tenant });
    const app = this.#apps.get(clientId.toLowerCase());
    if (app && inTenant.includes(app)) return app;
    throw new EntraError(700016, { clientId, tenant });
  }

  #appsOf(tenant: string): App[] {
    return [...this.#apps.values()].filter(
      ({ tenantId }) => tenantId.toLowerCase() === tenant.toLowerCase(),
    );
  }

  #checkAssertion(app: App, { host, tenant, params }: TokenRequest): void {
    const assertion = params.get('client_assertion');
    if (!assertion) throw new EntraError(7000218);
    if (params.get('client_assertion_type') !== ASSERTION_TYPE) {
      throw new EntraError(900144, { name: 'client_assertion_type' });
    }
    if (isSelfIssued(assertion)) {
      const { clientId, certificates = [] } = app;
      const authority = `https://${host}/${tenant}`;
      checkCertificateAssertion(assertion, certificates, {
        clientId,
        authority,
      });
    } else {
      this.#checkFederated(app, assertion);
    }
  }

  #checkFederated({ clientId, federated }: App, assertion: string): void {
    const subject = this.#vouchers.get(assertion);
    const isTrusted = federated?.some(own =>
      own.token === undefined
        ? own.subject === subject
        : own.token === assertion,
    );
    if (isTrusted) return;
    if (!federated?.length) throw new EntraError(70025, { clientId });
    const { iss, sub, aud } = claimsOf(assertion) ?? {};
    const details = {
      issuer: String(iss ?? ''),
      subject: subject ?? String(sub ?? ''),
      audience: String(aud ?? ''),
    };
    throw new EntraError(details.subject ? 700213 : 70021, details);
  }

  #issue(subject: string, organizations?: string[]): Issued {
    const expiresAt = Date.now() + this.tokenLifetime * 1000;
    const token = newToken(subject, AZURE_DEVOPS, expiresAt);
    const issued = { token, organizations, expiresAt };
    this.issued.push(token);
    this.#valid.push(issued);
    return issued;
  }
}

function recorded(
  head: Pick<TokenRequest, 'host' | 'tenant' | 'headers'>,
  body: string,
): TokenRequest {
  const params = new URLSearchParams(body);
  return {
    at: Date.now(),
    ...head,
    clientId: params.get('client_id') ?? '',
    grant: params.has('client_secret') ? 'client_secret' : 'client_assertion',
    scope: params.get('scope') ?? '',
    status: 0,
    params,
  };
}

function checkSecret(app: App, secret: string): void {
  if (app.secrets?.includes(secret)) return;
  const { clientId, expiredSecrets } = app;
  const wasGood = expiredSecrets?.includes(secret);
  throw new EntraError(wasGood ? 7000222 : 7000215, { clientId });
}

/** Clients may ask for more than the resource, as for `offline_access`. */
function checkScope({ scope, tenant }: TokenRequest): void {
  if (scope.split(' ').includes(`${AZURE_DEVOPS}/.default`)) return;
  const resource = scope.replace(/\/\.default$/, '');
  throw new EntraError(500011, { resource, tenant });
}

function newToken(appid: string, aud: string, expiresAt: number): string {
  const part = (value: object) =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(expiresAt / 1000);
  const claims = { aud, appid, sub: appid, exp, uti: randomUUID() };
  const signature = Buffer.from(randomUUID()).toString('base64url');
  return `${part({ typ: 'JWT', alg: 'RS256' })}.${part(claims)}.${signature}`;
}

function json(status: number, value: object): Written {
  return written(status, JSON.stringify(value));
}

function written(
  status: number,
  body: string,
  headers?: Record<string, string>,
): Written {
  const all = {
    'cache-control': 'no-store, no-cache',
    'content-type': 'application/json; charset=utf-8',
    ...headers,
  };
  return { status, headers: all, body: Buffer.from(body) };
}

function wait(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}
