/** What is waited for, and for how long. */
export interface Patience {
  /** In words, for the failure. */
  what?: string;
  /** At most; by default 30 where it is said what is waited for, and else the limit of the test is the end. */
  seconds?: number;
  /** How often it is asked. */
  everyMs?: number;
}

/** Asks again and again until the answer is neither false nor missing, and gives it. */
export async function until<T>(
  ask: () => T | Promise<T>,
  { what, seconds = what ? 30 : Infinity, everyMs = 20 }: Patience = {},
): Promise<Exclude<T, false | null | undefined>> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== null && answer !== undefined) {
      return answer as Exclude<T, false | null | undefined>;
    }
    if (Date.now() >= end) {
      throw new Error(`There is no ${what ?? 'answer'} after ${seconds} s.`);
    }
    await new Promise(resolve => setTimeout(resolve, everyMs));
  }
}
