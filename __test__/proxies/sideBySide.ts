/** Does so many things at a time, and gives what came of them in their order. */
export async function sideBySide<T, R>(
  things: T[],
  atOnce: number,
  act: (thing: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async () => {
    while (next < things.length) {
      const n = next++;
      results[n] = await act(things[n]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}
