/**
 * Why a server is not reached: each cause is told as what it is, with what to check and nothing else, and
 * what does not get better by waiting is tried once.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { certificate } from '../testing/certificates/Certificate';
import {
  answering,
  answeringPage,
  closing,
  connections,
  CONTENT,
  nobody,
  plain,
  refusingHttp2,
  secure,
  speaking,
  stopServers,
} from './causes/servers';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const own = certificate({ name: 'localhost', dns: ['localhost'], ca: true });
const stranger = certificate({ name: 'localhost', dns: ['localhost'] });

let directory: string;
let caFile: string;

beforeAll(() => {
  directory = temporaryFolder('causes');
  caFile = path.join(directory, 'trusted.pem');
  writeFileSync(caFile, own.pem);
});

afterAll(() => stopServers());

/** A server, and how it is asked. */
interface Way {
  port: () => Promise<number>;
  /** The origin that is asked. */
  origin?: (port: number) => string;
  variables?: (port: number) => Record<string, string>;
}

const https = (port: number): string => `https://localhost:${port}`;
const http = (port: number): string => `http://localhost:${port}`;
const behind = (): string => 'https://server.example';

/** A proxy, and the variable that names it. */
function proxied(
  port: () => Promise<number>,
  variable = 'HTTPS_PROXY',
  user = '',
  scheme = 'http',
): Way {
  return {
    port,
    origin: variable === 'HTTP_PROXY' ? () => 'http://server.example' : behind,
    variables: at => ({ [variable]: `${scheme}://${user}127.0.0.1:${at}` }),
  };
}

const reset = (): Promise<number> =>
  closing(socket => socket.resetAndDestroy());
const closed = (): Promise<number> => closing(socket => socket.destroy());

/** What is said of the cause, and what of it to check; `PORT` and `PROXY` stand for what is there. */
type Cause = [name: string, way: Way, met: string, check: string];

/** Tried once: it stays so. */
const LASTING: Cause[] = [
  [
    'a certificate that is not trusted',
    { port: () => secure(stranger), origin: https },
    'no connection to localhost:PORT: its certificate is not accepted: it is self-signed, and not itself among those that are trusted',
    'NODE_EXTRA_CA_CERTS names CAFILE, whose one certificate is trusted: add this certificate (PEM) there, and start the backend anew',
  ],
  [
    'TLS to a port that speaks HTTP in plain text',
    { port: plain, origin: https },
    'no connection to localhost:PORT: it does not speak TLS on this port',
    'Check the port in the URL; where the server has no TLS, write http://',
  ],
  [
    'TLS to a port that speaks something else',
    { port: () => speaking('SSH-2.0-server\r\n'), origin: https },
    'no connection to localhost:PORT: it does not speak TLS on this port',
    'Check the port in the URL; where the server has no TLS, write http://',
  ],
  [
    'a server with TLS 1.1 alone',
    {
      port: () =>
        secure(own, {
          minVersion: 'TLSv1.1',
          maxVersion: 'TLSv1.1',
          ciphers: 'ALL:@SECLEVEL=0',
        }),
      origin: https,
    },
    'no connection to localhost:PORT: TLS was not agreed on (the server said ProtocolVersion)',
    'The server has only TLS 1.1 or older: have it speak TLS 1.2 or 1.3',
  ],
  [
    'a proxy that asks for a user',
    proxied(() => answering('407 X', 'Proxy-Authenticate: NTLM\r\n')),
    'no connection to server.example: the proxy PROXY (HTTPS_PROXY) asks for a user and password (407 Proxy Authentication Required)',
    'Put them into HTTPS_PROXY: http://user:password@proxy:port. It takes no other way (Negotiate, NTLM) than Basic',
  ],
  [
    'a proxy that does not know the user',
    proxied(() => answering('407 X'), 'https_proxy', 'user:pa55word@'),
    'no connection to server.example: the proxy PROXY (https_proxy) asks for a user and password (407 Proxy Authentication Required)',
    'Check the user and password in https_proxy: what has a meaning in URLs, as @, : and %, is written with percent signs (%40)',
  ],
  [
    'a proxy that asks for a user, in plain text',
    proxied(() => answering('407 X'), 'HTTP_PROXY'),
    'no connection to server.example: the proxy PROXY (HTTP_PROXY) asks for a user and password (407 Proxy Authentication Required)',
    'Put them into HTTP_PROXY: http://user:password@proxy:port. It takes no other way (Negotiate, NTLM) than Basic',
  ],
  [
    'a proxy that does not let the server through',
    proxied(() => answering('403 X')),
    'no connection to server.example: the proxy PROXY (HTTPS_PROXY) answered 403 Forbidden to CONNECT',
    'Have the proxy let server.example through',
  ],
  [
    'a proxy whose certificate is not trusted',
    proxied(() => secure(stranger), 'HTTPS_PROXY', '', 'https'),
    'no connection to server.example, because none to the proxy PROXY (HTTPS_PROXY): its certificate is not accepted: it is self-signed, and not itself among those that are trusted',
    'NODE_EXTRA_CA_CERTS names CAFILE, whose one certificate is trusted: add this certificate (PEM) there, and start the backend anew',
  ],
];

