/** The rows: a server's certificate or settings, what Node makes of them, and what is made of them here. */
import type { TlsOptions } from 'node:tls';
import { certificate, type Certificate, type Wanted } from './Certificate';

/** A server that Node and this package judge alike, unless the row says how they differ. */
export interface Row {
  /** What is seen of it, as a reader of the table knows it. */
  name: string;
  /** The server's own certificate, then what it sends with it. */
  chain: Certificate[];
  /** Who has to be trusted for it. */
  trusted?: Certificate[];
  /** As whom it is asked. */
  host?: string;
  settings?: TlsOptions;
  /** Whether Node accepts it; with two values Node 20, and Node 24 and later. */
  node: boolean | [boolean, boolean];
  /** What the message says where it is refused here; nothing where it is accepted. */
  refused?: RegExp;
}

export const HOST = 'tfs.corp.example';

const dns = [HOST];
/** Each of its own name: of several with one name Node finds the first alone. */
const self = (wanted: Partial<Wanted> = {}): Certificate => {
  const name = `tfs-${(count += 1)}.corp.example`;
  const names = wanted.dns?.map(host => (host === HOST ? name : host));
  return certificate({ name, ca: true, ...wanted, dns: names });
};
let count = 0;
const authority = (name: string, wanted: Partial<Wanted> = {}): Certificate =>
  certificate({ name, ca: true, usage: ['keyCertSign', 'cRLSign'], ...wanted });

const root = authority('Root');
const rsaRoot = authority('RSA root', { key: 'RSA 2048' });
const leaf = (wanted: Partial<Wanted> = {}): Certificate =>
  certificate({ name: 'server', by: root, ...wanted });

/** A self-signed certificate that is trusted. */
function selfSigned(
  name: string,
  wanted: Partial<Wanted>,
  node: Row['node'],
  refused?: RegExp,
): Row {
  const own = self(wanted);
  const row = { name: `self-signed, trusted: ${name}`, node, refused };
  return { ...row, chain: [own], trusted: [own], host: own.name };
}

/** A certificate of the authority that all trust. */
function issued(
  name: string,
  wanted: Partial<Wanted>,
  node: Row['node'],
  refused?: RegExp,
): Row {
  return { name, chain: [leaf(wanted)], trusted: [root], node, refused };
}

function byAuthority(
  name: string,
  by: Certificate,
  wanted: Partial<Wanted>,
  node: Row['node'],
  refused?: RegExp,
): Row {
  const own = leaf({ dns, ...wanted, by });
  return { name, chain: [own], trusted: [by], node, refused };
}

/** A chain with an authority between. */
function between(
  name: string,
  middle: Partial<Wanted>,
  own: Partial<Wanted>,
  node: Row['node'],
  refused?: RegExp,
): Row {
  const by = authority(`Between: ${name}`, { by: root, ...middle });
  const chain = [leaf({ dns, ...own, by }), by];
  return { name, chain, trusted: [root], node, refused };
}

function spoken(
  name: string,
  settings: TlsOptions,
  node: Row['node'],
  refused?: RegExp,
): Row {
  const by = rsaRoot;
  const chain = [leaf({ dns, by, key: 'RSA 2048' })];
  return { name, chain, trusted: [by], settings, node, refused };
}

const SELF_SIGNED = /it is self-signed, and not itself among those .* trusted/;
const NAME = /it is not for .*, but for /;
const PURPOSE = /it is not for servers, by its extended key usage/;
const CONSTRAINED = /may not vouch for this name, by its name constraints/;
const ALERT = /TLS was not agreed on \(the server said \w+\)/;

const trustedSelf = self();
const stranger = authority('Stranger');
const outside = authority('Outside');
const aloneOf = (wanted: Partial<Wanted>): Certificate =>
  leaf({ dns, by: outside, ...wanted });
const alone = aloneOf({});
const selfIssued = leaf({
  dns,
  by: authority('Also outside'),
  name: 'Also outside',
});

