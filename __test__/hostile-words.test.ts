/** What a server says is repeated without what it was sent, and so that nothing of it hides or misleads. */
import { AzureUrlReader as UpstreamAzureUrlReader } from '@backstage/backend-defaults/urlReader';
import { AzureIntegration as UpstreamAzureIntegration } from '@backstage/integration';
import {
  AzureIntegration,
  AzureUrlReader,
} from 'backstage-azure-devops-native';
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import path from 'node:path';
import { inspect, promisify } from 'node:util';
import {
  standIn,
  type Hosted,
  type RecordedRequest,
} from '../testing/azure-devops';
import { ECHOES, tells } from './hostile-words/echoes';
import { EchoServer } from './hostile-words/EchoServer';
import { PLACES } from './hostile-words/places';
import { mockLogger } from '../testing/mockLogger';
import { reader as newReader } from '../testing/reader';

const CHANNEL = 'backstage-azure-devops-native:read';
const azure = standIn();
const part = (value: object) =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

let server: EchoServer;
let hosted: Hosted;
const logger = mockLogger();
const published: unknown[] = [];
const hear = (message: unknown) => published.push(message);

beforeAll(async () => {
  server = await EchoServer.start();
  hosted = await azure.addRepository({
    organization: 'hostile-words',
    project: 'p',
    repository: 'r',
    files: { 'a.md': 'a' },
  });
  subscribe(CHANNEL, hear);
});

afterAll(async () => {
  unsubscribe(CHANNEL, hear);
  await server.close();
});

beforeEach(() => {
  azure.reset();
  published.length = 0;
  jest.clearAllMocks();
});

/** Somebody who reads, and the secrets that they send. */
interface Reading {
  reader: AzureUrlReader | UpstreamAzureUrlReader;
  token?: string;
  secrets: string[];
}

const newSecret = () => randomBytes(39).toString('base64');
const newToken = () => randomBytes(60).toString('hex').slice(0, 84);
const newJwt = () =>
  `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ sub: randomUUID() })}.${randomBytes(256).toString('base64url')}`;

const READINGS: Record<string, () => Reading> = {
  'a personal access token': () => {
    const personalAccessToken = newToken();
    const reader = configured([{ personalAccessToken }]);
    return { reader, secrets: [personalAccessToken] };
  },
  "a caller's token": () => {
    const token = newToken();
    return { reader: configured([]), token, secrets: [token] };
  },
  "a caller's access token": () => {
    const token = newJwt();
    return { reader: configured([]), token, secrets: [token] };
  },
  "a provider's headers": () => {
    const [bearer, key, cookie] = [newSecret(), newSecret(), newToken()];
    const headers = {
      Authorization: `Bearer ${bearer}`,
      'X-Api-Key': key,
      Cookie: `theme=dark; FedAuth=${cookie}`,
    };
    return {
      reader: provided(AzureUrlReader, headers),
      secrets: [bearer, key, cookie],
    };
  },
};

it.each(Object.keys(READINGS))(
  'no server makes us tell %s that it repeats',
  async name => {
    const { reader, token, secrets } = READINGS[name]();
    const told = await echoed(reader, secrets, token);
    expect(told.map(({ what }) => what)).toEqual([]);
  },
);

it('what else a server says is told', async () => {
  const { reader, secrets } = READINGS['a personal access token']();
  const body = JSON.stringify({ message: `Not ${secrets[0]} but another` });
  const headers = { 'content-type': 'application/json' };
  server.answer = () => ({ status: 403, headers, body });
  const { message } = await failure(() => reader.readUrl(server.url()));
  expect(message).toContain('Azure DevOps said: Not [redacted] but another. ');
});

it.each(['as it is', 'in base64', 'URL-encoded'])(
  'a token of Entra ID is not told %s, nor the one before it',
  async how => {
    const [tenantId, clientId, secret] = [1, 2, 3].map(() => randomUUID());
    azure.entra.addApp({ tenantId, clientId, secrets: [secret] });
    const reader = configured(
      [{ tenantId, clientId, clientSecret: secret }],
      'dev.azure.com',
    );
    const url = hosted.webUrl({ path: '/a.md' });
    await reader.readUrl(url);
    const first = tokenIn(azure.requests.at(-1)!);
    azure.entra.revokeTokens();
    azure.misbehave({
      of: ({ headers }: RecordedRequest) => {
        const tokens = [first, headers.authorization!.split(' ')[1]];
        const echo = tokens.map(ECHOES[how]).join(' and ');
        return {
          status: 401,
          headers: {
            'content-type': 'application/json',
            'x-tfs-serviceerror': encodeURIComponent(echo),
          },
          body: JSON.stringify({ message: `you sent ${echo}` }),
        };
      },
    });
    const error = await failure(() => reader.readUrl(url));
    expect(azure.entra.issued.length).toBeGreaterThanOrEqual(2);
    expect(error.message).toContain('you');
    const told = everything(error);
    expect(azure.entra.issued.filter(own => tells(told, own))).toEqual([]);
  },
);

