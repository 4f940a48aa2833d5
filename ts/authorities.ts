import tls from 'node:tls';

/** Where Node can tell whom it trusts: from 22.15 and 23.10 on. */
interface Telling {
  getCACertificates?(type: 'default'): string[];
}

/**
 * Whom this Node trusts by itself, as PEM: its own list or what `tls.setDefaultCACertificates` put in its
 * place, the system's store with `--use-system-ca`, nobody with `--use-openssl-ca`.
 */
export function nodeAuthorities(): string {
  const { getCACertificates } = tls as Telling;
  if (getCACertificates) return getCACertificates('default').join('\n');
  return usesOpenSslAuthorities() ? '' : tls.rootCertificates.join('\n');
}

/** Whether Node was told to trust whom OpenSSL trusts, on its command line or in `NODE_OPTIONS`. */
export function usesOpenSslAuthorities(): boolean {
  const options = process.env.NODE_OPTIONS?.split(/\s+/) ?? [];
  return [...process.execArgv, ...options].some(
    option => option.replaceAll('_', '-') === '--use-openssl-ca',
  );
}
