/** What is waited for, and for how long at most. */
export interface Patience {
  /** In words, for the failure. */
  what: string;
  seconds?: number;
}

/**
 * Asks again and again until the answer is neither false nor missing, and gives it.
 *
 * @param patience - Without it the limit of the test is the end.
 */
export async function until<T>(
  ask: () => T | Promise<T>,
  patience?: Patience,
): Promise<Exclude<T, false | null | undefined>> {
  const { what = '', seconds = patience ? 30 : Infinity } = patience ?? {};
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) {
      return answer as Exclude<T, false | null | undefined>;
    }
    if (Date.now() >= end) {
      throw new Error(`There is no ${what} after ${seconds} s.`);
    }
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
