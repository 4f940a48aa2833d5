import type { Written } from './send';

/** A token that the stand-in knows. */
export interface Token {
  token: string;
  /** The organizations that it reads; all where they are missing. */
  organizations?: string[];
  /** Whose it is, as Azure DevOps displays it. */
  name?: string;
  account?: string;
  /** The resources that its scope admits, as `projects` or `git`; all where they are missing. */
  scopes?: string[];
}

/** The kind of credential in an `Authorization` header. */
export function credentialKind(
  authorization?: string,
): 'none' | 'pat' | 'bearer' {
  if (!authorization) return 'none';
  return /^bearer /i.test(authorization) ? 'bearer' : 'pat';
}

/** Whether the token in the header has a scope that admits this resource; who is signed in everyone may ask. */
export function isInScope(
  tokens: Token[],
  authorization: string | undefined,
  resource = '',
): boolean {
  const sent = tokenOf(authorization);
  const scopes = tokens.find(({ token }) => token === sent)?.scopes;
  const name = resource.toLowerCase();
  return !scopes || name === 'connectiondata' || scopes.includes(name);
}

/** Whether the header holds a token that reads the organization. */
export function isAdmitted(
  tokens: Token[],
  authorization: string | undefined,
  organization: string,
): boolean {
  const sent = tokenOf(authorization);
  return tokens.some(
    ({ token, organizations }) =>
      token === sent &&
      (organizations?.some(
        name => name.toLowerCase() === organization.toLowerCase(),
      ) ??
        true),
  );
}

/** The token in an `Authorization` header; empty where there is none. */
export function tokenOf(authorization = ''): string {
  const [, scheme, value = ''] = authorization.match(/^(\w+) +(.*)$/) ?? [];
  if (scheme?.toLowerCase() !== 'basic') return value;
  return Buffer.from(value, 'base64')
    .toString('latin1')
    .replace(/^[^:]*:/, '');
}

/** What Azure DevOps answers those it does not know: its sign-in page, or the way there. */
export function signInPage(
  how: 'page' | 'redirect' | 'refusal',
  host: string,
): Written {
  const html =
    '<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head><body></body></html>';
  const headers = { 'content-type': 'text/html; charset=utf-8' };
  switch (how) {
    case 'page':
      return { status: 203, headers, body: Buffer.from(html) };
    case 'redirect': {
      const location = `https://spsprodeus21.vssps.visualstudio.com/_signin?realm=${host}&reply_to=https%3A%2F%2F${host}%2F`;
      return {
        status: 302,
        headers: { ...headers, location },
        body: Buffer.alloc(0),
      };
    }
    default:
      return {
        status: 401,
        headers: { 'www-authenticate': 'Bearer, Basic realm="Azure DevOps"' },
        body: Buffer.alloc(0),
      };
  }
}
