/** Questions about reads from the stand-in, and how a package answers them. */
import { ConfigReader } from '@backstage/config';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type {
  AzureDevOpsCredentialsProvider,
  AzureIntegrations,
} from 'backstage-azure-devops-native';
import { DEFAULT_TOKEN, standIn } from '../../testing/azure-devops';
import {
  CLOSED,
  type HostedFiles,
  type HostedVersion,
} from './hostedRepositories';
import { outcomeOf, same, thrown, type Outcome } from './outcome';
import {
  ScmIntegrations,
  isUpstream,
  upstream,
  type Package,
} from '../../testing/packages';
import { silent } from '../../testing/silent';
import { parsed } from './parsed';
import { answerUrl } from './urlQuestions';
import { UNTYPED, expectedOf, isReadOtherwise } from './urlRules';
import { repositoryUrl } from './urlText';

/** The token that the stand-in does not know. */
export const REVOKED = 'revoked';

const PLACES = ['server', 'tfs', 'dev.azure.com', 'visualstudio.com'] as const;

type Use = 'buffer' | 'stream';

export interface ReadQuestion {
  call: 'readUrl' | 'read' | 'search' | 'toString';
  url: string;
  /** What is taken of the response of `readUrl`, in this order. */
  uses: Use[];
  /** Whose integrations the reader and the credentials provider are made from. */
  integrations: 'factory' | 'upstream' | 'own' | 'plain';
  /** What a provider other than the default one does. */
  provider?: Provided;
  /** What the stand-in answers in place of the file. */
  answer?: Answer;
  options?: { etag?: string; lastModifiedAfter?: Date };
  /** The file's content in the version that the URL names. */
  there?: Buffer;
}

interface Provided {
  headers?: Record<string, string>;
  rejects?: unknown;
}

interface Answer {
  status: number;
  reason?: string;
  headers?: Record<string, string>;
  body?: Buffer;
}

/** What was read, and what the server and the provider were asked on the way. */
export interface ReadAnswer {
  contents: unknown[];
  etag?: string;
  lastModifiedAt?: Date;
  sent: Array<{ url: string }>;
  asked: string[];
}

export async function answerRead(
  from: Package,
  question: ReadQuestion,
): Promise<Outcome> {
  const azure = standIn();
  azure.clearRequests();
  const behave = question.answer
    ? azure.misbehave({ ...question.answer, match: isAsked, times: 1 })
    : () => {};
  const asked: string[] = [];
  const outcome = await outcomeOf(async () => {
    const answer = await read(from, question, asked);
    const sent = azure.requests.filter(isAsked).map(request => {
      const { host, url, headers } = request;
      const { authorization, 'x-extra': extra } = headers;
      return { host, url, authorization, extra };
    });
    return typeof answer === 'object' ? { ...answer, sent, asked } : answer;
  });
  behave();
  return outcome;
}

/** Whether a request is one of the read's own: what is learned of a folder beside it may come later. */
function isAsked({ url }: { url: string }): boolean {
  return !url.includes('recursionLevel=none');
}

/** Messages of failed reads begin as upstream's do, and go on. */
export function sameRead(theirs: Outcome, ours: Outcome): boolean {
  if ('error' in theirs && 'error' in ours) {
    const { name, message } = theirs.error;
    return ours.error.name === name && ours.error.message.startsWith(message);
  }
  return same(theirs, ours);
}

async function read(
  from: Package,
  question: ReadQuestion,
  asked: string[],
): Promise<Omit<ReadAnswer, 'sent' | 'asked'> | string> {
  const { call, url, uses, options } = question;
  const reader = readerFor(from, question, asked);
  switch (call) {
    case 'toString':
      return reader.toString();
    case 'read':
      return { contents: [await reader.read(url)] };
    case 'search': {
      const { files, etag } = await reader.search(url, options);
      const contents = files.map(async file => ({
        ...file,
        content: await file.content(),
      }));
      return { contents: await Promise.all(contents), etag };
    }
    default: {
      const response = await reader.readUrl(url, options);
      const { etag, lastModifiedAt } = response;
      return { contents: await take(response, uses), etag, lastModifiedAt };
    }
  }
}

type Response = Awaited<
  ReturnType<InstanceType<Package['AzureUrlReader']>['readUrl']>
>;

