// Brings the committed types (of each entry, as index.d.ts, and ts/native.d.ts) up to date with the sources; --check only tells, with a diff, when they are not.
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fail, inRoot, tryRun } from './lib/commands.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { entries } from './lib/entries.mjs';
import {
  buildNative,
  builtNativeTypes,
  committedNativeTypes,
  profileOf,
} from './lib/native.mjs';
import { rollUpTypes } from './lib/typescript.mjs';

const check = process.argv.includes('--check');

ensureDependencies();
// The rollup reads the binding's types, so those come first.
await buildNative({ profile: profileOf(process.argv) });
settle(builtNativeTypes, committedNativeTypes);
await rollUpTypes();
entries.forEach(({ rolledUpTypes, committedTypes }) =>
  settle(rolledUpTypes, committedTypes),
);

/** Compares or replaces a committed file with the one just built. */
function settle(built, committed) {
  const read = file =>
    existsSync(inRoot(file)) ? readFileSync(inRoot(file), 'utf8') : undefined;
  if (read(built) === read(committed)) {
    console.log(`${committed} is up to date`);
  } else if (check) {
    tryRun('git', ['--no-pager', 'diff', '--no-index', committed, built]);
    fail(`${committed} is not what the sources give: npm run api, then commit`);
  } else {
    mkdirSync(path.dirname(inRoot(committed)), { recursive: true });
    cpSync(inRoot(built), inRoot(committed));
    console.log(`${committed} written`);
  }
}
