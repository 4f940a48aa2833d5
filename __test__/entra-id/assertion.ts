import {
  constants,
  createHash,
  verify,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { EntraError } from './EntraError';

/** For whom an assertion has to be: a client, at an authority such as `https://host/tenant`. */
export interface Recipient {
  clientId: string;
  authority: string;
}

/** What an assertion says; everything may be missing. */
export type Claims = Record<string, unknown>;

type Header = Record<string, unknown>;

const CLOCK_SKEW = 300;

/** The claims of a token, if it is one. */
export function claimsOf(token: string): Claims | undefined {
  return decoded(token.split('.')[1]);
}

/** Whether it is signed with a certificate of the app's own, and not by another issuer. */
export function isSelfIssued(assertion: string): boolean {
  const header = decoded(assertion.split('.')[0]);
  const issuer = claimsOf(assertion)?.iss;
  return (
    (header?.x5t !== undefined || header?.['x5t#S256'] !== undefined) &&
    !String(issuer).startsWith('https:')
  );
}

/**
 * Holds an assertion to one of the certificates, given as PEM, and to what it has to claim.
 *
 * https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
export function checkCertificateAssertion(
  assertion: string,
  certificates: string[],
  recipient: Recipient,
): void {
  const { clientId } = recipient;
  const [head, body, signature = ''] = assertion.split('.');
  const header = decoded(head) ?? {};
  const certificate = certificates
    .map(pem => new X509Certificate(pem))
    .find(({ raw }) => isNamedIn(header, raw));
  if (!certificate) {
    throw new EntraError(700027, {
      clientId,
      reason: 'The key was not found.',
    });
  }
  const { publicKey } = certificate;
  if (!isSignedBy(publicKey, header.alg, `${head}.${body}`, signature)) {
    const reason =
      'The provided signature value did not match the expected signature value.';
    throw new EntraError(700027, { clientId, reason });
  }
  checkClaims(decoded(body) ?? {}, recipient);
}

function isNamedIn(header: Header, certificate: Buffer): boolean {
  const hash = (name: string) =>
    createHash(name).update(certificate).digest('base64url');
  return header['x5t#S256'] === undefined
    ? header.x5t === hash('sha1')
    : header['x5t#S256'] === hash('sha256');
}

function isSignedBy(
  key: KeyObject,
  algorithm: unknown,
  signed: string,
  signature: string,
): boolean {
  if (algorithm !== 'RS256' && algorithm !== 'PS256') return false;
  const pss = {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  return verify(
    'sha256',
    Buffer.from(signed),
    { key, ...(algorithm === 'PS256' && pss) },
    Buffer.from(signature, 'base64url'),
  );
}

function checkClaims(claims: Claims, { clientId, authority }: Recipient): void {
  const { aud, iss, sub, jti } = claims;
  const audiences = [`${authority}/oauth2/v2.0/token`, `${authority}/v2.0`];
  if (!audiences.includes(String(aud))) throw new EntraError(700023);
  if (iss !== clientId || sub !== clientId) throw new EntraError(700021);
  if (typeof jti !== 'string' || !jti) {
    throw new EntraError(700027, { clientId, reason: 'It has no identifier.' });
  }
  checkTime(claims);
}

/** Holds a token to its time, where it has one. */
export function checkTime({ nbf, exp }: Claims): void {
  const now = Date.now() / 1000;
  if (Number(nbf) <= now + CLOCK_SKEW && now < Number(exp)) return;
  throw new EntraError(700024, { from: time(nbf), until: time(exp) });
}

function time(seconds: unknown): string {
  return new Date(Number(seconds ?? 0) * 1000 || 0).toISOString();
}

function decoded(part = ''): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}
