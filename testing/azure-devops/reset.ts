import type { Socket } from 'node:net';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';

/**
 * Resets a connection. `resetAndDestroy` ends it first, and who reads fast enough sees that end in
 * place of the reset.
 */
export function resetNow(socket: Socket): void {
  Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}

/** Lets what was written arrive: Node takes a reset that comes together with data for an end. */
export async function arrival(): Promise<void> {
  await wait(1);
  await turn();
}
