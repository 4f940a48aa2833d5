import { ConfigReader } from '@backstage/config';
import * as upstream from '@backstage/integration';
import * as ours from 'backstage-azure-devops-native';
import {
  createPrivateKey,
  generateKeyPairSync,
  randomUUID,
  type KeyObject,
} from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import {
  newCertificate,
  newIssuedCertificate,
  type Certificate,
} from './authentication/newCertificate';
import { DEFAULT_TOKEN, standIn, type Hosted } from '../testing/azure-devops';
import { askMicrosoft } from '../testing/entra/askMicrosoft';
import { reader } from '../testing/reader';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { rejection } from '../testing/rejection';

type Content = string | Buffer;
type Issued = Certificate & { issuer: string };
type Place = 'clientCertificate' | 'clientCertificatePath';

const PLACES: Place[] = ['clientCertificate', 'clientCertificatePath'];

const azure = standIn();

let hosted: Hosted;
let url: string;
let own: Issued;
let other: Certificate;

beforeAll(async () => {
  hosted = await azure.addRepository({
    organization: 'certificates',
    project: 'p',
    repository: 'r',
    files: { 'a.txt': 'content' },
  });
  url = hosted.webUrl({ path: '/a.txt' });
  [own, other] = [await newIssuedCertificate(), await newCertificate()];
});

beforeEach(() => azure.reset());

describe.each(PLACES)('a certificate in %s', place => {
  it.each<[string, () => string]>([
    ['its key before it', () => own.key + own.certificate],
    ['its key after it', () => own.certificate + own.key],
    ['a key in PKCS#1', () => own.certificate + keyIn('pkcs1')],
    ['a key in PKCS#8', () => own.certificate + keyIn('pkcs8')],
    ['its issuer after it', () => own.key + own.certificate + own.issuer],
    ['its issuer before it', () => own.issuer + own.certificate + own.key],
    ['lines as on Windows', () => windows(own.key + own.certificate)],
    ['a byte order mark', () => `\ufeff${own.certificate}${own.key}`],
    [
      'what `openssl pkcs12` writes around it',
      () => `Bag Attributes\n    friendlyName: a\n${own.certificate}\n
Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n${own.key}`,
    ],
  ])('may have %s', async (_what, pem) => {
    const read = readerOf([credentialOf(place, pem())]);
    expect(await read(url)).toBe('content');
    expect(azure.entra.requests).toMatchObject([{ status: 200 }]);
  });

  it.each<[string, string, () => Content]>([
    ['is empty', 'is empty', () => ' \n'],
    ['has no key', 'holds no private key in PEM', () => own.certificate],
    ['has no certificate', 'holds no certificate in PEM', () => own.key],
    [
      'has a key of an elliptic curve',
      'has a key that is not of RSA but of an elliptic curve (EC)',
      () => own.certificate + ellipticKey('sec1'),
    ],
    [
      'has a key of an elliptic curve in PKCS#8',
      'has a key that is not of RSA but of an elliptic curve (EC)',
      () => own.certificate + ellipticKey('pkcs8'),
    ],
    [
      'has a key that is encrypted in PKCS#1',
      'has an encrypted key, which cannot be used',
      () => own.certificate + keyIn('pkcs1', ENCRYPTION),
    ],
    [
      'has a key that is encrypted in PKCS#8',
      'has an encrypted key, which cannot be used',
      () => own.certificate + keyIn('pkcs8', ENCRYPTION),
    ],
    [
      'has a key of a size that is not secure',
      'has an RSA key of a size that cannot be used',
      () => own.certificate + smallKey(),
    ],
    [
      'has a key that is cut',
      'has an RSA key that is damaged',
      () => own.certificate + cut(own.key),
    ],
    [
      'has the key of another certificate',
      'has a private key that is not that of its certificate',
      () => other.certificate + own.key,
    ],
    [
      'has lost its line breaks',
      'has lost its line breaks',
      () => (own.certificate + own.key).replaceAll('\n', ' '),
    ],
    ['is in DER', 'is not PEM: convert', () => derKey()],
  ])('that %s is told as such, before anything is sent', async (...row) => {
    const [, why, content] = row;
    const credential = credentialOf(place, content());
    const error = await rejection(readerOf([credential])(url));
    const where = credential.clientCertificatePath ?? 'in clientCertificate';
    expect(error).toMatchObject({
      name: 'AuthenticationError',
      message: expect.stringContaining(
        `a service principal with a certificate (integrations.azure[0].credentials[0]) has no token for dev.azure.com, organization certificates: the certificate ${where} ${why}`,
      ),
    });
    expect(azure.entra.requests).toEqual([]);
    expect(shown(error)).not.toMatch(secretsOf(content()));
  });

  it('is asserted as by the client that Backstage uses', async () => {
    const pem = own.key + own.certificate;
    const credential = credentialOf(place, pem);
    const { tenantId, clientId } = credential;
    await readerOf([credential])(url);
    await askMicrosoft('ClientCertificateCredential', [
      tenantId,
      clientId,
      { certificate: pem },
      { disableInstanceDiscovery: true },
    ]);
    const [here, theirs] = azure.entra.requests.map(decodedAssertion);
    expect(azure.entra.requests.map(({ status }) => status)).toEqual([
      200, 200,
    ]);
    expect(here.header).toEqual(theirs.header);
    expect(here.header).toMatchObject({ alg: 'PS256', typ: 'JWT' });
    expect(kindsOf(here.claims)).toEqual(kindsOf(theirs.claims));
    for (const claim of ['aud', 'iss', 'sub']) {
      expect(here.claims[claim]).toBe(theirs.claims[claim]);
    }
  });

  it('of upstream’s integrations signs in, and is shown nowhere', async () => {
    const pem = own.key + own.certificate;
    const credential = credentialOf(place, pem);
    const integrations = upstream.ScmIntegrations.fromConfig(
      configOf([credential]),
    );
    const provider =
      ours.DefaultAzureDevOpsCredentialsProvider.fromIntegrations(integrations);
    const found = await provider.getCredentials({ url });
    expect(found).toMatchObject({
      type: 'bearer',
      token: azure.entra.issued.at(-1),
    });
    const theirs = integrations.azure.byUrl(url)!;
    const reader = new ours.AzureUrlReader(theirs, {
      credentialsProvider: provider,
      treeResponseFactory: undefined as never,
    });
    expect(String(await reader.read(url))).toBe('content');
    const given = new ours.AzureIntegration(theirs.config);
    const seen = [provider, found, reader, given, given.config];
    expect(shown(seen)).not.toMatch(secretsOf(pem));
  });

  it('is not shown where what is read from a config is inspected', () => {
    const pem = own.key + own.certificate;
    const config = configOf([credentialOf(place, pem)]);
    const integrations = ours.AzureIntegration.factory({ config });
    const seen = [integrations, integrations.list().map(one => one.config)];
    expect(shown(seen)).not.toMatch(secretsOf(pem));
  });
});

