// Runs the tests on another major version of Node (`test-on-node.mjs 24`), in a copy of the project: better-sqlite3 is compiled for one Node only.
import path from 'node:path';
import { build } from './build.mjs';
import { fail, tryRun } from './lib/commands.mjs';
import { withCopy } from './lib/copy.mjs';
import { nodeOfMajor } from './lib/node-versions.mjs';

const [major, ...jestArguments] = process.argv.slice(2);
if (!/^\d+$/.test(major ?? '')) {
  fail('which major version of Node? For example: test-on-node.mjs 24');
}

// What is built runs on every Node, so it is copied and not built again.
await build();
const node = nodeOfMajor(major);
await withCopy(`node-${major}`, test);

function test(copy) {
  const PATH = [path.dirname(node), process.env.PATH].join(path.delimiter);
  process.exitCode = tryRun(node, ['scripts/test.mjs', ...jestArguments], {
    cwd: copy,
    env: { ...process.env, PATH },
  });
}
