import {
  constants,
  createHash,
  createPublicKey,
  randomUUID,
  verify,
  X509Certificate,
} from 'node:crypto';
import type { Written } from '../azure-devops/send';
import { EntraError } from './EntraError';

/** An app of a tenant, with what may vouch for it. */
export interface App {
  tenantId: string;
  clientId: string;
  secrets?: string[];
  /** Secrets that were good once. */
  expiredSecrets?: string[];
  /** Certificates in PEM. */
  certificates?: string[];
  /** Managed identities (by their client id, or `system-assigned`), or other issuers' tokens. */
  federated?: Array<{ subject: string; token?: string }>;
  /** The organizations of Azure DevOps that it is a member of; all where they are missing. */
  organizations?: string[];
}

/** One request for a token. */
export interface TokenRequest {
  host: string;
  tenant: string;
  grant: 'client_secret' | 'client_assertion';
  scope: string;
  /** What vouches for the app, where that is not its secret. */
  assertion?: string;
  status: number;
  errorCode?: number;
}

/** What to answer instead. */
export interface Fault {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Ends the connection without an answer. */
  resetConnection?: boolean;
  /** For how many requests; for all where it is missing. */
  times?: number;
}

/** A token that was issued. */
export interface Issued {
  token: string;
  organizations?: string[];
  expiresAt: number;
}

export const AUTHORITY_HOSTS = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
];

/** Azure DevOps as Entra ID knows it. */
export const AZURE_DEVOPS = '499b84ac-1321-427f-aa17-267ca6975798';
const TOKEN_EXCHANGE = 'api://AzureADTokenExchange';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * A stand-in for the token endpoint of Entra ID, for apps.
 *
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export class EntraId {
  readonly requests: TokenRequest[] = [];
  /** Every token that Azure DevOps accepts, or has accepted. */
  readonly issued: string[] = [];
  /** How long tokens live, in seconds. */
  tokenLifetime = 3599;
  delayMs = 0;

  #apps: App[] = [];
  #faults: Fault[] = [];
  #valid: Issued[] = [];
  readonly #vouchers = new Map<string, string>();

  /** Adds an app, or changes the one with the same id. */
  addApp(app: App): void {
    this.#apps = this.#apps.filter(({ clientId }) => clientId !== app.clientId);
    this.#apps.push(app);
  }

  misbehave(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** Makes Azure DevOps refuse every token that was issued until now. */
  revokeTokens(): void {
    this.#valid = [];
  }

  /** Makes Entra ID refuse every managed identity's token that was issued until now. */
  revokeVouchers(): void {
    this.#vouchers.clear();
  }

  /** What Azure DevOps accepts now. */
  validTokens(): Issued[] {
    return this.#valid.filter(({ expiresAt }) => Date.now() < expiresAt);
  }

  reset(): void {
    this.requests.length = 0;
    this.#faults = [];
    this.tokenLifetime = 3599;
    this.delayMs = 0;
  }

  /** Issues a token to a managed identity, for Azure DevOps or to vouch for an app. */
  issueTo(subject: string, resource: string, organizations?: string[]): Issued {
    if (resource !== TOKEN_EXCHANGE) return this.#issue(organizations);
    const token = newToken();
    this.#vouchers.set(token, subject);
    return { token, expiresAt: Date.now() + 86_400_000 };
  }

  /** Answers a request to one of the authority hosts; `undefined` ends the connection. */
  async answer(
    host: string,
    url: string,
    body: string,
  ): Promise<Written | undefined> {
    const discovered = discovery(host, url);
    if (discovered) return json(200, discovered);
    const params = new URLSearchParams(body);
    const tenant =
      url.match(/^\/([^/]+)\/oauth2\/v2\.0\/token(\?|$)/)?.[1] ?? '';
    const request: TokenRequest = {
      host,
      tenant,
      grant: params.has('client_secret') ? 'client_secret' : 'client_assertion',
      scope: params.get('scope') ?? '',
      assertion: params.get('client_assertion') ?? undefined,
      status: 0,
    };
    this.requests.push(request);
    if (this.delayMs) await new Promise(r => setTimeout(r, this.delayMs));
    const fault = this.#takeFault();
    if (fault?.resetConnection) return undefined;
    const answer = fault
      ? faulty(fault)
      : this.#tokenAnswer(host, tenant, params, request);
    request.status = answer.status;
    return answer;
  }

  #takeFault(): Fault | undefined {
    const fault = this.#faults.find(({ times = 1 }) => times > 0);
    if (fault?.times !== undefined) fault.times -= 1;
    return fault;
  }

  #tokenAnswer(
    host: string,
    tenant: string,
    params: URLSearchParams,
    request: TokenRequest,
  ): Written {
    try {
      const app = this.#authenticate(host, tenant, params);
      const { token } = this.#issue(app.organizations);
      const expires = this.tokenLifetime;
      return json(200, {
        token_type: 'Bearer',
        expires_in: expires,
        ext_expires_in: expires,
        access_token: token,
      });
    } catch (error) {
      if (!(error instanceof EntraError)) throw error;
      request.errorCode = error.code;
      return json(error.status, error.body);
    }
  }

  /** The app that the request proves to come from. */
  #authenticate(host: string, tenant: string, params: URLSearchParams): App {
    for (const name of ['grant_type', 'client_id', 'scope']) {
      if (!params.get(name)) throw new EntraError(900144, { name });
    }
    const inTenant = this.#apps.filter(app => app.tenantId === tenant);
    if (inTenant.length === 0) throw new EntraError(90002, { tenant });
    const clientId = params.get('client_id')!;
    const app = inTenant.find(own => own.clientId === clientId);
    if (!app) throw new EntraError(700016, { clientId, tenant });
    if (params.get('scope') !== `${AZURE_DEVOPS}/.default`) {
      throw new EntraError(500011, { scope: params.get('scope')!, tenant });
    }
    if (params.get('grant_type') !== 'client_credentials') {
      throw new EntraError(70003, {});
    }
    if (!params.has('client_secret') && !params.has('client_assertion')) {
      throw new EntraError(7000218, {});
    }
    const secret = params.get('client_secret');
    if (secret) checkSecret(app, secret);
    else this.#checkAssertion(app, params, `https://${host}/${tenant}`);
    return app;
  }

  #checkAssertion(app: App, params: URLSearchParams, issuer: string): void {
    if (params.get('client_assertion_type') !== ASSERTION_TYPE) {
      throw new EntraError(900144, { name: 'client_assertion_type' });
    }
    const assertion = params.get('client_assertion') ?? '';
    const subject = this.#vouchers.get(assertion);
    const vouches = app.federated?.some(
      own => own.token === assertion || (subject && own.subject === subject),
    );
    if (vouches) return;
    const { alg } = header(assertion) ?? {};
    if (app.certificates && ['PS256', 'RS256'].includes(alg)) {
      checkSignature(app, assertion, issuer);
      return;
    }
    const { clientId } = app;
    const { x5t, 'x5t#S256': x5tS256 } = header(assertion) ?? {};
    if (x5t ?? x5tS256) throw new EntraError(700027, { clientId });
    const hasAny = app.federated !== undefined;
    throw new EntraError(hasAny ? 700213 : 70025, {
      subject: subject ?? 'unknown',
      clientId,
    });
  }

  #issue(organizations?: string[]): Issued {
    const expiresAt = Date.now() + this.tokenLifetime * 1000;
    const issued = { token: newToken(), organizations, expiresAt };
    this.issued.push(issued.token);
    this.#valid.push(issued);
    return issued;
  }
}