it.each([
  ['in PEM', () => own.key + own.certificate],
  ['in base64', () => derKey().toString('base64')],
])(
  'a certificate %s where a path belongs is told as such, and not shown',
  async (_form, written) => {
    const pem = written();
    const app = newApp();
    const config = configOf([{ ...app, clientCertificatePath: pem }]);
    const integrations = ours.AzureIntegration.factory({ config });
    const error = await rejection(
      readerOf([{ ...app, clientCertificatePath: pem }])(url),
    );
    expect(error.message).toContain(
      'where the path of a certificate is expected, there is the certificate itself',
    );
    const configs = integrations.list().map(one => one.config);
    const seen = shown([error, integrations, configs]);
    expect(seen).not.toMatch(secretsOf(pem));
    expect(seen).not.toContain(pem.slice(0, 40));
  },
);

it.each(['/run/secrets/app.pem', './app.pem', 'app.pfx'])(
  'the path %s where a certificate belongs is told as such',
  async clientCertificate => {
    const error = await rejection(
      readerOf([{ ...newApp(), clientCertificate }])(url),
    );
    expect(error.message).toContain(
      'is the path of a file: set clientCertificatePath',
    );
  },
);

describe('a file', () => {
  it('that is not there, or none, harms only the reads that need it', async () => {
    const elsewhere = await azure.addRepository({
      organization: 'served-by-a-token',
      project: 'p',
      repository: 'r',
      files: { 'a.txt': 'content' },
    });
    const directory = newDirectory();
    const missing = path.join(directory, 'missing.pem');
    const read = readerOf([
      {
        organizations: ['certificates'],
        ...newApp(),
        clientCertificatePath: missing,
      },
      { personalAccessToken: DEFAULT_TOKEN },
    ]);
    expect(await read(elsewhere.webUrl({ path: '/a.txt' }))).toBe('content');
    expect(await rejection(read(url))).toMatchObject({
      name: 'AuthenticationError',
      message: expect.stringContaining(
        `the certificate ${missing} could not be read: No such file or directory`,
      ),
    });
    const folder = { ...newApp(), clientCertificatePath: directory };
    const { message } = await rejection(readerOf([folder])(url));
    expect(message).toContain(`the certificate ${directory} could not be read`);
  });

  it('that came later is read', async () => {
    const credential = credentialOf('clientCertificatePath', '');
    const file = credential.clientCertificatePath!;
    rmSync(file);
    const read = readerOf([credential]);
    const { message } = await rejection(read(url));
    expect(message).toContain(`the certificate ${file} could not be read`);
    writeFileSync(file, own.key + own.certificate);
    // Who failed is left alone for a moment.
    await wait(1_500);
    expect(await read(url)).toBe('content');
  });

  it('that has a new certificate in it gives the next token', async () => {
    const credential = credentialOf(
      'clientCertificatePath',
      own.key + own.certificate,
    );
    const { tenantId, clientId, clientCertificatePath } = credential;
    const read = readerOf([credential]);
    expect(await read(url)).toBe('content');
    writeFileSync(clientCertificatePath!, other.certificate + other.key);
    azure.entra.addApp({
      tenantId,
      clientId,
      certificates: [other.certificate],
    });
    expect(await read(url)).toBe('content');
    expect(azure.entra.requests.length).toBe(1);
    azure.entra.revokeTokens();
    expect(await read(url)).toBe('content');
    expect(azure.entra.requests).toMatchObject([
      { status: 200 },
      { status: 200 },
    ]);
    const [before, after] = azure.entra.requests.map(decodedAssertion);
    expect(after.header).not.toEqual(before.header);
  });

  it('that is gone harms nothing while a token is there', async () => {
    const credential = credentialOf(
      'clientCertificatePath',
      own.key + own.certificate,
    );
    const read = readerOf([credential]);
    expect(await read(url)).toBe('content');
    rmSync(credential.clientCertificatePath!);
    expect(await read(url)).toBe('content');
  });
});

