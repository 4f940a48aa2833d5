// Writes what was measured into docs/performance.md, between markers, so that the prose around stays, and
// draws the plots beside it.
import { readFileSync, writeFileSync } from 'node:fs';
import { inRoot } from '../../scripts/lib/commands.mjs';
import { rowsOfGoals } from './goals.mjs';
import { writeGrowth } from './growth.mjs';
import { writePicture } from './picture.mjs';
import { markdown, tableOf } from './tables.mjs';

const PAGE = inRoot('docs/performance.md');

/** Writes the runs, each of another version of Node; the tables are of the first. */
export function writeDocs(runs, cases) {
  const [first] = runs;
  const isDrawn = writeGrowth(inRoot('docs/growth.svg'), first);
  const parts = {
    conditions: conditionsIn(first.conditions),
    goals: markdown(rowsOfGoals(runs)),
    growth: isDrawn ? '![How figures grow](growth.svg)' : '',
  };
  for (const group of new Set(cases.map(it => it.group))) {
    const own = cases.filter(it => it.group === group);
    parts[group] = tableOf(own, first);
  }
  const page = Object.entries(parts).reduce(
    between,
    readFileSync(PAGE, 'utf8'),
  );
  writeFileSync(PAGE, page);
  console.log(`${PAGE} written`);
  writePicture(inRoot('docs/measured.svg'), first);
}

function conditionsIn({ at, machine, node, versions }) {
  const named = Object.entries(versions).map(
    ([name, version]) => `${name} ${version}`,
  );
  return `Measured ${at} on ${machine}, Node ${node}: ${named.join(', ')}.`;
}

/** The page with a part in place of what stands between its markers. */
function between(page, [name, content]) {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${PAGE} has no place for ${name}`);
  return `${before}${begin}\n\n${content}\n\n${end}${after}`;
}