it.each(Object.keys(ECHOES))(
  'Entra ID does not make us tell a client secret that it repeats %s',
  async how => {
    const [tenantId, clientId] = [randomUUID(), randomUUID()];
    const clientSecret = newSecret();
    const body = JSON.stringify({
      error: 'invalid_client',
      error_description: `AADSTS7000215: you sent ${ECHOES[how](clientSecret)}`,
    });
    azure.entra.misbehave({ status: 401, body, times: 1 });
    const credentials = [{ tenantId, clientId, clientSecret }];
    const reader = configured(credentials, 'dev.azure.com');
    const url = hosted.webUrl({ path: '/a.md' });
    const error = await failure(() => reader.readUrl(url));
    // Where the secret's own letter before the piece is a "t", that of "sent" goes with it.
    expect(error.message).toContain('AADSTS7000215: you');
    expect(tells(everything(error), clientSecret)).toBe(false);
  },
);

it('a proxy does not make us tell the password that it is sent', async () => {
  const password = newToken();
  server.answer = headers => ({
    status: 403,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      message: `you sent ${headers['proxy-authorization']} and ${password}`,
    }),
  });
  const HTTP_PROXY = `http://somebody:${password}@${server.host}`;
  const script = path.join(__dirname, 'hostile-words', 'proxied.mjs');
  const env = { ...process.env, HTTP_PROXY, http_proxy: HTTP_PROXY };
  const { stdout } = await promisify(execFile)('node', [script], { env });
  expect(stdout).toContain('you sent');
  expect(tells(stdout, password)).toBe(false);
}, 30_000);

describe('a character that is not seen', () => {
  const UNSEEN = [
    ...range(0x00, 0x1f),
    ...range(0x7f, 0x9f),
    ...[0xad, 0x61c, 0x180e, 0x200b, 0x200e, 0x200f, 0xfeff, 0xfff9],
    ...range(0x2028, 0x202e),
    ...range(0x2060, 0x2069),
    0xe0041,
  ].map(code => String.fromCodePoint(code));
  const isUnseen = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u;

  it.each(UNSEEN.map(own => [`U+${own.codePointAt(0)!.toString(16)}`, own]))(
    'is not told as it is: %s',
    async (_name, own) => {
      const { reader } = READINGS['a personal access token']();
      const message = `TF1: a${own}b`;
      server.answer = () => ({
        status: 403,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ message }),
      });
      const said = await failure(() => reader.readUrl(server.url()));
      const rest = `?path=/${encodeURIComponent(own)}x`;
      server.answer = () => ({ status: 404 });
      const url = server.url(`${rest}&a=${own}`);
      const named = await failure(() => reader.readUrl(url));
      for (const error of [said, named]) {
        expect(error.message).not.toMatch(isUnseen);
        expect(JSON.stringify(logged())).not.toMatch(isUnseen);
      }
      expect(said.message).toContain('TF1: a');
    },
  );

  it('is not told of a reason phrase either', async () => {
    const { reader } = READINGS['a personal access token']();
    server.answer = () => ({ status: 404, reason: 'Not\u0085\u009b31mFound' });
    const error = await failure(() => reader.readUrl(server.url()));
    expect(error.message).not.toMatch(isUnseen);
    expect(error.message).toContain(', 404 ');
  });
});

