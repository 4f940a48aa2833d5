import { rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { AUTHORITY_HOSTS, EntraId } from '../entra/EntraId';
import { ApiError } from './ApiError';
import {
  credentialKind,
  isAdmitted,
  isInScope,
  signInPage,
  type Token,
} from './authentication';
import type { Budget } from './Budget';
import { makeCertificates } from './certificates';
import {
  ConnectionFaults,
  join,
  type ConnectionFault,
} from './ConnectionFault';
import { Gate } from './Gate';
import {
  type Answer,
  GitApi,
  type HostedRepository,
  noRepository,
} from './GitApi';
import { type FileToCommit, GitRepository } from './GitRepository';
import { Misbehaviours, type Misbehaviour } from './Misbehaviour';
import { noProject, OrganizationApi, projectId } from './OrganizationApi';
import type { RecordedRequest } from './RecordedRequest';
import { resourceAreas, resourceLocations } from './resources';
import { parseRoute, type Route } from './route';
import {
  breakOff,
  isBeforeHead,
  onAbort,
  send,
  type Request,
  type Response,
  type Written,
} from './send';
import { temporaryFolder } from '../temporaryFolder.cjs';

/** What the stand-in may be told when it starts. */
export interface AzureDevOpsOptions {
  /** Personal access tokens or bearer tokens, with the organizations that each may read (all by default). */
  tokens?: Array<string | Token>;
}

/** A repository to host: with files to commit, or one that is there already. */
export interface RepositoryToHost {
  organization: string;
  project: string;
  repository: string;
  files?: Record<string, FileToCommit>;
  /** A git directory, bare or not. */
  path?: string;
  /** What another repository hosts already, and has read. */
  git?: GitRepository;
  defaultBranch?: string;
  /** Sent as `Last-Modified`, which Azure DevOps itself does not send. */
  lastModified?: Date;
  /** Whether it is switched off. */
  isDisabled?: boolean;
}

/** The token that reads everything unless others are asked for. */
export const DEFAULT_TOKEN = 'stand-in-personal-access-token';

const HOSTS = ['dev.azure.com', '*.visualstudio.com', ...AUTHORITY_HOSTS];

/**
 * A stand-in for Azure DevOps over real git repositories: as a Server host over plain HTTP, and
 * over TLS as `dev.azure.com` and `*.visualstudio.com`, reached through its CONNECT proxy.
 */
export class AzureDevOps {
  static async start(options: AzureDevOpsOptions = {}): Promise<AzureDevOps> {
    const azure = new AzureDevOps(options);
    await azure.#listen();
    return azure;
  }

  /** Every request since the last `clearRequests`, oldest first. */
  readonly requests: RecordedRequest[] = [];
  /** Every `host:port` that the proxy was asked for. */
  readonly proxyRequests: string[] = [];
  /** Organizations (or collections) that are read without a credential. */
  readonly anonymous = new Set<string>();
  /** Where the certificates, and the repositories made here, lie. */
  readonly directory = temporaryFolder('stand-in-azure-devops');
  /** The authority that vouches for the TLS hosts, as a PEM file. */
  readonly caFile = path.join(this.directory, 'ca.pem');
  /** Entra ID, whose tokens are accepted here. */
  readonly entra = new EntraId();
  /** What a request without a credential gets that does not ask for a `401`. */
  signIn: 'page' | 'redirect' = 'redirect';

  readonly #tokens: Token[];
  readonly #repositories: HostedRepository[] = [];
  readonly #misbehaviours = new Misbehaviours();
  readonly #connectionFaults = new ConnectionFaults();
  readonly #inProgress = new Set<RecordedRequest>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #tunnels = new Map<string, Socket[]>();
  #budget: Budget | undefined;
  #keepsProcess = true;
  #plain!: AddressInfo;
  #tls!: AddressInfo;
  #proxy!: AddressInfo;

  private constructor(options: AzureDevOpsOptions) {
    const tokens = options.tokens ?? [DEFAULT_TOKEN];
    this.#tokens = tokens.map(token =>
      typeof token === 'string' ? { token } : token,
    );
  }

  /** The Server host, with its port. */
  get host(): string {
    return `127.0.0.1:${this.#plain.port}`;
  }

  /** The Server host's URL. */
  get url(): string {
    return `http://${this.host}`;
  }

  /** The CONNECT proxy's URL. */
  get proxyUrl(): string {
    return `http://127.0.0.1:${this.#proxy.port}`;
  }

  /** How many connections clients have open. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  addToken(token: string | Token): void {
    this.#tokens.push(typeof token === 'string' ? { token } : token);
  }

  /** Refuses a token from now on. */
  revokeToken(token: string): void {
    const others = this.#tokens.filter(known => known.token !== token);
    this.#tokens.splice(0, Infinity, ...others);
  }

  /** Hosts a repository, and gives the git repository with its URLs. */
  async addRepository(options: RepositoryToHost): Promise<Hosted> {
    const { organization, project, repository: name } = options;
    const { lastModified, isDisabled } = options;
    const git = options.git ?? this.#gitOf(options);
    if (options.files) await git.commit({ files: options.files });
    const hosted = {
      organization,
      project,
      name,
      git,
      lastModified,
      isDisabled,
    };
    this.#repositories.push(hosted);
    return new Hosted(this, hosted);
  }

  /** Does something else with the requests that match; the result takes it back. */
  misbehave(misbehaviour: Misbehaviour): () => void {
    return this.#misbehaviours.add(misbehaviour);
  }

  /** Breaks connections that are made through the proxy from now on; the result takes it back. */
  breakConnections(fault: ConnectionFault): () => void {
    return this.#connectionFaults.add(fault);
  }

  /** Another address of the Server host, whose connections nobody else has. */
  async openGate(): Promise<Gate> {
    return Gate.open(this.#plain.port);
  }

  /** Answers within this budget, which each token has to itself; the result takes it back. */
  limit(budget: Budget): () => void {
    this.#budget = budget;
    return () => {
      if (this.#budget === budget) this.#budget = undefined;
    };
  }

  clearRequests(): void {
    this.requests.length = 0;
    this.proxyRequests.length = 0;
  }

  /** Behaves again, and forgets the requests; repositories and tokens stay. */
  reset(): void {
    this.#misbehaviours.clear();
    this.#connectionFaults.clear();
    this.#budget = undefined;
    this.clearRequests();
    this.anonymous.clear();
    this.signIn = 'redirect';
    this.entra.reset();
  }

  /** Lets a process end although the stand-in listens and clients keep connections. */
  unref(): void {
    this.#keepsProcess = false;
    this.#servers.forEach(server => server.unref());
  }

  /** Closes every connection, so that the next request makes a new one. */
  closeConnections(): void {
    this.#sockets.forEach(socket => socket.destroy());
    this.#tunnels.clear();
  }

  /** Closes the connections to a host that were made through the proxy. */
  closeTunnels(host: string): void {
    this.#tunnels.get(host)?.forEach(socket => socket.destroy());
    this.#tunnels.delete(host);
  }

  async close(): Promise<void> {
    const closed = this.#servers.map(
      server => new Promise(resolve => server.close(resolve)),
    );
    this.closeConnections();
    await Promise.all(closed);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #gitOf({ path: own, defaultBranch }: RepositoryToHost): GitRepository {
    if (own) return GitRepository.open(own);
    const directory = temporaryFolder('repository', this.directory);
    return GitRepository.init(directory, defaultBranch);
  }

  async #listen(): Promise<void> {
    const { ca, key, cert } = await makeCertificates(HOSTS);
    writeFileSync(this.caFile, `${ca}\n`);
    // Who goes away while it asks needs no answer.
    const answer = (request: Request, response: Response) =>
      void this.#handle(request, response).catch(() => {});
    const options = { key, cert, allowHTTP1: true };
    this.#plain = await this.#start(
      http.createServer({ keepAliveTimeout: 60_000 }, answer),
    );
    this.#tls = await this.#start(http2.createSecureServer(options, answer));
    this.#proxy = await this.#start(this.#makeProxy());
  }

  async #start(server: Server): Promise<AddressInfo> {
    this.#servers.push(server);
    server.on('connection', (socket: Socket) => {
      this.#track(socket);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return server.address() as AddressInfo;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (!this.#keepsProcess) socket.unref();
  }

  /** Whatever host it is asked for, the proxy leads to the TLS server. */
  #makeProxy(): Server {
    const proxy = http.createServer((_request, response) =>
      response.writeHead(405).end(),
    );
    proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
      const { url: place = '' } = request;
      this.proxyRequests.push(place);
      const host = place.split(':')[0];
      const fault = this.#connectionFaults.take(host);
      if (fault?.how === 'refuse') {
        socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      const { port } = this.#tls;
      const server = net.connect({ port, host: '127.0.0.1', noDelay: true });
      this.#track(server);
      this.#tunnels.set(host, [...(this.#tunnels.get(host) ?? []), socket]);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      join(socket, server, fault);
    });
    return proxy;
  }

  async #handle(request: Request, response: Response): Promise<void> {
    if (AUTHORITY_HOSTS.includes(hostOf(request))) {
      await this.#signIn(request, response);
      return;
    }
    const record = await this.#record(request, response);
    const misbehaviour = this.#misbehaviours.take(record) ?? {};
    if (misbehaviour.delayMs) await wait(misbehaviour.delayMs);
    await misbehaviour.after;
    const isEarly = isBeforeHead(misbehaviour);
    if (isEarly && (await breakOff(request, response, misbehaviour))) {
      this.#inProgress.delete(record);
      return;
    }
    const answer = misbehaviour.status
      ? scripted(misbehaviour)
      : await this.#answerWithinBudget(request, record);
    record.status = answer.status;
    record.answeredAt = Date.now();
    await send(request, response, answer, misbehaviour, record);
    this.#inProgress.delete(record);
  }

  /** Leaves the request to Entra ID. */
  async #signIn(request: Request, response: Response): Promise<void> {
    const { url = '/' } = request;
    const body = await text(request);
    const answer = await this.entra.answer(hostOf(request), url, body);
    if (!answer) {
      await breakOff(request, response, { resetAfter: -1 });
      return;
    }
    response.writeHead(answer.status, answer.headers);
    (response as ServerResponse).end(answer.body);
  }

  async #record(
    request: Request,
    response: Response,
  ): Promise<RecordedRequest> {
    const { method = 'GET', url = '/', headers } = request;
    const record: RecordedRequest = {
      at: Date.now(),
      protocol: request.httpVersionMajor === 2 ? 'h2' : 'http/1.1',
      method,
      host: hostOf(request),
      url,
      headers,
      credential: credentialKind(headers.authorization),
      inProgress: this.#countInProgress(headers.authorization) + 1,
      status: 0,
      bytesSent: 0,
      aborted: false,
    };
    this.requests.push(record);
    this.#inProgress.add(record);
    onAbort(request, response, () => {
      record.aborted = true;
      this.#inProgress.delete(record);
    });
    if (method === 'POST') record.body = await text(request);
    return record;
  }

  #countInProgress(authorization?: string): number {
    const same = [...this.#inProgress].filter(
      ({ headers }) => headers.authorization === authorization,
    );
    return same.length;
  }

  /** Answers as late as the budget says, or not at all. */
  async #answerWithinBudget(
    request: Request,
    record: RecordedRequest,
  ): Promise<Written> {
    if (!this.#budget) return this.#answer(request, record);
    const { refusal, delayMs, headers } = this.#budget.charge(record);
    if (refusal === 'unknown') return signInPage('refusal', record.host);
    if (delayMs > 0) await wait(delayMs);
    const answer = refusal
      ? failed(refusal, request)
      : await this.#answer(request, record);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  }

  async #answer(request: Request, record: RecordedRequest): Promise<Written> {
    try {
      const route = parseRoute(record.host, record.url);
      const suppress = request.headers['x-tfs-fedauthredirect'] === 'Suppress';
      const admitted =
        this.anonymous.has(route.organization) ||
        isAdmitted(
          [...this.#tokens, ...this.entra.validTokens()],
          request.headers.authorization,
          route.organization,
        );
      const inScope = isInScope(
        this.#tokens,
        request.headers.authorization,
        route.resource[0],
      );
      if (!admitted || !inScope)
        return signInPage(suppress ? 'refusal' : this.signIn, record.host);
      return written(await this.#route(request, route, record), request);
    } catch (error) {
      const known =
        error instanceof ApiError
          ? error
          : new ApiError(500, 'Exception', String(error));
      return failed(known, request);
    }
  }

  async #route(
    request: Request,
    route: Route,
    record: RecordedRequest,
  ): Promise<Answer> {
    const { organization, project, resource } = route;
    const baseUrl = `${record.host.startsWith('127.') ? 'http' : 'https'}://${record.host}${route.base}`;
    if (request.method === 'OPTIONS') return { json: resourceLocations() };
    if (resource[0]?.toLowerCase() === 'resourceareas')
      return { json: resourceAreas() };
    const ofOrganization = new OrganizationApi(this.#in(organization), [
      ...this.#tokens,
      ...this.entra.validTokens(),
    ]).answer({
      resource,
      query: route.query,
      baseUrl,
      authorization: request.headers.authorization,
    });
    if (ofOrganization) return ofOrganization;
    if (
      resource[0] !== 'git' ||
      resource[1]?.toLowerCase() !== 'repositories'
    ) {
      throw new ApiError(
        404,
        'VssResourceNotFoundException',
        'TF400813: The resource is not available.',
      );
    }
    const repositories = this.#in(organization, project);
    if (!resource[2]) {
      const value = repositories.map(r => new GitApi(r).describe({ baseUrl }));
      return { json: { count: value.length, value } };
    }
    return new GitApi(find(repositories, resource[2], project)).answer({
      method: request.method ?? 'GET',
      path: resource.slice(3),
      query: route.query,
      accept: String(request.headers.accept ?? '*/*'),
      body: record.body ? JSON.parse(record.body) : undefined,
      baseUrl,
    });
  }

  #in(organization: string, project?: string): HostedRepository[] {
    const within = this.#repositories.filter(r =>
      same(r.organization, organization),
    );
    if (within.length === 0) {
      throw new ApiError(
        404,
        'ServiceHostDoesNotExistException',
        `TF400636: The organization ${organization} does not exist.`,
      );
    }
    if (project === undefined) return within;
    const found = within.filter(
      r => same(r.project, project) || projectId(r.project) === project,
    );
    if (found.length === 0) throw noProject(project);
    return found;
  }
}

