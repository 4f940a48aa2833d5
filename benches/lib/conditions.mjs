// Under which conditions is measured: machine, versions, and which build.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import { inRoot, output } from '../../scripts/lib/commands.mjs';
import { addonFile } from '../../scripts/lib/native.mjs';

const require = createRequire(import.meta.url);

/** The crates that the floor is made of. */
const CRATES = ['reqwest', 'hyper', 'libdeflater'];

/** What is the same of all measurements of a run, those of a version of Node at this path. */
export function conditionsOf(node) {
  const [{ model }] = cpus();
  const versionOf = name => require(`${name}/package.json`).version;
  return {
    at: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores (${model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${process.platform} ${release()}`,
    node: output(node, ['--version']).trim().slice(1),
    versions: {
      'this package': require('../../package.json').version,
      '@backstage/backend-defaults': versionOf('@backstage/backend-defaults'),
      '@backstage/integration': versionOf('@backstage/integration'),
      ...cratesOfFloor(),
    },
    build: hashOf([
      path.join('dist', addonFile()),
      ...filesBelow('dist', '.js'),
    ]),
    cases: hashOf([
      ...filesBelow('benches/cases', '.mjs'),
      'benches/lib/worker.mjs',
    ]),
  };
}

function cratesOfFloor() {
  const lock = readFileSync(inRoot('benches/floor/Cargo.lock'), 'utf8');
  const versionOf = name =>
    lock.match(new RegExp(`name = "${name}"\nversion = "(.+)"`))[1];
  return Object.fromEntries(CRATES.map(name => [name, versionOf(name)]));
}

function filesBelow(folder, ending) {
  const names = readdirSync(inRoot(folder), { recursive: true });
  const wanted = names.filter(name => name.endsWith(ending));
  return wanted.sort().map(name => path.join(folder, name));
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(inRoot(file)));
  return hash.digest('hex').slice(0, 12);
}
