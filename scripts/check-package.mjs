// Installs the tarballs of artifacts/ into an empty folder and uses the package there with every supported Node and no Rust in sight.
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fail, inRoot, npm, section, tryRun } from './lib/commands.mjs';
import { checkContents } from './lib/package-contents.mjs';
import { nodeOfMajor } from './lib/node-versions.mjs';

const majors = [20, 22, 24, 26];

const nodes = majors.map(nodeOfMajor);
const folder = mkdtempSync(path.join(tmpdir(), 'check-package-'));
try {
  install();
  await checkContents(path.join(folder, 'node_modules'));
  probe();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The other platforms' packages may be unpublished; npm goes on without them. */
function install() {
  section('npm install of the tarballs');
  npm(['init', '--yes', '--silent'], { cwd: folder, stdio: 'ignore' });
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund'];
  npm([...args, ...tarballs()], { cwd: folder });
}

function tarballs() {
  const artifacts = inRoot('artifacts');
  const files = existsSync(artifacts) ? readdirSync(artifacts) : [];
  const found = files.filter(file => file.endsWith('.tgz'));
  if (found.length !== 2) {
    fail(`artifacts/ holds ${found.length} tarballs, not 2: npm run package`);
  }
  return found.map(file => path.join(artifacts, file));
}

function probe() {
  section('the installed package');
  const file = 'package-probe.cjs';
  cpSync(inRoot('scripts/lib', file), path.join(folder, file));
  const failed = nodes.filter(node => runAlone(node, file) !== 0);
  if (failed.length > 0) {
    process.exitCode = 1;
  }
}

/** Nothing but Node itself is on the path, nor anything in the environment. */
function runAlone(node, file) {
  const env = { PATH: path.dirname(node) };
  if (process.platform === 'win32') {
    // Without it Windows opens no socket.
    env.SystemRoot = process.env.SystemRoot;
  }
  return tryRun(node, [file], { cwd: folder, env, timeout: 60_000 });
}