/** A repository that the stand-in hosts. */
export class Hosted {
  constructor(
    private readonly azure: AzureDevOps,
    private readonly repository: HostedRepository,
  ) {}

  /** The git repository itself. */
  get git(): GitRepository {
    return this.repository.git;
  }

  /** The URL that a browser shows for a path at one of the hosts. */
  webUrl(options: WebUrlOptions = {}): string {
    const { organization, project, name } = this.repository;
    const parts = [encode(project), '_git', encode(name)].join('/');
    const { at = 'dev.azure.com' } = options;
    const base =
      at instanceof Gate
        ? `http://${at.host}/${encode(organization)}`
        : {
            'dev.azure.com': `https://dev.azure.com/${encode(organization)}`,
            'visualstudio.com': `https://${organization}.visualstudio.com`,
            server: `${this.azure.url}/${encode(organization)}`,
            tfs: `${this.azure.url}/tfs/${encode(organization)}`,
          }[at];
    const query = new URLSearchParams();
    if (options.path !== undefined) query.set('path', options.path);
    if (options.version !== undefined) query.set('version', options.version);
    return `${base}/${parts}${query.size > 0 ? `?${query}` : ''}`;
  }
}

/** What a web URL is to say, and at which of the hosts. */
export interface WebUrlOptions {
  path?: string;
  /** With its prefix, e.g. `GBmain`. */
  version?: string;
  at?: 'dev.azure.com' | 'visualstudio.com' | 'server' | 'tfs' | Gate;
}

