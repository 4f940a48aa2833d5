/**
 * Which certificates and TLS settings of a server are accepted: those that Node accepts, except where a
 * row says otherwise; and what is refused is told by its cause.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  certificate,
  type Certificate,
} from '../testing/certificates/Certificate';
import { HOST, ROWS, type Row } from '../testing/certificates/rows';
import { tableOf } from '../testing/certificates/table';
import {
  CONTENT,
  serve,
  serveHttp2,
  startProxy,
  stopServers,
} from './certificates/servers';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

interface Refused {
  refused: string;
  message: string;
}

interface Told {
  answers: Answers[];
  warnings: string[];
}

interface Answers {
  node: string | Refused;
  here: string | Refused;
}

const [MAJOR] = process.versions.node.split('.').map(Number);

let directory: string;
let caFile: string;
let proxy: string;

beforeAll(async () => {
  directory = temporaryFolder('certificates');
  caFile = path.join(directory, 'trusted.pem');
  const trusted = ROWS.flatMap(row => row.trusted ?? []);
  writeFileSync(caFile, [...new Set(trusted.map(({ pem }) => pem))].join(''));
  proxy = await startProxy();
});

afterAll(() => stopServers());

describe('a server with', () => {
  let answers: Map<Row, Answers>;

  beforeAll(async () => {
    const told = await ask(await Promise.all(ROWS.map(originOf)));
    answers = new Map(ROWS.map((row, place) => [row, told.answers[place]!]));
  });

  it.each(ROWS.map(row => [row.name, row] as const))('%s', (_name, row) => {
    const { node, here } = answers.get(row)!;
    expect(node).toEqual(nodeAccepts(row) ? CONTENT : refusal());
    expect(here).toEqual(row.refused ? refusal() : CONTENT);
    if (row.refused) expect((here as Refused).message).toMatch(row.refused);
  });

  it('a refused certificate is told without advice to set what is set', () => {
    for (const { here } of answers.values()) {
      if (typeof here === 'string') continue;
      expect(here.message).not.toMatch(/name the file in NODE_EXTRA_CA_CERTS/);
      expect(here.message).toMatch(/^Unable to read .*Read with no credential/);
    }
  });
});

it('docs/certificates.md has these rows', () => {
  const docs = readFileSync('docs/certificates.md', 'utf8');
  // `npm run certificates` writes them.
  expect(docs).toContain(tableOf(ROWS));
});

describe('NODE_TLS_REJECT_UNAUTHORIZED', () => {
  const untrusted = certificate({ name: HOST, dns: [HOST], ca: true });
  const servers: [string, Certificate][] = [
    ['self-signed', untrusted],
    ['for another host', certificate({ name: 'other.example' })],
    ['of X.509 version 1', certificate({ name: HOST, version: 1 })],
    ['of RSA with 1,024 bits', certificate({ name: HOST, key: 'RSA 1024' })],
  ];

  it('0 accepts any certificate, as Node does, and says so once', async () => {
    const origins = servers.map(([, own]) => originOf({ chain: [own] }));
    const { answers, warnings } = await ask(await Promise.all(origins), {
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    });
    for (const [place, [name]] of servers.entries()) {
      expect([name, answers[place]]).toEqual([
        name,
        { node: CONTENT, here: CONTENT },
      ]);
    }
    expect(warnings).toEqual([
      expect.stringMatching(
        /^NODE_TLS_REJECT_UNAUTHORIZED is 0, so no server.s certificate is checked/,
      ),
    ]);
    expect(warnings.join()).not.toContain('name the file in');
  });

  it.each(['1', 'false', '', '00'])('%j accepts none more', async value => {
    const origin = await originOf({ chain: [untrusted] });
    const { answers, warnings } = await ask([origin], {
      NODE_TLS_REJECT_UNAUTHORIZED: value,
    });
    expect(answers).toEqual([{ node: refusal(), here: refusal() }]);
    expect(warnings).toEqual([]);
  });
});

describe('authorities that OpenSSL is told of', () => {
  const authority = certificate({ name: 'Of OpenSSL', ca: true });
  const server = certificate({ name: HOST, by: authority });
  const withOpenSsl = ['--use-openssl-ca'];

  /** How both take the server, with the authority in that place. */
  async function taken(place: string, nodeArguments: string[], more = {}) {
    const file = path.join(directory, 'openssl.pem');
    writeFileSync(file, authority.pem);
    const variables = { NODE_EXTRA_CA_CERTS: '', [place]: file, ...more };
    const origin = await originOf({ chain: [server] });
    const { answers } = await ask([origin], variables, nodeArguments);
    return answers[0];
  }

  it('are trusted where Node is told to trust them', async () => {
    const both = { node: CONTENT, here: CONTENT };
    expect(await taken('SSL_CERT_FILE', withOpenSsl)).toEqual(both);
    const options = { NODE_OPTIONS: '--use-openssl-ca' };
    expect(await taken('SSL_CERT_FILE', [], options)).toEqual(both);
  });

  it('are not trusted otherwise', async () => {
    const neither = { node: refusal(), here: refusal() };
    expect(await taken('SSL_CERT_FILE', [])).toEqual(neither);
  });

  it('do not keep those in NODE_EXTRA_CA_CERTS from being trusted', async () => {
    const more = { SSL_CERT_FILE: '/none.pem' };
    expect(await taken('NODE_EXTRA_CA_CERTS', withOpenSsl, more)).toEqual({
      node: CONTENT,
      here: CONTENT,
    });
  });
});