/** Tried again: it may be over soon. */
const PASSING: Cause[] = [
  [
    'nobody who listens',
    { port: nobody, origin: http },
    'no connection to localhost:PORT: connection refused',
    'Check the port in the URL, and that the server runs',
  ],
  [
    'a name that is not found',
    { port: nobody, origin: () => 'https://none.invalid' },
    'no connection to none.invalid: its name was not found (.+)',
    "Check the host in the URL, and that this machine's DNS knows it, and whether it is reached through a proxy alone, which HTTPS_PROXY has to name",
  ],
  [
    'a name that is not found, which NO_PROXY has',
    {
      port: nobody,
      origin: () => 'https://none.invalid',
      variables: () => ({ HTTP_PROXY: 'http://proxy:1', NO_PROXY: 'invalid' }),
    },
    'no connection to none.invalid: its name was not found (.+)',
    "Check the host in the URL, and that this machine's DNS knows it, and whether NO_PROXY should name it, by which the proxy is not asked",
  ],
  [
    'a connection that is reset in the handshake',
    { port: reset, origin: https },
    'no connection to localhost:PORT: the connection was closed at the other end',
    'Check the server, and what stands between, such as a proxy or gateway',
  ],
  [
    'a connection that is closed in the handshake',
    { port: () => closing(socket => socket.end()), origin: https },
    'no connection to localhost:PORT: the connection was closed at the other end, before TLS was spoken',
    'Check that the port speaks TLS, and what stands between, such as a proxy or gateway that lets only some hosts through',
  ],
  [
    'a connection that is reset',
    { port: reset, origin: http },
    'the request to localhost:PORT failed: the connection was closed at the other end',
    'Check the server, what stands between, and whether the port speaks TLS (https://)',
  ],
  [
    'plain text to a port that speaks TLS',
    { port: () => secure(own), origin: http },
    'the request to localhost:PORT failed: the connection was closed at the other end',
    'Check the server, what stands between, and whether the port speaks TLS (https://)',
  ],
  [
    'HTTP/2 that is broken off',
    { port: () => refusingHttp2(own, 'PROTOCOL_ERROR'), origin: https },
    'the request to localhost:PORT failed: HTTP/2 was refused or broken off (PROTOCOL_ERROR)',
    'Check what speaks HTTP/2 in front of the server, such as a proxy or gateway, and turn HTTP/2 off there if it cannot be mended',
  ],
  [
    'a proxy that does not reach the server',
    proxied(() => answering('503 X')),
    'no connection to server.example: the proxy PROXY (HTTPS_PROXY) answered 503 Service Unavailable to CONNECT',
    'Check whether the proxy reaches server.example',
  ],
  [
    'a proxy that does not run',
    proxied(nobody),
    'no connection to server.example, because none to the proxy PROXY (HTTPS_PROXY): connection refused',
    "Check the proxy's port, and that it runs",
  ],
  [
    'a proxy whose name is not found',
    {
      port: nobody,
      origin: behind,
      variables: () => ({ HTTPS_PROXY: 'http://none.invalid:3128' }),
    },
    'no connection to server.example, because none to the proxy http://none.invalid:3128 (HTTPS_PROXY): its name was not found (.+)',
    "Check the proxy's name",
  ],
  [
    'a proxy that closes the connection',
    proxied(closed),
    'no connection to server.example: the proxy PROXY (HTTPS_PROXY) made no tunnel to it (.+)',
    "Check the proxy's port and scheme (https:// where it speaks TLS itself), and whether it reaches server.example",
  ],
];

