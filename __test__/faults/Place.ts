import {
  standIn,
  type ConnectionFault,
  type Gate,
  type Hosted,
  type Misbehaviour,
  type RecordedRequest,
} from '../../testing/azure-devops';
import { isSilent, toMisbehaviour, type Case } from '../../testing/faults';
import { readerOf, type Contents, type Operation } from './operations';
import { until } from '../../testing/until';

/** What an operation costs where nothing goes wrong. */
export interface Usual {
  /** The sizes of the answers' bodies. */
  sizes: number[];
  /** The most bytes that go over one connection. */
  passed: { client: number; server: number };
}

/** What TLS adds to that, about. */
const TLS = { client: 1_200, server: 2_000 };

/** A list is refused as by a server that does not know the call. */
const LIST = /scopePath|itemsbatch/;

let places = 0;

/** Whether all who read there have one connection. */
export function isShared(host: string): boolean {
  return host === 'dev.azure.com';
}

/** Where one operation reads, so that what goes wrong there goes wrong for nobody else. */
export class Place {
  static async of(
    at: Case['at'],
    operation: Operation,
    hosted: Hosted,
    workingDirectory: string,
  ): Promise<Place> {
    const azure = standIn();
    places += 1;
    const gate = at === 'server' ? await azure.openGate() : undefined;
    const own = {
      organization: isShared(at) ? 'faults-shared' : `faults-${places}`,
      project: 'p',
      repository: `r${places}`,
      git: hosted.git,
    };
    const here = gate ? hosted : await azure.addRepository(own);
    const { path, version } = operation;
    const where = at === 'server' ? gate : at;
    const url = here.webUrl({ path, version, at: where });
    return new Place(operation, url, workingDirectory, gate);
  }

  readonly #azure = standIn();
  readonly #host: string;
  #takeBack = () => {};

  private constructor(
    private readonly operation: Operation,
    readonly url: string,
    private readonly workingDirectory: string,
    private readonly gate: Gate | undefined,
  ) {
    this.#host = new URL(url).host;
  }

  /** Reads here what the operation reads. */
  async read(maxRetries?: number, signal?: AbortSignal): Promise<Contents> {
    const reader = readerOf(this.url, this.workingDirectory, maxRetries);
    return this.operation.run(reader, this.url, signal);
  }

  /** What a read costs here, where nothing goes wrong. */
  async measure(): Promise<Usual> {
    const requests: RecordedRequest[] = [];
    const match = (request: RecordedRequest) => {
      if (request.host === this.#host) requests.push(request);
      return false;
    };
    const takeBack = this.#azure.misbehave({ match });
    this.#lackLists();
    await this.read();
    takeBack();
    const passed = this.gate?.passed ?? [];
    return {
      sizes: requests.map(({ bytesSent }) => bytesSent),
      passed: {
        client: Math.max(0, ...passed.map(({ client }) => client)),
        server: Math.max(0, ...passed.map(({ server }) => server)),
      },
    };
  }

  /** Makes the fault; the result ends it, and tells whether nothing is held on to. */
  async breakAs(one: Case, usual: Usual): Promise<() => Promise<boolean>> {
    const takeBack =
      one.fault.how === 'connection'
        ? await this.#breakConnections(one, one.fault.fault, usual)
        : this.#breakRequests(one, usual);
    this.#lackLists();
    return takeBack;
  }

  /** Closes its connections. */
  async close(): Promise<void> {
    this.#takeBack();
    await this.gate?.close();
    if (!isShared(this.#host)) this.#azure.closeTunnels(this.#host);
  }

  async #breakConnections(
    { share, times }: Case,
    { how, from = 'client' }: ConnectionFault,
    { passed }: Usual,
  ): Promise<() => Promise<boolean>> {
    const whole = passed[from] + (this.gate ? 0 : TLS[from]);
    const after = Math.floor(share * whole);
    const fault = { how, from, after, times: times || Infinity };
    const takeBack = this.gate
      ? await this.gate.breakConnections(fault)
      : this.#azure.breakConnections({ ...fault, host: this.#host });
    return async () => {
      await takeBack();
      // What is broken, or about to be, is not what the next read is to find.
      this.gate?.closeConnections();
      this.#azure.closeTunnels(this.#host);
      return true;
    };
  }

  #breakRequests(
    { fault, nth, share, times }: Case,
    { sizes }: Usual,
  ): () => Promise<boolean> {
    const broken: RecordedRequest[] = [];
    const first = nth % sizes.length;
    let seen = 0;
    const match = (request: RecordedRequest) => {
      if (request.host !== this.#host) return false;
      if (fault.how === 'damaged JSON' && !asksForJson(request)) return false;
      seen += 1;
      const isDue = seen > first && broken.length < (times || Infinity);
      if (isDue) broken.push(request);
      return isDue;
    };
    const misbehaviour: Misbehaviour =
      fault.how === 'connection'
        ? {}
        : toMisbehaviour(fault, sizes[first], share);
    const takeBack = this.#azure.misbehave({ ...misbehaviour, match });
    return async () => {
      takeBack();
      return !isSilent(fault) || allAborted(broken);
    };
  }

  #lackLists(): void {
    if (!this.operation.lacksLists) return;
    const match = ({ host, url }: RecordedRequest) =>
      host === this.#host && LIST.test(url);
    this.#takeBack = this.#azure.misbehave({ match, status: 404 });
  }
}

function asksForJson({ headers }: RecordedRequest): boolean {
  return headers.accept === 'application/json';
}

/** Whether the client has gone away from all of them, soon. */
async function allAborted(requests: RecordedRequest[]): Promise<boolean> {
  const areAborted = () => requests.every(({ aborted }) => aborted);
  return until(areAborted, { what: 'end of the requests', seconds: 5 }).then(
    () => true,
    () => false,
  );
}
