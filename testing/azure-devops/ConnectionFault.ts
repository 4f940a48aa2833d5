import type { Socket } from 'node:net';
import { Faults } from './Faults';
import { arrival, resetNow } from './reset';

/** How connections break, whatever goes over them: TLS, heads, bodies. */
export interface ConnectionFault {
  /** The connections that it is for: those to this host; all where it is missing. */
  host?: string;
  /** How often it happens; always where it is missing. */
  times?: number;
  /** Nobody listens, or the proxy gets no connection; reset it; end it; pass on nothing more. */
  how: 'refuse' | 'reset' | 'end' | 'stall';
  /** Whose bytes are counted. */
  from?: 'client' | 'server';
  /** It happens once so many of them were passed on; at once where it is missing. */
  after?: number;
}

/** The faults that are asked for, oldest first. */
export class ConnectionFaults extends Faults<ConnectionFault> {
  /** The one that a connection to this host gets, if any, which is then used once. */
  take(host: string): ConnectionFault | undefined {
    return this.takeFirst(fault => (fault.host ?? host) === host);
  }
}

/** Passes on what both ends send until the fault, and how much it was. */
export function join(
  client: Socket,
  server: Socket,
  fault: ConnectionFault = { how: 'end', after: Infinity },
): Passed {
  const passed = { client: 0, server: 0 };
  const { from: side = 'client', after = 0 } = fault;
  let isBroken = false;
  const breakNow = () => {
    isBroken = true;
    breakOff(client, server, fault);
  };
  const pass = (from: Socket, to: Socket, name: keyof Passed) => {
    const unlessBroken = (act: () => void) => () => void (isBroken || act());
    from.on('data', piece => {
      if (isBroken) return;
      const room = name === side ? after - passed[name] : Infinity;
      const taken = piece.subarray(0, Math.min(room, piece.length));
      passed[name] += taken.length;
      if (!to.write(taken)) holdBack(from, to);
      if (room <= piece.length) breakNow();
    });
    from.on(
      'end',
      unlessBroken(() => to.end()),
    );
    from.on(
      'close',
      unlessBroken(() => to.destroySoon()),
    );
    from.on(
      'error',
      unlessBroken(() => resetNow(to)),
    );
  };
  pass(client, server, 'client');
  pass(server, client, 'server');
  if (after === 0) breakNow();
  return passed;
}

/** How many bytes of each end were passed on. */
export interface Passed {
  client: number;
  server: number;
}

function holdBack(from: Socket, to: Socket): void {
  from.pause();
  to.once('drain', () => from.resume());
}

function breakOff(
  client: Socket,
  server: Socket,
  { how }: ConnectionFault,
): void {
  server.destroy();
  // The client's end is noticed only while it is read.
  client.resume();
  if (how === 'reset') void arrival().then(() => resetNow(client));
  else if (how === 'end') client.end();
}