/** Takes all that is wanted at once, and only then waits for it; the same thing is read once. */
async function take(response: Response, uses: Use[]): Promise<unknown[]> {
  const read = new Map<unknown, Promise<Buffer>>();
  const taken = uses.map(use => {
    try {
      const content = use === 'buffer' ? response.buffer() : response.stream!();
      if (!read.has(content)) read.set(content, collect(content));
      return read.get(content);
    } catch (error) {
      return thrown(error);
    }
  });
  return Promise.all(taken);
}

async function collect(
  content: Promise<Buffer> | NodeJS.ReadableStream,
): Promise<Buffer> {
  if (content instanceof Promise) return content;
  const pieces: Buffer[] = [];
  for await (const piece of content as NodeJS.ReadableStream) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

type Reader = InstanceType<Package['AzureUrlReader']>;

function readerFor(
  from: Package,
  { url, integrations: source, provider }: ReadQuestion,
  asked: string[],
): Reader {
  const treeResponseFactory = {} as never;
  const config = new ConfigReader(appConfig());
  if (source === 'factory' && !provider) {
    const deps = { config, treeResponseFactory, logger: silent };
    const found = from.AzureUrlReader.factory(deps as never).find(
      ({ predicate }) => isAt(url, predicate),
    );
    return found!.reader as Reader;
  }
  const integrations = integrationsFrom(from, source, config);
  const list = integrations.azure.list();
  const integration =
    list.find(own => isAt(url, ({ host }) => host === own.config.host)) ??
    list[0];
  return new from.AzureUrlReader(integration as never, {
    treeResponseFactory,
    credentialsProvider: provider
      ? provide(provider, asked)
      : from.DefaultAzureDevOpsCredentialsProvider.fromIntegrations(
          integrations,
        ),
  });
}

function isAt(url: string, predicate: (url: URL) => boolean): boolean {
  return predicate(parsed(url) ?? new URL('https://dev.azure.com'));
}

function integrationsFrom(
  from: Package,
  source: ReadQuestion['integrations'],
  config: ConfigReader,
): AzureIntegrations {
  switch (source) {
    case 'upstream':
      return ScmIntegrations.fromConfig(config) as never;
    case 'plain': {
      const { azure } = appConfig().integrations;
      const list = azure.map(entry => ({ config: withKind(entry) }));
      return { azure: { list: () => list } } as never;
    }
    default:
      return { azure: from.AzureIntegration.factory({ config }) };
  }
}

function withKind({ host, credentials }: Entry): object {
  const kind = 'PersonalAccessToken';
  return { host, credentials: credentials.map(own => ({ kind, ...own })) };
}

function provide(
  { headers, rejects }: Provided,
  asked: string[],
): AzureDevOpsCredentialsProvider {
  return {
    getCredentials: async ({ url }) => {
      asked.push(url);
      if (rejects !== undefined) throw rejects;
      return headers && { headers, token: 'unused', type: 'bearer' };
    },
  };
}

type Entry = ReturnType<typeof appConfig>['integrations']['azure'][number];

function appConfig() {
  const anyone = { personalAccessToken: DEFAULT_TOKEN };
  const refused = { personalAccessToken: REVOKED, organizations: [CLOSED] };
  const azure = [
    { host: 'dev.azure.com', credentials: [anyone, refused] },
    { host: standIn().host, credentials: [refused, anyone] },
    { host: 'parity.visualstudio.com', credentials: [anyone] },
    { host: 'parity-2.visualstudio.com', credentials: [anyone] },
    { host: 'closed.visualstudio.com', credentials: [refused] },
    { host: 'bare', credentials: [] },
  ];
  return { integrations: { azure } };
}

/** Whether the stand-in asks to sign in before it answers anything. */
export function mustSignIn({ url, provider }: ReadQuestion): boolean {
  if (provider) return provider.rejects === undefined && !provider.headers;
  const { host = '', pathname = '' } = parsed(url) ?? {};
  return `${host}${pathname}`.includes(CLOSED);
}

const call = fc.constantFrom<ReadQuestion['call']>(
  ...(['readUrl', 'readUrl', 'readUrl', 'read', 'search', 'search'] as const),
);

const uses = fc.oneof(
  fc.constantFrom<Use[]>(['buffer'], ['stream']),
  fc.array(fc.constantFrom<Use>('buffer', 'stream'), {
    minLength: 1,
    maxLength: 4,
  }),
);

const integrations = fc.constantFrom<ReadQuestion['integrations']>(
  ...(['factory', 'factory', 'upstream', 'own', 'plain'] as const),
);

const authorization = `Basic ${btoa(`:${DEFAULT_TOKEN}`)}`;

const provider = fc.constantFrom<Provided>(
  { headers: { Authorization: authorization } },
  { headers: { authorization, 'X-Extra': 'a, b' } },
  { headers: { Authorization: `Bearer ${DEFAULT_TOKEN}` } },
  { rejects: new Error('no token today') },
  { rejects: new TypeError('no token') },
  { rejects: 'a string' },
  {},
);

const body = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes));

