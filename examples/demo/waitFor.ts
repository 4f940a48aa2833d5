/** Asks until there is an answer, or fails when the time is up. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  seconds = 30,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error(`There is no ${what} after ${seconds} s.`);
}
