import { native } from './binding';
import type { Cancellation } from './native';
import { onAbort } from './onAbort';

/** Calls with what ends the call when the signal says so. */
export async function cancellable<T>(
  signal: AbortSignal | undefined,
  call: (cancellation?: Cancellation) => Promise<T>,
): Promise<T> {
  const cancellation = signal && new (native().Cancellation)();
  const release = onAbort(signal, () => cancellation?.cancel());
  try {
    return await call(cancellation);
  } finally {
    release();
  }
}
