/** What became of a question: an answer or an error, in a form that can be compared. */

/** An answer, or the error in its place. */
export type Outcome = { value: unknown } | { error: Thrown };

/** What callers tell errors apart by. */
export interface Thrown {
  name: string;
  message: string;
}

/** Asks, and catches what is thrown. */
export async function outcomeOf(ask: () => unknown): Promise<Outcome> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: thrown(error) };
  }
}

/** The part of an error that is compared. */
export function thrown(error: unknown): Thrown {
  const { name, message } = error as Error;
  return { name, message };
}

/** Whether two outcomes are the same to the last key, those that are `undefined` included. */
export function same(a: unknown, b: unknown): boolean {
  return written(a) === written(b);
}

/**
 * A value as text that is the same for equal values only.
 *
 * Prototypes do not count: native code makes its objects outside of the tests' sandbox.
 */
export function written(value: unknown): string {
  if (value instanceof Uint8Array) {
    return `bytes ${Buffer.from(value).toString('base64')}`;
  }
  if (Array.isArray(value)) {
    return `[${value.map(written).join()}]`;
  }
  if (typeof value === 'object' && value !== null) {
    return value instanceof Date ? `date ${+value}` : writtenObject(value);
  }
  // JSON writes lone surrogates as escapes, and nothing at all for undefined.
  return JSON.stringify(value) ?? String(value);
}

function writtenObject(object: object): string {
  const entries = Object.entries(object).map(
    ([key, value]) => `${JSON.stringify(key)}:${written(value)}`,
  );
  return `{${entries.sort().join()}}`;
}