export const ROWS: Row[] = [
  // What an authority has issued.
  issued('an alternative name (SAN)', { dns }, true),
  ...(
    ['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA 2048', 'RSA 4096'] as const
  ).map(key =>
    byAuthority(
      `authority and server with keys of ${key}`,
      authority(`CA ${key}`, { key }),
      { key },
      true,
    ),
  ),
  byAuthority(
    'P-521 of an authority alone',
    authority('CA of P-521', { key: 'P-521' }),
    {},
    true,
  ),
  issued('P-521 of a server alone', { dns, key: 'P-521' }, true),
  between('an authority between, which the server sends', {}, {}, true),
  {
    ...issued(
      'an IP address among the alternative names',
      { ip: ['127.0.0.1'] },
      true,
    ),
    host: '127.0.0.1',
  },
  issued(
    'a wildcard among the alternative names',
    { dns: ['*.corp.example'] },
    true,
  ),

  // The common name.
  issued('a common name, no alternative name', { name: HOST }, true),
  issued('a common name with a wildcard', { name: '*.corp.example' }, true),
  issued(
    'a common name with a wildcard in a part',
    { name: 't*.corp.example' },
    true,
  ),
  issued(
    'a common name, beside an IP address',
    { name: HOST, ip: ['10.0.0.1'] },
    true,
  ),
  issued(
    'a common name, beside an e-mail address',
    { name: HOST, email: ['a@b.example'] },
    true,
  ),
  between(
    'a common name, by an authority between',
    {},
    { name: HOST, dns: [] },
    true,
  ),
  between(
    'a common name within name constraints',
    { permitted: ['corp.example'] },
    { name: HOST, dns: [] },
    true,
  ),
  between(
    'a common name outside of name constraints',
    { permitted: ['other.example'] },
    { name: HOST, dns: [] },
    false,
    CONSTRAINED,
  ),
  between(
    'a common name that name constraints exclude',
    { excluded: ['corp.example'] },
    { name: HOST, dns: [] },
    false,
    CONSTRAINED,
  ),
  byAuthority(
    'a common name outside of the name constraints of a root',
    authority('Bound root', { permitted: ['other.example'] }),
    { name: HOST, dns: [] },
    false,
    CONSTRAINED,
  ),
  issued(
    'the right common name, another alternative name',
    { name: HOST, dns: ['other.example'] },
    false,
    NAME,
  ),
  issued('another common name', { name: 'other.example' }, false, NAME),
  issued(
    'a common name with a wildcard that is not leftmost',
    { name: 'tfs.*.example' },
    false,
    NAME,
  ),
  issued(
    'a common name of a wildcard before one label',
    { name: '*.example' },
    false,
    NAME,
  ),
  {
    ...issued(
      'an IP address as common name',
      { name: '127.0.0.1' },
      false,
      NAME,
    ),
    host: '127.0.0.1',
  },

  // Self-signed certificates.
  selfSigned('as `openssl req -x509` makes it', { dns }, true),
  selfSigned('a common name, no alternative name', {}, true),
  selfSigned('P-521', { key: 'P-521' }, true),
  selfSigned('RSA', { key: 'RSA 2048' }, true),
  selfSigned(
    'RSA, signed with SHA-1',
    { key: 'RSA 2048', signature: 'RSA SHA-1' },
    true,
  ),
  selfSigned('no basic constraints', { ca: undefined }, true),
  selfSigned('no authority (CA:FALSE)', { ca: false }, true),
  selfSigned(
    'a key usage of servers',
    { usage: ['digitalSignature', 'keyEncipherment'] },
    true,
  ),
  selfSigned(
    'an extended key usage of servers',
    { purposes: ['server', 'client'] },
    true,
  ),
  {
    name: 'self-signed, not trusted',
    chain: [self({ dns })],
    node: false,
    refused: SELF_SIGNED,
  },
  {
    name: 'self-signed, with name and key of one that is trusted',
    chain: [self({ name: trustedSelf.name, key: trustedSelf.key, until: 20 })],
    host: trustedSelf.name,
    trusted: [trustedSelf],
    node: false,
    refused: SELF_SIGNED,
  },
  {
    name: 'self-signed and no authority, with name and key of one that is trusted',
    chain: [self({ name: trustedSelf.name, key: trustedSelf.key, ca: false })],
    host: trustedSelf.name,
    trusted: [trustedSelf],
    node: false,
    refused: SELF_SIGNED,
  },
  {
    name: 'self-signed, with the name of one that is trusted',
    chain: [self({ name: trustedSelf.name })],
    host: trustedSelf.name,
    trusted: [trustedSelf],
    node: false,
    refused: SELF_SIGNED,
  },
  selfSigned(
    'expired',
    { until: -0.1, from: -9 },
    false,
    /it has expired, on /,
  ),
  selfSigned(
    'not yet valid',
    { from: 1 },
    false,
    /it is not yet valid, but from /,
  ),
  selfSigned('for clients only', { purposes: ['client'] }, false, PURPOSE),
  selfSigned(
    'for any purpose, which names no server',
    { purposes: ['any'] },
    false,
    PURPOSE,
  ),
  selfSigned(
    'a key usage of authorities only',
    { usage: ['keyCertSign', 'cRLSign'] },
    false,
    /its key usage \(Key Cert Sign, CRL Sign\) is not one for a server/,
  ),
  selfSigned(
    'a critical extension that is unknown',
    { unknown: true },
    false,
    /a critical extension that is not known/,
  ),
  selfSigned(
    'another alternative name',
    { dns: ['other.example'] },
    false,
    NAME,
  ),
  {
    ...selfSigned(
      'a common name, asked by an IP address',
      { name: '127.0.0.1' },
      false,
      NAME,
    ),
    host: '127.0.0.1',
  },

  // Chains that lead to nobody who is trusted.
  {
    name: 'an unknown authority',
    chain: [leaf({ dns, by: stranger })],
    node: false,
    refused: /it was issued by "CN=Stranger", who is not trusted/,
  },
  {
    name: 'an unknown authority, which the server sends',
    chain: [leaf({ dns, by: stranger }), stranger],
    node: false,
    refused: /it was issued by "CN=Stranger", who is not trusted/,
  },
  {
    name: 'an authority between that the server does not send',
    chain: [leaf({ dns, by: authority('Not sent', { by: root }) })],
    trusted: [root],
    node: false,
    refused:
      /it was issued by "CN=Not sent", who is not trusted.*have the server send its certificate/,
  },
  {
    name: 'trusted by itself, issued by another',
    chain: [alone],
    trusted: [alone],
    node: false,
    refused:
      /it was issued by "CN=Outside", who is not trusted \(it is itself among those that are trusted, which counts for a self-signed one alone\)/,
  },
  issued(
    'expired',
    { dns, from: -9, until: -0.1 },
    false,
    /it has expired, on /,
  ),
  issued(
    'not yet valid',
    { dns, from: 1 },
    false,
    /it is not yet valid, but from /,
  ),
  between(
    'an authority between that has expired',
    { from: -9, until: -0.1 },
    {},
    false,
    /that of its authority "CN=Between.*" has expired, on /,
  ),
  issued('for clients only', { dns, purposes: ['client'] }, false, PURPOSE),
  between(
    'an intermediate that is no authority',
    { ca: false },
    {},
    false,
    /"CN=Between.*", which is no authority/,
  ),
  between(
    'name constraints that do not permit the alternative name',
    { permitted: ['other.example'] },
    {},
    false,
    CONSTRAINED,
  ),
  issued(
    'a critical extension that is unknown',
    { dns, unknown: true },
    false,
    /a critical extension that is not known/,
  ),
  {
    ...issued(
      'another host among the alternative names',
      { dns: ['a.example', 'b.example'] },
      false,
      /it is not for tfs\.corp\.example, but for a\.example, b\.example/,
    ),
  },
  pathLength(),

  // What differs.
  issued(
    'a wildcard in a part of an alternative name',
    { dns: ['t*.corp.example'] },
    true,
    NAME,
  ),
  issued(
    'an authority’s own certificate (CA:TRUE) as a server’s',
    { dns, ca: true },
    true,
    /it is that of an authority \(CA:TRUE\)/,
  ),
  issued(
    'a key usage of authorities only',
    { dns, usage: ['keyCertSign'] },
    false,
  ),
  byAuthority(
    'a root that has expired',
    authority('Old root', { from: -9, until: -0.1 }),
    {},
    false,
  ),
  {
    name: 'an authority between that is trusted, and its root not',
    ...trustedBetween(),
    node: false,
  },
  {
    name: 'trusted by itself, issued by another of the same name',
    chain: [selfIssued],
    trusted: [selfIssued],
    node: true,
    refused: /a signature does not match|who is not trusted/,
  },
  byAuthority(
    'X.509 version 1',
    rsaRoot,
    { name: HOST, dns: [], version: 1, key: 'RSA 2048' },
    true,
    /it is of X\.509 version 1 or 2/,
  ),
  byAuthority(
    'RSA of 1,024 bits',
    rsaRoot,
    { key: 'RSA 1024' },
    [true, false],
    /it has an RSA key of 1024 bits/,
  ),
  byAuthority(
    'an authority with RSA of 1,024 bits',
    authority('Small CA', { key: 'RSA 1024' }),
    {},
    [true, false],
    /that of its authority "CN=Small CA" has an RSA key of 1024 bits/,
  ),
  selfSigned(
    'RSA of 1,024 bits',
    { key: 'RSA 1024' },
    [true, false],
    /it has an RSA key of 1024 bits/,
  ),
  byAuthority(
    'signed with SHA-1',
    rsaRoot,
    { signature: 'RSA SHA-1' },
    false,
    /it is signed in a way that is not supported \(SHA-1 with RSA\)/,
  ),
  byAuthority(
    'signed with RSASSA-PSS, a salt as long as the hash',
    rsaRoot,
    { signature: 'RSASSA-PSS' },
    true,
  ),
  byAuthority(
    'signed with RSASSA-PSS, a longer salt',
    rsaRoot,
    { signature: 'RSASSA-PSS, long salt' },
    true,
    /is signed in a way that is not supported \(RSASSA-PSS\)/,
  ),
  issued('a key of RSASSA-PSS', { dns, key: 'RSA-PSS' }, true, ALERT),
  issued('a key of Ed448', { dns, key: 'Ed448' }, true, ALERT),

  // How TLS is spoken.
  spoken('TLS 1.3', { minVersion: 'TLSv1.3' }, true),
  spoken('TLS 1.2, ECDHE and AES-GCM', { maxVersion: 'TLSv1.2' }, true),
  spoken(
    'TLS 1.2, ECDHE and ChaCha20',
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-CHACHA20-POLY1305' },
    true,
  ),
  spoken(
    'TLS 1.2, ECDHE and CBC only',
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-SHA384:@SECLEVEL=0' },
    true,
    ALERT,
  ),
  spoken(
    'TLS 1.2, RSA key exchange only',
    { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384:@SECLEVEL=0' },
    true,
    ALERT,
  ),
  spoken(
    'TLS 1.2, DHE only',
    {
      maxVersion: 'TLSv1.2',
      ciphers: 'DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0',
      dhparam: 'auto',
    },
    true,
    ALERT,
  ),
  spoken(
    'TLS 1.1 only',
    {
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    },
    false,
    /TLS was not agreed on \(the server said ProtocolVersion\)\. The server has only TLS 1\.1 or older/,
  ),
  spoken('key exchange on P-521 only', { ecdhCurve: 'P-521' }, true, ALERT),
  spoken(
    'a client certificate is asked for, and none is demanded',
    { requestCert: true, rejectUnauthorized: false },
    true,
  ),
  spoken(
    'a client certificate is demanded',
    { requestCert: true, rejectUnauthorized: true },
    false,
    /The server asks for a client certificate/,
  ),
];

function pathLength(): Row {
  const first = authority('Path 1', { by: root, pathLength: 0 });
  const second = authority('Path 2', { by: first });
  return {
    name: 'more authorities than the path length allows',
    chain: [leaf({ dns, by: second }), second, first],
    trusted: [root],
    node: false,
    refused: /more authorities in its chain than one of them allows/,
  };
}

function trustedBetween(): Pick<Row, 'chain' | 'trusted'> {
  const by = authority('Trusted between', { by: stranger });
  return { chain: [leaf({ dns, by })], trusted: [by] };
}