describe('a server that is not reached', () => {
  it.each(LASTING)(
    '%s is told as such, and tried once',
    async (_name, ...of) => {
      const [way, ...said] = of;
      const { message, port } = await read(way, 5);
      expect(message).toMatch(whole(said, port));
      // A proxy that makes no tunnel is asked once more, for its status.
      expect(connections.get(port)).toBeLessThanOrEqual(2);
    },
  );

  it.each(PASSING)('%s is told as such', async (_name, way, ...said) => {
    const { message, port } = await read(way, 1);
    expect(message).toMatch(
      new RegExp(
        `${whole(said, port).source.slice(0, -1)}\\. It was tried 2 times in [\\d.]+ s$`,
      ),
    );
  });
});

it.each([
  [
    400,
    'check whether the port speaks TLS (https://), and what stands between',
  ],
  [403, 'check what stands between'],
  [502, 'check what stands between'],
])('a page of a gateway with %i is told as one', async (status, check) => {
  const port = (): Promise<number> => answeringPage(status);
  const { message } = await read({ port, origin: http }, 0);
  expect(message).toContain(
    `. The answer is a page (HTML): ${check}, such as a proxy or gateway. Read with no credential`,
  );
});

it('a server that wants HTTP/1.1 in place of HTTP/2 is read with that', async () => {
  const port = (): Promise<number> => refusingHttp2(own, 'HTTP_1_1_REQUIRED');
  expect((await read({ port, origin: https }, 0)).content).toBe(CONTENT);
});

/** A message in which nothing else is said. */
function whole([met, check]: string[], port: number): RegExp {
  const literal = (text: string): string =>
    text
      .replaceAll('PORT', String(port))
      .replaceAll('CAFILE', caFile)
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('\\(\\.\\+\\)', '\\([^.]+\\)')
      .replace(/the proxy PROXY/, `the proxy https?://127\\.0\\.0\\.1:${port}`);
  return new RegExp(
    `^Unable to read [^ ]+, ${literal(met!)}\\. ${literal(check!)}\\. Read with no credential for [^ ]+, organization org$`,
  );
}

interface Told {
  port: number;
  content?: string;
  message?: string;
}

async function read(way: Way, maxRetries: number): Promise<Told> {
  const port = await way.port();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      path.join(__dirname, 'causes/read.mjs'),
      `${way.origin!(port)}/org/project/_git/repo?path=/a`,
      String(maxRetries),
    ],
    { env: { ...environment(), ...way.variables?.(port) } },
  );
  return { port, ...(JSON.parse(stdout) as object) };
}

/** The environment of this process, without what leads elsewhere. */
function environment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of Object.keys(env)) {
    if (/^((https?|all|no)_proxy|NODE_.*|SSL_CERT_.*)$/i.test(name))
      delete env[name];
  }
  return { ...env, NODE_EXTRA_CA_CERTS: caFile };
}