it.each([
  [
    'has expired',
    'AADSTS700027: The certificate with identifier used to sign the client assertion is expired on application. [Reason - The key used is expired.]',
    /Check the certificate: it has expired, and the app needs a new one$/,
  ],
  [
    'is outside of its time',
    'AADSTS1000502: The provided certificate is not within its specified validity range.',
    /Check that the certificate is the app's, and that it has neither expired nor been revoked$/,
  ],
])('a certificate that %s is told with what to check', async (...row) => {
  const [, said, advice] = row;
  const description = `${said}\r\nTrace ID: 1`;
  const body = { error: 'invalid_client', error_description: description };
  azure.entra.misbehave({ status: 401, body: JSON.stringify(body) });
  const pem = own.key + own.certificate;
  const read = readerOf([credentialOf('clientCertificate', pem)]);
  const { message } = await rejection(read(url));
  expect(message).toContain(
    `refused, 401: ${said.split(' [')[0].slice(0, -1)}`,
  );
  expect(message).toMatch(advice);
});

describe('an integration that was not read from a config', () => {
  const credential = {
    kind: 'ClientCertificate',
    tenantId: 'a-tenant',
    clientId: 'an-app',
  } as const;

  function fromIntegrations(own: ours.AzureDevOpsCredential) {
    const config = { host: 'dev.azure.com', credentials: [own] };
    return ours.DefaultAzureDevOpsCredentialsProvider.fromIntegrations({
      azure: { list: () => [{ config }] },
    });
  }

  it('needs a certificate in one of the places', () => {
    expect(() => fromIntegrations(credential)).toThrow(
      "Credential of kind 'ClientCertificate' needs 'clientCertificate' or 'clientCertificatePath'",
    );
  });

  it.each(PLACES)('keeps what %s may be to itself, frozen or not', place => {
    const pem = own.key + own.certificate;
    const plain = { ...credential, [place]: pem };
    for (const one of [plain, Object.freeze({ ...plain })]) {
      const config = { host: 'dev.azure.com', credentials: [one] };
      const seen = [new ours.AzureIntegration(config)];
      const text = shown([seen, seen[0].config]);
      expect(text).toContain('[redacted]');
      expect(text).not.toMatch(secretsOf(pem));
      expect(seen[0].config).toStrictEqual(config);
    }
  });
});