it('what cannot be read in NODE_EXTRA_CA_CERTS is told where it is missed', async () => {
  const server = certificate({ name: HOST, dns: [HOST] });
  const origin = await originOf({ chain: [server] });
  for (const [file, said] of [
    ['', /name the file in NODE_EXTRA_CA_CERTS/],
    ['/none.pem', /names \/none\.pem, which could not be read .*no such file/],
    [__filename, /certificates\.test\.ts, none of whose certificates can be/],
  ] as const) {
    const told = await ask([origin], { NODE_EXTRA_CA_CERTS: file });
    expect((told.answers[0]!.here as Refused).message).toMatch(said);
  }
});

it('HTTP/2 is spoken where the server has it, and HTTP/1.1 where not', async () => {
  const authority = certificate({ name: 'Of HTTP/2', ca: true });
  const chain = [certificate({ name: HOST, by: authority })];
  const file = path.join(directory, 'http2.pem');
  writeFileSync(file, authority.pem);
  const seen: string[] = [];
  const ports = [
    await serve(chain, {}, request => seen.push(request.httpVersion)),
    await serveHttp2(chain, request => seen.push(request.httpVersion)),
  ];
  const origins = ports.map(port => `https://${HOST}:${port}`);
  const told = await ask(origins, { NODE_EXTRA_CA_CERTS: file });
  expect(told.answers.map(({ here }) => here)).toEqual([CONTENT, CONTENT]);
  // Node's own fetch speaks HTTP/1.1 to both.
  expect(seen).toEqual(['1.1', '1.1', '1.1', '2.0']);
});

/** Whether this Node accepts it. */
function nodeAccepts({ node }: Row): boolean {
  if (typeof node === 'boolean') return node;
  return node[MAJOR! < 24 ? 0 : 1];
}

function refusal(): unknown {
  return expect.objectContaining({ refused: expect.any(String) as string });
}

async function originOf(
  server: Pick<Row, 'chain' | 'settings' | 'host'>,
): Promise<string> {
  const { chain, settings, host } = server;
  return `https://${host ?? HOST}:${await serve(chain, settings)}`;
}

async function ask(
  origins: string[],
  variables: NodeJS.ProcessEnv = {},
  nodeArguments: string[] = [],
): Promise<Told> {
  const script = path.join(__dirname, 'certificates/ask.mjs');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...nodeArguments, script, JSON.stringify(origins)],
    { env: { ...environment(), ...variables } },
  );
  return JSON.parse(stdout) as Told;
}

/** The environment of this process, without what leads elsewhere. */
function environment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of Object.keys(env)) {
    if (/^((https?|all|no)_proxy|NODE_.*|SSL_CERT_.*)$/i.test(name))
      delete env[name];
  }
  return { ...env, HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: caFile };
}