describe('a URL', () => {
  const KEPT = '/org/project/_git/repo?';

  it.each([
    ['?path=/a.md&access_token=SECRET', ''],
    ['?access_token=SECRET&path=/a.md', ''],
    ['?path=/a.md&Token=SECRET', ''],
    ['?path=/a.md&client_secret=SECRET', ''],
    ['?path=/a.md&sig=SECRET', ''],
    ['?path=/a.md&code=SECRET', ''],
    ['?path=/a.md&pat=SECRET', ''],
    ['?path=/a.md&password=SECRET', ''],
    ['?path=/a.md&X-Amz-Signature=SECRET', ''],
    ['?path=/a.md&access%5Ftoken=SECRET', ''],
    ['?path=/a.md#access_token=SECRET', ''],
    ['?path=/a.md#SECRET', ''],
    ['?path=/a.md', 'somebody:SECRET@'],
    ['?path=/a.md', 'SECRET@'],
    ['?path=/a.md', 'somebody:%53ECRET@'],
    ['?path=/a.md&access_token=SECRET#SECRET', 'SECRET:SECRET@'],
  ])('is told without secrets: %s %s', async (rest, user) => {
    const { reader } = READINGS['a personal access token']();
    const url = server.url(rest).replace('://', `://${user}`);
    const told: string[] = [];
    for (const status of [404, 403, 203, 302, 500]) {
      const location = 'https://elsewhere.example/SECRET-not?x=SECRET';
      const headers = { location: location.replace('/SECRET-not', '') };
      server.answer = () => ({ status, headers });
      told.push(everything(await failure(() => reader.readUrl(url))));
      told.push(everything(await failure(() => reader.readTree(url))));
    }
    server.answer = () => ({ status: 200, body: 'a' });
    await reader.readUrl(url);
    told.push(JSON.stringify(published));
    for (const text of told) expect(text).not.toMatch(/(S|%53)ECRET/);
    expect(told[0]).toContain(KEPT);
  });
});

describe('a redirect', () => {
  const host = 'https://elsewhere.example';
  const REFUSED: Array<[location: string, named: string]> = [
    ['file:///etc/passwd', 'the scheme file'],
    ['data:text/plain,SECRET', 'the scheme data'],
    ['javascript:SECRET', 'the scheme javascript'],
    ['ftp://elsewhere.example/SECRET', 'the scheme ftp'],
    ['mailto:SECRET@elsewhere.example', 'the scheme mailto'],
    ['ws://elsewhere.example/SECRET', 'the scheme ws'],
    ['blob:https://SECRET@elsewhere.example/', 'the scheme blob'],
    ['about:blank', 'the scheme about'],
    ['vbscript:SECRET', 'the scheme vbscript'],
    ['gopher://elsewhere.example/SECRET', 'the scheme gopher'],
    [`${'z'.repeat(5_000)}:x`, 'the scheme zzzz'],
    [`${host}/x?token=SECRET`, `${host}/x`],
    [`${host}/x#SECRET`, `${host}/x`],
    ['https://SECRET:x@elsewhere.example/x', `${host}/x`],
    ['//elsewhere.example/x', 'http://elsewhere.example/x'],
    ['\\\\elsewhere.example\\x', 'http://elsewhere.example/x'],
    ['/\\elsewhere.example/x', 'http://elsewhere.example/x'],
    ['http:elsewhere', 'http://127.0.0.1'],
    [`${host}:8443/_apis/x`, `${host}:8443/_apis/x`],
    [`${host}/${'a'.repeat(10_000)}`, `${host}/aaaa`],
    [`https://${'a.'.repeat(2_000)}example/`, 'https://a.a.a.'],
    ['https://elsewhere.example/\u00e9\u009b', 'a place that is no URL'],
    ['http://', 'a place that is no URL'],
    ['http://[::1', 'a place that is no URL'],
    ['https://elsewhere.example/;SECRET', `${host}/`],
    ['/_signin?reply_to=SECRET', '/_signin'],
    ['https://xn--80ak6aa92e.com/', 'https://xn--80ak6aa92e.com/'],
    ['https://\u{430}pple.com/'.replace('\u{430}', '%D0%B0'), 'https://xn--'],
  ];

  it.each(
    REFUSED.map(([location, named]) => [
      location.slice(0, 60),
      location,
      named,
    ]),
  )(
    'is named, and no more of it than is good: %s',
    async (_name, location, named) => {
      const { reader } = READINGS['a personal access token']();
      server.answer = () => ({ status: 302, headers: { location } });
      const error = await failure(() => reader.readUrl(server.url()));
      expect(error.message).toContain(named);
      expect(error.message).not.toContain('SECRET');
      expect(error.message.length).toBeLessThan(1_500);
    },
  );
});