it.each<[string, object]>([
  ['no tenant', { clientId: 'a', clientCertificatePath: '/a.pem' }],
  ['no app', { tenantId: 'a', clientCertificate: 'a' }],
  [
    'both places',
    {
      clientId: 'a',
      tenantId: 'a',
      clientCertificate: 'a',
      clientCertificatePath: '/a.pem',
    },
  ],
  [
    'a secret besides',
    { clientId: 'a', tenantId: 'a', clientCertificate: 'a', clientSecret: 'a' },
  ],
])(
  'a credential with %s is refused as upstream refuses it',
  (_what, fields) => {
    const config = configOf([{ personalAccessToken: 'a' }, fields]);
    const message = (from: Pick<typeof ours, 'AzureIntegration'>) => {
      try {
        from.AzureIntegration.factory({ config });
        return 'valid';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const theirs = message(upstream as never);
    expect(theirs).toContain('credential at position 2 is not a valid');
    expect(message(ours)).toBe(theirs);
  },
);

interface Credential {
  tenantId: string;
  clientId: string;
  clientCertificate?: string;
  clientCertificatePath?: string;
}

/** An app that knows the certificate, or one of no use, in that place. */
function credentialOf(place: Place, content: Content): Credential {
  const app = newApp();
  if (place === 'clientCertificate') {
    return { ...app, clientCertificate: `${content}` || ' ' };
  }
  const file = path.join(newDirectory(), 'app.pem');
  writeFileSync(file, content);
  return { ...app, clientCertificatePath: file };
}

function newApp(): Credential {
  const app = { tenantId: randomUUID(), clientId: randomUUID() };
  azure.entra.addApp({ ...app, certificates: [own.certificate] });
  return app;
}

function configOf(credentials: object[]): ConfigReader {
  const entry = { host: 'dev.azure.com', credentials };
  return new ConfigReader({ integrations: { azure: [entry] } } as never);
}

function readerOf(credentials: object[]): (from: string) => Promise<string> {
  const own = reader({ of: 'dev.azure.com', credentials });
  return async from => String(await own.read(from));
}

interface Decoded {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
}

function decodedAssertion({ assertion }: { assertion?: string }): Decoded {
  const parts = assertion?.split('.').slice(0, 2) ?? [];
  const [header, claims] = parts.map(part =>
    JSON.parse(Buffer.from(part, 'base64url').toString()),
  );
  return { header, claims };
}

/** What claims look like, whenever they were made; half seconds are rounded in more than one way. */
function kindsOf(claims: Record<string, unknown>): object {
  const { iat, nbf, exp, jti } = claims;
  return {
    names: Object.keys(claims).sort(),
    hasUuid: /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(String(jti)),
    isValidAtOnce: Math.abs(Number(iat) - Number(nbf)) <= 1,
    seconds: Number(exp) - Number(nbf),
  };
}

function shown(seen: unknown): string {
  return inspect(seen, { depth: 10, showHidden: true, getters: true });
}

/** The lines of a key, none of which may be seen. */
function secretsOf(content: Content): RegExp {
  const lines = String(content)
    .split(/\s+/)
    .filter(line => /^[\w+/=]{40,}$/.test(line));
  const escaped = lines.map(line => line.replace(/[+/]/g, '\\$&'));
  return new RegExp(escaped.join('|') || '-----BEGIN');
}

const ENCRYPTION = { cipher: 'aes-256-cbc', passphrase: 'password' };

function keyIn(type: 'pkcs1' | 'pkcs8', encryption?: object): string {
  const key: KeyObject = createPrivateKey(own.key);
  return String(key.export({ format: 'pem', type, ...encryption }));
}

function derKey(): Buffer {
  return createPrivateKey(own.key).export({ format: 'der', type: 'pkcs8' });
}

function ellipticKey(type: 'sec1' | 'pkcs8'): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return String(privateKey.export({ format: 'pem', type }));
}

function smallKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  return String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
}

/** A PEM without a line of its middle. */
function cut(pem: string): string {
  return pem
    .split('\n')
    .filter((_line, n) => n !== 9)
    .join('\n');
}

function windows(pem: string): string {
  return pem.replaceAll('\n', '\r\n');
}

function newDirectory(): string {
  return temporaryFolder('certificate');
}