const LAST_MODIFIED = [
  ...['Wed, 21 Oct 2015 07:28:00 GMT', '2015-10-21', '0', 'yesterday', ''],
  ...['Wed, 21 Oct 2015 09:28:00 +0200', '2015-10-21T07:28:00.123Z', '1e99'],
];

const headers = fc.record(
  {
    etag: fc.constantFrom('"a"', 'W/"a"', '', 'bare', '"\xfc"'),
    'last-modified': fc.constantFrom(...LAST_MODIFIED),
    'content-type': fc.constantFrom('text/html', 'application/json'),
  },
  { requiredKeys: [] },
);

const success = fc.record({
  status: fc.constantFrom(200, 200, 201, 204, 206),
  headers,
  body,
});

const compressed = success.map(({ body: plain, ...answer }) => ({
  ...answer,
  status: 200,
  headers: { ...answer.headers, 'content-encoding': 'gzip' },
  body: gzipSync(plain),
}));

const refusal = fc.record(
  {
    status: fc.constantFrom(
      ...[
        300, 304, 400, 401, 401, 403, 403, 404, 404, 405, 409, 410, 422, 500,
        501,
      ],
    ),
    headers,
    body: fc.oneof(
      body,
      fc.constant(Buffer.from('{"message":"TF401174: not there."}')),
    ),
  },
  { requiredKeys: ['status'] },
);

/** Only HTTP/1.1 has phrases, so only plain HTTP can be asked what becomes of them. */
const phrased = fc.record({
  status: fc.constantFrom(400, 404, 410, 418, 500, 599),
  reason: fc.constantFrom('Not What You Think', 'x', "I'm a Teapot"),
});

const signIn = fc.constantFrom<Answer>(
  { status: 203, body: Buffer.from('<html>Sign In</html>') },
  { status: 302, headers: { location: 'https://login.visualstudio.com/' } },
);

const answer = fc.oneof<fc.Arbitrary<Answer>[]>(
  success,
  compressed,
  refusal,
  refusal,
  signIn,
);

/** Stands for the etag of the file itself. */
const ITS_OWN = 'its own';

const options = fc.record(
  {
    etag: fc.constantFrom(ITS_OWN, ITS_OWN, '"other"', '', '"a"'),
    lastModifiedAfter: fc.constantFrom(new Date(1.5e12), new Date(1.7e12)),
  },
  { requiredKeys: [] },
);

/** Questions about files of the repositories, there or not. */
export function readQuestions(
  repositories: HostedFiles[],
): fc.Arbitrary<ReadQuestion> {
  const place = fc.record({
    repository: fc.constantFrom(...repositories),
    at: fc.constantFrom(...PLACES),
  });
  return place
    .chain(({ repository, at }) =>
      fc.constantFrom(...repository.versions).chain(version =>
        fc.record({
          call,
          uses,
          integrations,
          file: fileUrl(repository, version, at),
          provider: optional(provider),
          answer: isTyped(version)
            ? fc.constant(undefined)
            : optional(at === 'server' ? fc.oneof(answer, phrased) : answer),
          options: isTyped(version)
            ? fc.constant(undefined)
            : optional(options),
        }),
      ),
    )
    .map(({ file, ...question }) => {
      const asked = { ...question, ...file };
      return isReadOtherwise(file.url) || hasEscapes(file.url)
        ? { ...asked, answer: undefined, options: undefined }
        : { ...asked, options: withEtag(question.options, file.there) };
    })
    .filter(
      ({ answer: own, options: given }) =>
        !given || (own?.status ?? 200) === 200,
    );
}

/** Azure DevOps gives the id of the blob. */
function withEtag(
  given: ReadQuestion['options'],
  there?: Buffer,
): ReadQuestion['options'] {
  if (given?.etag !== ITS_OWN) return given;
  const blob = Buffer.concat([
    Buffer.from(`blob ${there?.length}\0`),
    there ?? Buffer.alloc(0),
  ]);
  const id = createHash('sha1').update(blob).digest('hex');
  return { ...given, etag: `"${id}"` };
}

