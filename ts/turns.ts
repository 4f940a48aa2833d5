/** How long work goes on before the event loop turns, in milliseconds: half of what is promised. */
const TURN = 10;

/** When work that began in this turn of the event loop ends. */
let endsAt: number | undefined;

/** Those who wait for a turn, each for one of its own. */
let waiting: Promise<void> = Promise.resolve();

/**
 * Does something for every index below a number, in order, and lets the event loop turn meanwhile: all that
 * work at the same time share the time between two turns.
 *
 * @throws What the work throws, or the reason of a signal that ends it.
 */
export async function inTurns(
  count: number,
  work: (index: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  for (let index = 0; index < count; index += 1) {
    if (isOver()) {
      await turn();
      signal?.throwIfAborted();
    }
    work(index);
  }
}

function isOver(): boolean {
  const now = performance.now();
  if (endsAt === undefined) {
    endsAt = now + TURN;
    setImmediate(begin);
  }
  return now >= endsAt;
}

function begin(): void {
  endsAt = undefined;
}

function turn(): Promise<void> {
  waiting = waiting.then(() => new Promise(resolve => setImmediate(resolve)));
  return waiting;
}
