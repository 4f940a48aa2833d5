// All cases of the benchmark, as the files of benches/cases have them.
import { readdirSync } from 'node:fs';

const FOLDER = new URL('../cases/', import.meta.url);

/** The cases in the order in which they are measured, each with the file that measures it. */
export async function allCases() {
  const files = readdirSync(FOLDER).filter(name => name.endsWith('.mjs'));
  const modules = files.sort().map(async name => {
    const { href } = new URL(name, FOLDER);
    const { cases } = await import(href);
    return cases.map(it => ({ ...it, file: href }));
  });
  return (await Promise.all(modules)).flat();
}