describe('what a server says of limits', () => {
  const YEAR_5138 = '99999999999';

  it('and cannot all be lets one a second through at least, and is told', async () => {
    const { reader } = READINGS['a personal access token']();
    const headers = {
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Limit': '200',
      'X-RateLimit-Reset': YEAR_5138,
    };
    server.answer = () => ({ status: 200, headers, body: 'a' });
    const begin = Date.now();
    for (let n = 0; n < 4; n += 1) await reader.readUrl(server.url());
    expect(Date.now() - begin).toBeGreaterThan(1_500);
    expect(Date.now() - begin).toBeLessThan(5_000);
    const lines = logged().filter(text => text.includes('x-ratelimit-reset'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(YEAR_5138);
    expect(lines[0]).toContain(server.host);
  });

  it('is believed for an hour at most, and that is told', async () => {
    const { reader } = READINGS['a personal access token']();
    server.answer = () => ({ status: 429, headers: { 'Retry-After': '1e9' } });
    await failure(() => reader.readUrl(server.url()));
    const error = await failure(() => reader.readUrl(server.url()));
    const seconds = Number(/another (\d+) s/.exec(error.message)?.[1]);
    expect(seconds).toBeGreaterThan(3_500);
    expect(seconds).toBeLessThanOrEqual(3_600);
    expect(logged().join()).toMatch(/retry-after: 1e9.*3600 s/);
  });
});

it('upstream tells what it is sent where a status has words', async () => {
  const personalAccessToken = newToken();
  const authorization = `Basic ${Buffer.from(`:${personalAccessToken}`).toString('base64')}`;
  const reader = provided(UpstreamAzureUrlReader, {
    Authorization: authorization,
  });
  const told = await echoed(reader, [personalAccessToken]);
  const places = new Set(told.map(({ place }) => place));
  expect([...places]).toContain('the reason phrase');
});

/** Reads from a server that repeats what it was sent, in every place and way; gives where that is told. */
async function echoed(
  reader: AzureUrlReader | UpstreamAzureUrlReader,
  secrets: string[],
  token?: string,
): Promise<Array<{ place: string; what: string }>> {
  const told: Array<{ place: string; what: string }> = [];
  for (const place of PLACES) {
    for (const [how, echo] of Object.entries(ECHOES)) {
      for (const secret of secrets) {
        const answer = place.answer(echo(secret));
        if (!answer) continue;
        server.answer = () => answer;
        // What was told before was looked at then.
        published.length = 0;
        jest.clearAllMocks();
        const error = await failure(() =>
          reader.readUrl(server.url(), { token }),
        );
        const text = everything(error);
        if (secrets.some(own => tells(text, own))) {
          told.push({ place: place.name, what: `${place.name}, ${how}` });
        }
      }
    }
  }
  return told;
}

async function failure(read: () => Promise<unknown>): Promise<Error> {
  try {
    await read();
  } catch (error) {
    return error as Error;
  }
  // What gives content says nothing.
  return new Error('you sent');
}

/** Whatever anybody could see of a failure, the log and the channel. */
function everything(error: Error): string {
  const deep = { depth: null, showHidden: true } as const;
  return [
    error.message,
    error.stack,
    String(error.cause),
    JSON.stringify(error),
    inspect(error, deep),
    JSON.stringify(published),
    ...logged(),
  ].join('\n');
}

function logged(): string[] {
  const { debug, info, warn, error } = logger;
  return [debug, info, warn, error]
    .flatMap(level => level.mock.calls)
    .map(call => JSON.stringify(call));
}

function tokenIn({ headers }: RecordedRequest): string {
  return headers.authorization!.split(' ')[1];
}

function configured(credentials: object[], host = server.host): AzureUrlReader {
  const retry = { maxRetries: 0 };
  return newReader({ of: host, credentials, host: { retry }, logger });
}

/** A reader that is given these headers, ours or upstream's. */
function provided<T extends AzureUrlReader | UpstreamAzureUrlReader>(
  Reader: new (integration: never, deps: never) => T,
  headers: Record<string, string>,
): T {
  const own = { host: server.host, retry: { maxRetries: 0 } };
  const isOurs = (Reader as unknown) === AzureUrlReader;
  const Integration = isOurs ? AzureIntegration : UpstreamAzureIntegration;
  const credentialsProvider = {
    getCredentials: async () => ({ headers, token: '', type: 'pat' }),
  };
  const deps = { credentialsProvider, logger, treeResponseFactory: {} };
  return new Reader(new Integration(own as never) as never, deps as never);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}
