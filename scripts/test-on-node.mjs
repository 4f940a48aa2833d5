// Runs the tests on another major version of Node (`test-on-node.mjs 24`), in a copy of the project: better-sqlite3 is compiled for one Node only.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from './build.mjs';
import { fail, inRoot, section, tryRun } from './lib/commands.mjs';
import { nodeOfMajor } from './lib/node-versions.mjs';

const [major, ...jestArguments] = process.argv.slice(2);
if (!/^\d+$/.test(major ?? '')) {
  fail('which major version of Node? For example: test-on-node.mjs 24');
}

// What is built runs on every Node, so it is copied and not built again.
await build();
const node = nodeOfMajor(major);
const copy = mkdtempSync(path.join(tmpdir(), `node-${major}-`));
try {
  copyProject();
  test();
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function copyProject() {
  section(`a copy of the project in ${copy}`);
  const left = ['.git', 'artifacts', 'target'].map(name => inRoot(name));
  cpSync(inRoot(), copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: file => !left.includes(file),
  });
}

function test() {
  const PATH = [path.dirname(node), process.env.PATH].join(path.delimiter);
  process.exitCode = tryRun(node, ['scripts/test.mjs', ...jestArguments], {
    cwd: copy,
    env: { ...process.env, PATH },
  });
}