function optional<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined, freq: 2 });
}

/** Whether upstream does not send a version as what it is, which the table has rows for. */
function isTyped({ version = '' }: HostedVersion): boolean {
  return (isUpstream(UNTYPED) ? /^G[TC]/ : /^GC/).test(version);
}

function fileUrl(
  { hosted, organization }: HostedFiles,
  { version, files }: HostedVersion,
  at: (typeof PLACES)[number],
): fc.Arbitrary<Pick<ReadQuestion, 'url' | 'there'>> {
  const missing = ['missing', 'missing/a b', '', 'MISSING%zz'];
  const folders = [...files.keys()]
    .filter(path => path.includes('/'))
    .slice(0, 3)
    .map(path => path.slice(0, path.lastIndexOf('/')));
  const rewrites: Array<(url: string) => string> = [
    url => url,
    url => url.replaceAll('+', '%20'),
    url => `${url}&_a=contents#L1`,
    url => url.replace(/%2F/g, '/'),
    url => url.replace('https://dev.', `https://${organization}@dev.`),
    asPasted,
    asCommitPage,
    asRegistryWrites,
    url =>
      url.includes('parity') ? url.replace(/_git\/.*\?/, '_git/none?') : url,
  ];
  return fc
    .record({
      path: fc.constantFrom(...files.keys(), ...missing, ...folders),
      slash: fc.constantFrom('/', '/', ''),
      rewrite: fc.constantFrom(...rewrites.slice(0, 8), ...rewrites),
    })
    .map(({ path, slash, rewrite }) => {
      const url = hosted.webUrl({ at, version, path: slash + path });
      const isElsewhere = rewrite(url).includes('_git/none');
      const there = isElsewhere ? undefined : files.get(path);
      return { url: rewrite(url), there };
    });
}

/** Without the project, where it has the repository's name and its host leaves it out. */
function asPasted(url: string): string {
  const [, start, project, repository, end] =
    /^(.*(?:visualstudio\.com|\/tfs\/[^/]*))\/([^/]*)\/_git\/([^?]*)(.*)$/.exec(
      url,
    ) ?? [];
  return start && project === repository
    ? `${start}/_git/${repository}${end}`
    : url;
}

/** The page of the commit in place of the version. */
function asCommitPage(url: string): string {
  return url.replace(/\?(.*)&version=GC(\w+)$/, '/commit/$2?$1&version=GBmain');
}

/** With the path encoded once more, as Backstage's own registry resolves it. */
function asRegistryWrites(text: string): string {
  const url = new URL(text);
  const path = url.searchParams.get('path') ?? '';
  const names = path.split('/').map(encodeURIComponent);
  url.searchParams.set('path', names.join('/'));
  return url.href;
}

/** Whether the path has escapes in it when it is decoded. */
export function hasEscapes(url: string): boolean {
  const path = parsed(url)?.searchParams.get('path') ?? '';
  return /%[0-9a-f]{2}/i.test(path);
}

/**
 * URLs that name no file; neither package asks a server for them.
 *
 * Upstream's `search` first has them parsed by a library for git URLs of every kind, which refuses
 * some in its own words.
 */
export const noFileQuestions: fc.Arbitrary<ReadQuestion> = fc.record({
  call: fc.constantFrom<ReadQuestion['call']>('readUrl', 'read'),
  url: repositoryUrl.filter(isNoFile),
  uses: fc.constant<Use[]>(['buffer']),
  integrations: fc.constant<ReadQuestion['integrations']>('upstream'),
});

function isNoFile(url: string): boolean {
  const question = { call: 'getAzureFileFetchUrl', url } as const;
  const answers = [answerUrl(upstream, question), expectedOf(question)];
  return answers.every(answer => 'error' in answer);
}

/** Readers of every host as text. */
export function nameQuestions(): fc.Arbitrary<ReadQuestion> {
  const hosts = appConfig().integrations.azure.map(({ host }) => host);
  return fc.record({
    call: fc.constant<ReadQuestion['call']>('toString'),
    url: fc.constantFrom(...hosts).map(host => `https://${host}/`),
    uses: fc.constant<Use[]>([]),
    integrations,
  });
}
