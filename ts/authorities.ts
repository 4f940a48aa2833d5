import tls from 'node:tls';

/** Whether Node can report what it trusts: from 22.15 and 23.10 on. */
interface Telling {
  getCACertificates?(type: 'default'): string[];
}

/**
 * What this Node trusts by itself, as PEM: its own list or what `tls.setDefaultCACertificates` replaced it
 * with, the system's store with `--use-system-ca`, none with `--use-openssl-ca`.
 */
export function nodeAuthorities(): string {
  const { getCACertificates } = tls as Telling;
  if (getCACertificates) return getCACertificates('default').join('\n');
  return usesOpenSslAuthorities() ? '' : tls.rootCertificates.join('\n');
}

/** Whether Node was started to trust what OpenSSL trusts, by its command line or `NODE_OPTIONS`. */
export function usesOpenSslAuthorities(): boolean {
  const options = process.env.NODE_OPTIONS?.split(/\s+/) ?? [];
  return [...process.execArgv, ...options].some(
    option => option.replaceAll('_', '-') === '--use-openssl-ca',
  );
}
