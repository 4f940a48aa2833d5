import { randomUUID } from 'node:crypto';
import http, {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  AZURE_DEVOPS,
  TOKEN_EXCHANGE,
  type EntraId,
  type Issued,
} from './EntraId';
import { Faults, type Fault } from './Faults';

/** A managed identity that is assigned to the machine. */
export interface AssignedIdentity {
  /** The system-assigned one where it is missing. */
  clientId?: string;
  /** The organizations of Azure DevOps that its tokens read; all where they are missing. */
  organizations?: string[];
}

/** A request for a managed identity's token, and what became of it. */
export interface IdentityRequest {
  /** When it was there, in milliseconds since 1970. */
  at: number;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The status of the answer; 0 while there is none. */
  status: number;
}

/** An answer, before it is written as JSON. */
export type Answer = [status: number, body: object];

/** What an identity got, and for what. */
export interface Grant extends Issued {
  clientId: string;
  resource: string;
}

/** What the machine's endpoints for managed identities have in common. */
export abstract class IdentityEndpoint {
  identities: AssignedIdentity[] = [];
  /** Every request, oldest first. */
  readonly requests: IdentityRequest[] = [];
  /** The client id of the system-assigned identity. */
  readonly systemAssigned = randomUUID();
  /** Answers requests, for a server of one's own. */
  readonly listener: RequestListener = (request, response) =>
    this.#answer(request, response);

  readonly #faults = new Faults<IdentityRequest>();
  readonly #server = http.createServer(this.listener);

  constructor(private readonly entra: EntraId) {}

  /** Does something else with the requests that match; the result takes it back. */
  misbehave(fault: Fault<IdentityRequest>): () => void {
    return this.#faults.add(fault);
  }

  /** Listens until it is closed; nothing else keeps the process. */
  async listen(port: number, address: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, address, resolve);
    });
    this.#server.unref();
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  protected get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Refuses a request that is not in order, whoever it is for. */
  protected abstract refuse(request: IdentityRequest): Answer | undefined;

  /** Which of the identities is meant. */
  protected abstract identify(clientId?: string): AssignedIdentity | undefined;

  /** The answer where there is no such identity, or nothing for which it gets a token. */
  protected abstract notFound(): Answer;

  /** The answer with a token. */
  protected abstract tell(grant: Grant): object;

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://m');
    const record: IdentityRequest = {
      at: Date.now(),
      path: pathname,
      query: searchParams,
      headers: request.headers,
      status: 0,
    };
    this.requests.push(record);
    const fault = this.#faults.take(record);
    if (fault?.resetConnection) {
      request.socket.resetAndDestroy();
      return;
    }
    const [status, body] = fault
      ? [fault.status ?? 500, fault.body ?? '']
      : written(this.refuse(record) ?? this.#token(searchParams));
    record.status = status;
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    response.writeHead(status, { ...headers, ...fault?.headers }).end(body);
  }

  #token(query: URLSearchParams): Answer {
    const resource = query.get('resource') ?? '';
    const identity = this.identify(query.get('client_id') ?? undefined);
    const isKnown = [AZURE_DEVOPS, TOKEN_EXCHANGE].includes(resource);
    if (!identity || !isKnown) return this.notFound();
    const { clientId, organizations } = identity;
    const subject = clientId ?? 'system-assigned';
    const issued = this.entra.issueTo(subject, resource, organizations);
    const grant = {
      ...issued,
      clientId: clientId ?? this.systemAssigned,
      resource,
    };
    return [200, this.tell(grant)];
  }
}

/** Unix time, as the endpoints write it. */
export function seconds(milliseconds: number): string {
  return String(Math.floor(milliseconds / 1000));
}

function written([status, body]: Answer): [number, string] {
  return [status, JSON.stringify(body)];
}
