/** Certificates of every kind, made for one test: what an X.509 library would not make is among them. */
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate as Asn1Certificate,
  Extension,
  Extensions,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import { extensionsOf, type Contents } from './extensions';
import { SIGNATURES, signatureFor, type SignatureName } from './signatures';

const DAY = 24 * 60 * 60 * 1000;
const COMMON_NAME = '2.5.4.3';

/** A key, by the name of its kind. */
export type KeyName =
  | 'P-256'
  | 'P-384'
  | 'P-521'
  | 'RSA 1024'
  | 'RSA 2048'
  | 'RSA 4096'
  | 'RSA-PSS'
  | 'Ed25519'
  | 'Ed448';

/** What a certificate is to be. */
export interface Wanted extends Contents {
  /** The common name. */
  name: string;
  /** Who issues it; it does so itself where nobody is named. */
  by?: Certificate;
  /** Another name than the issuer's own. */
  issuerName?: string;
  key?: KeyName | KeyObject;
  signature?: SignatureName;
  version?: 1 | 3;
  /** In days from now. */
  from?: number;
  until?: number;
}

/** A certificate with its key. */
export interface Certificate {
  /** The common name. */
  name: string;
  key: KeyObject;
  /** The certificate, and the key, in PEM. */
  pem: string;
  keyPem: string;
}

/** Makes one. */
export function certificate(wanted: Wanted): Certificate {
  const { publicKey, privateKey } = keysOf(wanted.key ?? 'P-256');
  const issuerKey = wanted.by?.key ?? privateKey;
  const signature = SIGNATURES[wanted.signature ?? signatureFor(issuerKey)];
  const algorithm = new AlgorithmIdentifier(signature.algorithm);
  const isNew = wanted.version !== 1;
  const tbs = new TBSCertificate({
    version: isNew ? Version.v3 : Version.v1,
    serialNumber: positive(randomBytes(16)),
    signature: algorithm,
    issuer: nameOf(wanted.issuerName ?? wanted.by?.name ?? wanted.name),
    validity: new Validity({
      notBefore: inDays(wanted.from ?? -1),
      notAfter: inDays(wanted.until ?? 30),
    }),
    subject: nameOf(wanted.name),
    subjectPublicKeyInfo: AsnConvert.parse(
      publicKey.export({ type: 'spki', format: 'der' }),
      SubjectPublicKeyInfo,
    ),
    extensions: isNew ? new Extensions(extensions(wanted)) : undefined,
  });
  const signed = new Asn1Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: algorithm,
    signatureValue: bufferOf(
      sign(signature.hash, Buffer.from(AsnConvert.serialize(tbs)), {
        key: issuerKey,
        ...signature.options,
      }),
    ),
  });
  return {
    name: wanted.name,
    key: privateKey,
    pem: pemOf(Buffer.from(AsnConvert.serialize(signed))),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions(wanted: Wanted): Extension[] | undefined {
  const all = extensionsOf(wanted).map(
    ({ id, critical, value }) =>
      new Extension({
        extnID: id,
        critical,
        extnValue: new OctetString(bufferOf(value)),
      }),
  );
  return all.length > 0 ? all : undefined;
}

interface Keys {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

/** Keys that cost time to make, and serve several certificates. */
const made = new Map<KeyName, Keys>();

function keysOf(key: KeyName | KeyObject): Keys {
  if (typeof key !== 'string') {
    return { publicKey: publicOf(key), privateKey: key };
  }
  if (!key.startsWith('RSA')) return newKeys(key);
  const keys = made.get(key) ?? newKeys(key);
  made.set(key, keys);
  return keys;
}

function newKeys(name: KeyName): Keys {
  switch (name) {
    case 'Ed25519':
      return generateKeyPairSync('ed25519');
    case 'Ed448':
      return generateKeyPairSync('ed448');
    case 'RSA-PSS':
      return generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
    case 'P-256':
    case 'P-384':
    case 'P-521':
      return generateKeyPairSync('ec', { namedCurve: name });
    default:
      return generateKeyPairSync('rsa', {
        modulusLength: Number(name.slice('RSA '.length)),
      });
  }
}

function publicOf(key: KeyObject): KeyObject {
  return createPublicKey(key);
}

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName });
  const attribute = new AttributeTypeAndValue({ type: COMMON_NAME, value });
  return new Name([new RelativeDistinguishedName([attribute])]);
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * DAY);
}

/** Else it would be a negative number. */
function positive(bytes: Buffer): ArrayBuffer {
  bytes[0] = (bytes[0]! & 0x7f) | 1;
  return bufferOf(bytes);
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