function scripted({
  status = 200,
  reason,
  headers = {},
  body = '',
}: Misbehaviour): Written {
  return { status, reason, headers, body: Buffer.from(body) };
}

function written(answer: Answer, request: Request): Written {
  if ('json' in answer) {
    const headers = {
      'content-type': 'application/json; charset=utf-8; api-version=7.1',
      ...answer.headers,
    };
    const body = Buffer.from(JSON.stringify(answer.json));
    const gzip = String(request.headers['accept-encoding']).includes('gzip');
    return gzip
      ? {
          status: 200,
          headers: { ...headers, 'content-encoding': 'gzip' },
          body: gzipSync(body),
        }
      : { status: 200, headers, body };
  }
  const headers = { 'content-type': answer.type, ...answer.headers };
  return isUnchanged(request, headers)
    ? { status: 304, headers, body: Buffer.alloc(0) }
    : { status: 200, headers, body: answer.bytes };
}

function failed(error: ApiError, request: Request): Written {
  const { status, body } = error;
  return { ...written({ json: body }, request), status };
}

function isUnchanged(
  request: Request,
  headers: Record<string, string>,
): boolean {
  const { 'if-none-match': etags, 'if-modified-since': since } =
    request.headers;
  if (etags !== undefined)
    return headers.etag !== undefined && etags === headers.etag;
  const modified = headers['last-modified'];
  return !!since && !!modified && Date.parse(modified) <= Date.parse(since);
}

/** A repository is known by its id anywhere, and by its name in its project alone. */
function find(
  repositories: HostedRepository[],
  name: string,
  project?: string,
): HostedRepository {
  const found = repositories.find(
    r => r.git.id === name || (project !== undefined && same(r.name, name)),
  );
  if (!found) throw noRepository(name);
  return found;
}

function hostOf({ headers }: Request): string {
  return String(headers[':authority'] ?? headers.host);
}

async function text(request: Request): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function encode(segment: string): string {
  return encodeURIComponent(segment);
}
