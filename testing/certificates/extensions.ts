/** What a certificate says besides its name and key. */
import {
  BasicConstraints,
  ExtendedKeyUsage,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  NameConstraints,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import { AsnConvert } from '@peculiar/asn1-schema';

const PURPOSES = {
  server: id_kp_serverAuth,
  client: id_kp_clientAuth,
  any: '2.5.29.37.0',
};

/** What it says, each only where it is named. */
export interface Contents {
  dns?: string[];
  ip?: string[];
  email?: string[];
  /** Whether it is an authority. */
  ca?: boolean;
  pathLength?: number;
  usage?: (keyof typeof KeyUsageFlags)[];
  purposes?: (keyof typeof PURPOSES)[];
  /** The hosts that it may vouch for. */
  permitted?: string[];
  excluded?: string[];
  /** Whether it has a critical extension that nobody knows. */
  unknown?: boolean;
}

export interface ExtensionContent {
  id: string;
  critical: boolean;
  value: Uint8Array;
}

/** Its extensions, in DER. */
export function extensionsOf(contents: Contents): ExtensionContent[] {
  const { ca, pathLength, usage, purposes, permitted, excluded } = contents;
  const all: (ExtensionContent | undefined)[] = [
    ca === undefined
      ? undefined
      : extension(
          id_ce_basicConstraints,
          true,
          new BasicConstraints({ cA: ca, pathLenConstraint: pathLength }),
        ),
    usage && extension(id_ce_keyUsage, true, new KeyUsage(flags(usage))),
    purposes &&
      extension(
        id_ce_extKeyUsage,
        false,
        new ExtendedKeyUsage(purposes.map(purpose => PURPOSES[purpose])),
      ),
    alternativeNames(contents),
    (permitted ?? excluded) &&
      extension(
        id_ce_nameConstraints,
        true,
        new NameConstraints({
          permittedSubtrees: subtrees(permitted),
          excludedSubtrees: subtrees(excluded),
        }),
      ),
    contents.unknown
      ? { id: '1.2.3.4.5', critical: true, value: Buffer.from('0c0178', 'hex') }
      : undefined,
  ];
  return all.filter(one => one !== undefined);
}

function alternativeNames(contents: Contents): ExtensionContent | undefined {
  const { dns = [], ip = [], email = [] } = contents;
  const names = [
    ...dns.map(dNSName => new GeneralName({ dNSName })),
    ...ip.map(iPAddress => new GeneralName({ iPAddress })),
    ...email.map(rfc822Name => new GeneralName({ rfc822Name })),
  ];
  if (names.length === 0) return undefined;
  return extension(
    id_ce_subjectAltName,
    false,
    new SubjectAlternativeName(names),
  );
}

function flags(names: (keyof typeof KeyUsageFlags)[]): number {
  return names.reduce((all, name) => all | KeyUsageFlags[name], 0);
}

function subtrees(hosts: string[] | undefined): GeneralSubtrees | undefined {
  return (
    hosts &&
    new GeneralSubtrees(
      hosts.map(
        dNSName => new GeneralSubtree({ base: new GeneralName({ dNSName }) }),
      ),
    )
  );
}

function extension(
  id: string,
  critical: boolean,
  value: unknown,
): ExtensionContent {
  return { id, critical, value: Buffer.from(AsnConvert.serialize(value)) };
}