/** Where things are, which Microsoft's client for JavaScript asks first. */
function discovery(host: string, url: string): object | undefined {
  const [, tenant] =
    url.match(/^\/([^/]+)\/v2\.0\/\.well-known\/openid-configuration/) ?? [];
  if (!tenant) return undefined;
  const base = `https://${host}/${tenant}`;
  return {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    issuer: `${base}/v2.0`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
  };
}

function checkSecret(app: App, secret: string): void {
  if (app.secrets?.includes(secret)) return;
  const { clientId } = app;
  const wasGood = app.expiredSecrets?.includes(secret);
  throw new EntraError(wasGood ? 7000222 : 7000215, { clientId });
}

/** https://learn.microsoft.com/entra/identity-platform/certificate-credentials */
function checkSignature(app: App, assertion: string, issuer: string): void {
  const [head, claims, signature] = assertion.split('.');
  const { alg, ...thumbprints } = header(assertion) ?? {};
  const certificate = app.certificates
    ?.map(pem => new X509Certificate(pem))
    .find(({ raw }) => isOf(raw, thumbprints));
  const isGenuine =
    certificate &&
    verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      {
        key: createPublicKey(
          certificate.publicKey.export({ format: 'pem', type: 'spki' }),
        ),
        ...(alg === 'PS256' && {
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
        }),
      },
      Buffer.from(signature, 'base64url'),
    );
  const { clientId } = app;
  if (!isGenuine) throw new EntraError(700027, { clientId });
  const { aud, iss, sub, jti, nbf, exp } = decoded(claims) ?? {};
  const now = Date.now() / 1000;
  const isTimely = Number(nbf) <= now + 300 && Number(exp) > now;
  const isFor = [`${issuer}/oauth2/v2.0/token`, `${issuer}/v2.0`];
  if (!isTimely) throw new EntraError(700024, { clientId });
  if (iss !== clientId || sub !== clientId || !jti || !isFor.includes(aud)) {
    throw new EntraError(700027, { clientId });
  }
}

function isOf(raw: Buffer, thumbprints: Record<string, string>): boolean {
  const hash = (name: string) =>
    createHash(name).update(raw).digest('base64url');
  return (
    thumbprints['x5t#S256'] === hash('sha256') ||
    thumbprints.x5t === hash('sha1')
  );
}

function header(assertion: string): Record<string, string> | undefined {
  return decoded(assertion.split('.')[0]);
}

function decoded(part: string): Record<string, string> | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function newToken(): string {
  const part = (value: object) =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const id = randomUUID();
  return `${part({ typ: 'JWT', alg: 'RS256' })}.${part({ uti: id })}.${part({ id })}`;
}

function json(status: number, body: object): Written {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: Buffer.from(JSON.stringify(body)),
  };
}

function faulty({ status = 500, headers, body = '' }: Fault): Written {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(body),
  };
}
