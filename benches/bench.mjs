// Measures this package beside Backstage's own reader and beside the floor of each job, in one run, and
// writes the tables and plots of docs/performance.md. `npm run bench` measures everything;
// ended and started again it goes on where it was.
//
//   npm run bench -- [--only NAME]… [--quick] [--rounds 5] [--node 24] [--fresh] [--render]
//
// `--only` takes a part of the names of cases, as `--list` shows them; `--quick` measures each once and
// for a short time; `--node` is another version of Node; `--fresh` forgets what was measured;
// `--render` measures nothing. Only a whole run is written to the docs, or with `--render` what there is of one.
import { parseArgs } from 'node:util';
import { fail, inRoot } from '../scripts/lib/commands.mjs';
import { build } from '../scripts/build.mjs';
import { nodeOfMajor } from '../scripts/lib/node-versions.mjs';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { buildFloor } from './lib/canned-server.mjs';
import { allCases } from './lib/cases.mjs';
import { conditionsOf } from './lib/conditions.mjs';
import { writeDocs } from './lib/docs.mjs';
import { NOT_MEASURED, rowsOfGoals } from './lib/goals.mjs';
import { Hosts } from './lib/hosts.mjs';
import { markdown, tableOf } from './lib/tables.mjs';
import { Results } from './lib/results.mjs';
import { runCases } from './lib/run.mjs';

/** The versions of Node that the docs show, where they were measured. */
const VERSIONS = ['20', '24'];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [''] },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    node: { type: 'string', default: process.versions.node.split('.')[0] },
    fresh: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const parts = values.only.map(part => part.toLowerCase());
const cases = (await allCases()).filter(it =>
  parts.some(part => `${it.group} ${it.name}`.toLowerCase().includes(part)),
);
if (cases.length === 0) fail(`no case has ${values.only} in its name`);
const isWhole = parts.includes('') && !values.quick;
if (values.list) {
  console.log(cases.map(it => `${it.group}: ${it.name}`).join('\n'));
} else if (values.render) {
  writeDocs(wholeRuns(), await allCases());
} else {
  await run();
}

async function run() {
  await build();
  buildFloor();
  const node = nodeAt(values.node);
  const isQuick = values.quick;
  const file = fileOf(isQuick ? 'quick' : 'whole', values.node);
  const isFresh = values.fresh || isQuick;
  const results = Results.open(file, conditionsOf(node), { isFresh });
  const hosts = new Hosts(temporaryFolder('bench'));
  const rounds = values.rounds && Number(values.rounds);
  await runCases(cases, { results, hosts, node, rounds, isQuick });
  await hosts.stop();
  for (const group of new Set(cases.map(it => it.group))) {
    const own = cases.filter(it => it.group === group);
    console.log(`\n${tableOf(own, results)}`);
  }
  const [heads, ...goals] = rowsOfGoals([results]);
  const measured = goals.filter(row => row.at(-1) !== NOT_MEASURED);
  console.log(`\n${markdown([heads, ...measured])}`);
  if (isWhole) writeDocs(wholeRuns(), cases);
}

/** What there is of runs that were not quick, the oldest version of Node first. */
function wholeRuns() {
  const runs = VERSIONS.map(major => Results.read(fileOf('whole', major)));
  const known = runs.filter(Boolean);
  return known.length > 0 ? known : fail('nothing has been measured');
}

function fileOf(kind, major) {
  return inRoot('artifacts/bench', `${kind}-node-${major}.jsonl`);
}

function nodeAt(major) {
  const own = process.versions.node.split('.')[0];
  return major === own ? process.execPath : nodeOfMajor(major);
}
