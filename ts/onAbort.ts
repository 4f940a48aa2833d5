import { getMaxListeners, setMaxListeners } from 'node:events';

/** As many reads as one signal may end before Node takes them for a leak. */
const MANY_READS = 10_000;

/** Calls back once a signal is aborted, which may be now; the result takes it back. */
export function onAbort(
  signal: AbortSignal | undefined,
  listener: () => void,
): () => void {
  if (!signal) return () => {};
  if (signal.aborted) listener();
  if (getMaxListeners(signal) < MANY_READS) setMaxListeners(MANY_READS, signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/**
 * Closes something once a signal is aborted; the result takes it back. A signal may live long, and so
 * does not keep what is otherwise garbage.
 */
export function closeOnAbort(
  signal: AbortSignal | undefined,
  closable: { close(): void },
): () => void {
  const weak = new WeakRef(closable);
  return onAbort(signal, () => weak.deref()?.close());
}
