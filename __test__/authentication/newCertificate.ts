import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';

const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

/** A certificate and its key, both as PEM. */
export interface Certificate {
  certificate: string;
  key: string;
}

/** Makes a certificate that vouches for itself, as an app has it, and its key. */
export async function newCertificate(): Promise<Certificate> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=backstage',
    keys,
    signingAlgorithm: RSA,
  });
  return pemOf(certificate, keys);
}

/** Makes a certificate for which another one vouches, and its key. */
export async function newIssuedCertificate(): Promise<
  Certificate & { issuer: string }
> {
  const [issuers, keys] = [await newKeys(), await newKeys()];
  const issuer = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=issuer',
    keys: issuers,
    signingAlgorithm: RSA,
  });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=backstage',
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: issuers.privateKey,
    signingAlgorithm: RSA,
  });
  const own = await pemOf(certificate, keys);
  return { ...own, issuer: `${issuer.toString('pem')}\n` };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  x509.cryptoProvider.set(webcrypto as never);
  return webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify']);
}

async function pemOf(
  certificate: x509.X509Certificate,
  { privateKey }: webcrypto.CryptoKeyPair,
): Promise<Certificate> {
  const key = await webcrypto.subtle.exportKey('pkcs8', privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`,
  };
}
