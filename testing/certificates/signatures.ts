/** The ways in which certificates are signed here. */
import { constants, type KeyObject } from 'node:crypto';

/** A way to sign: how X.509 names it, and how Node does it. */
export interface Signature {
  algorithm: { algorithm: string; parameters?: ArrayBuffer | null };
  hash: string | null;
  options?: { padding: number; saltLength?: number };
}

export type SignatureName =
  | 'ECDSA SHA-256'
  | 'ECDSA SHA-384'
  | 'ECDSA SHA-512'
  | 'RSA SHA-1'
  | 'RSA SHA-256'
  | 'RSASSA-PSS'
  | 'RSASSA-PSS, long salt'
  | 'Ed25519'
  | 'Ed448';

/** <https://www.rfc-editor.org/rfc/rfc4055#section-3.1>, with SHA-256; the length of the salt ends it. */
const PSS_PARAMETERS =
  'a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500';

/** By the numbers of RFC 5758, 4055 and 8410. */
export const SIGNATURES: Record<SignatureName, Signature> = {
  'ECDSA SHA-256': ecdsa('1.2.840.10045.4.3.2', 'sha256'),
  'ECDSA SHA-384': ecdsa('1.2.840.10045.4.3.3', 'sha384'),
  'ECDSA SHA-512': ecdsa('1.2.840.10045.4.3.4', 'sha512'),
  'RSA SHA-1': rsa('1.2.840.113549.1.1.5', 'sha1'),
  'RSA SHA-256': rsa('1.2.840.113549.1.1.11', 'sha256'),
  'RSASSA-PSS': pss(32, 'a203020120'),
  'RSASSA-PSS, long salt': pss(222, 'a204020200de'),
  Ed25519: { algorithm: { algorithm: '1.3.101.112' }, hash: null },
  Ed448: { algorithm: { algorithm: '1.3.101.113' }, hash: null },
};

/** How a key signs where nothing else is said. */
export function signatureFor(key: KeyObject): SignatureName {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return 'Ed25519';
    case 'ed448':
      return 'Ed448';
    case 'rsa-pss':
      return 'RSASSA-PSS';
    case 'rsa':
      return 'RSA SHA-256';
    default:
      return ofCurve(key.asymmetricKeyDetails?.namedCurve);
  }
}

function ofCurve(curve: string | undefined): SignatureName {
  if (curve === 'secp521r1') return 'ECDSA SHA-512';
  return curve === 'secp384r1' ? 'ECDSA SHA-384' : 'ECDSA SHA-256';
}

function ecdsa(algorithm: string, hash: string): Signature {
  return { algorithm: { algorithm }, hash };
}

function rsa(algorithm: string, hash: string): Signature {
  return {
    algorithm: { algorithm, parameters: null },
    hash,
    options: { padding: constants.RSA_PKCS1_PADDING },
  };
}

function pss(saltLength: number, salt: string): Signature {
  const parameters = Buffer.from(PSS_PARAMETERS + salt, 'hex');
  const sequence = Uint8Array.from([0x30, parameters.length, ...parameters]);
  return {
    algorithm: {
      algorithm: '1.2.840.113549.1.1.10',
      parameters: sequence.buffer,
    },
    hash: 'sha256',
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
  };
}
