import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import {
  ConnectionFaults,
  join,
  type ConnectionFault,
  type Passed,
} from './ConnectionFault';

/** Of this machine's addresses those from 127.0.1.0 on, whose ports no connection of others takes. */
let addresses = 255;

/** An address that leads to a server, and whose connections can break. */
export class Gate {
  static async open(port: number): Promise<Gate> {
    addresses += 1;
    const bytes = [addresses >> 16, addresses >> 8, addresses];
    const address = [127, ...bytes.map(byte => byte & 255)].join('.');
    const gate = new Gate(address, port);
    await gate.#listen(0);
    return gate;
  }

  /** What was passed on over each connection. */
  readonly passed: Passed[] = [];

  readonly #faults = new ConnectionFaults();
  readonly #sockets = new Set<Socket>();
  #server!: Server;
  #place!: AddressInfo;

  private constructor(
    private readonly address: string,
    private readonly port: number,
  ) {}

  /** Address and port. */
  get host(): string {
    return `${this.address}:${this.#place.port}`;
  }

  /** How many connections clients have open. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Breaks connections that are made from now on; the result takes it back. */
  async breakConnections(fault: ConnectionFault): Promise<() => Promise<void>> {
    if (fault.how === 'refuse') {
      await this.close();
      return () => this.#listen(this.#place.port);
    }
    const takeBack = this.#faults.add(fault);
    return async () => takeBack();
  }

  /** Closes it with all its connections. */
  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    this.closeConnections();
    await closed;
  }

  /** Closes every connection, so that the next request makes a new one. */
  closeConnections(): void {
    this.#sockets.forEach(socket => socket.destroy());
  }

  async #listen(port: number): Promise<void> {
    this.#server = net.createServer({ noDelay: true }, client =>
      this.#pass(client),
    );
    this.#server.unref();
    await new Promise<void>(resolve =>
      this.#server.listen(port, this.address, resolve),
    );
    this.#place = this.#server.address() as AddressInfo;
  }

  #pass(client: Socket): void {
    const { port } = this;
    this.#sockets.add(client);
    client.once('close', () => this.#sockets.delete(client));
    const server = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.passed.push(join(client, server, this.#faults.take(this.host)));
  }
}
