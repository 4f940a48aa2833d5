// Counts the instructions of small jobs with callgrind and compares them with the committed figures, so that nothing becomes slower unseen; --update writes new figures.
import { createHash } from 'node:crypto';
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inclusive, readCallgrind, total } from './lib/callgrind.mjs';
import { fail, inRoot, output, run, section } from './lib/commands.mjs';
import { compare, figureOf, written } from './lib/figures.mjs';

const figuresFile = inRoot('benches/guard/figures.json');
const profile = 'benches/guard/profile.toml';

/** The functions by which callgrind knows where counting begins and ends, and what does not count. */
const counted = 'guard::counted';
const uncounted = 'guard::server::uncounted';

/** What of a job is ours. */
const ours = 'backstage_azure_devops_native::';

const made = madeWith();
if (process.argv.includes('--update')) {
  update();
} else {
  guard();
}

function guard() {
  const { jobs, ...figuresMade } = JSON.parse(
    readFileSync(figuresFile, 'utf8'),
  );
  const others = Object.keys(made).filter(
    key => made[key] !== figuresMade[key],
  );
  if (others.length > 0) {
    const lines = others.map(
      key => `${key}: ${made[key]}, and the figures are of ${figuresMade[key]}`,
    );
    fail(
      `the figures of the guard cannot be compared with, because these differ:\n${lines.join('\n')}\nWrite new ones in a commit of their own, which changes nothing else: npm run guard -- --update`,
    );
  }
  const counts = count();
  const { slower, faster } = compare(jobs, counts);
  if (faster.length > 0) {
    console.log(
      `\n${faster.join('\n')}\nThe figures can be lowered, so that it stays so: npm run guard -- --update`,
    );
  }
  if (slower.length > 0) {
    fail(
      `more instructions than the figures allow:\n${slower.join('\n')}\nWhere that is meant so, say why in the commit that has the new figures: npm run guard -- --update`,
    );
  }
}

function update() {
  const jobs = Object.entries(count()).map(([job, it]) => [job, figureOf(it)]);
  const figures = { ...made, jobs: Object.fromEntries(jobs) };
  writeFileSync(figuresFile, `${JSON.stringify(figures, null, 2)}\n`);
}

/** What the counts depend on beside the code. */
function madeWith() {
  const lock = readFileSync(inRoot('Cargo.lock'));
  return {
    rustc: output('rustc', ['-V']).trim(),
    'Cargo.lock': createHash('sha256').update(lock).digest('hex'),
  };
}

/** The counts of all jobs by their names. */
function count() {
  const program = build();
  section('instructions');
  const folder = mkdtempSync(path.join(tmpdir(), 'guard-'));
  try {
    const names = output('valgrind', [
      '--quiet',
      '--tool=callgrind',
      `--dump-before=${counted}`,
      `--dump-after=${counted}`,
      `--callgrind-out-file=${path.join(folder, 'counts')}`,
      program,
    ]);
    return countsOf(names.trim().split('\n'), profilesIn(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Incremental builds split the crate in other ways, and so inline other functions. */
function build() {
  section('guard');
  const env = { ...process.env, CARGO_INCREMENTAL: '0' };
  const args = ['build', '--locked', '--config', profile, '--example', 'guard'];
  run('cargo', args, { env });
  const metadata = ['metadata', '--format-version', '1', '--no-deps'];
  const { target_directory: target } = JSON.parse(output('cargo', metadata));
  return path.join(target, 'debug/examples/guard');
}

/** What was written when a job was left, in the order of the jobs. */
function profilesIn(folder) {
  const parts = readdirSync(folder).map(file => ({
    part: Number(path.extname(file).slice(1)),
    ...readCallgrind(readFileSync(path.join(folder, file), 'utf8')),
  }));
  return parts
    .filter(({ trigger }) => trigger === `--dump-after=${counted}`)
    .sort((a, b) => a.part - b.part);
}

function countsOf(names, profiles) {
  if (names.length !== profiles.length) {
    fail(`${names.length} jobs were done, and ${profiles.length} counted`);
  }
  const counts = names.map((name, index) => [name, countOf(profiles[index])]);
  for (const [name, { instructions }] of counts) {
    console.log(`${written(instructions).padStart(15)}  ${name}`);
  }
  return Object.fromEntries(counts);
}

function countOf(profile) {
  const all = inclusive(profile);
  return {
    instructions: total(profile) - (all.get(uncounted) ?? 0),
    own: profile.own,
    within: new Map([...all].filter(([name]) => name.includes(ours))),
  };
}
