// Installs the npm dependencies when they are missing or are not the ones that package-lock.json names.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fail, inRoot, npm, root, section } from './commands.mjs';

/** Makes node_modules what package-lock.json says, doing nothing when it is. */
export function ensureDependencies() {
  if (!dependenciesMatchLock()) {
    section('npm ci');
    npm(['ci', '--no-audit', '--no-fund'], { env: headersEnvironment() });
  }
  ensureSqlite();
}

/** Whether what npm recorded of its last install agrees with the lock file. */
function dependenciesMatchLock() {
  const record = inRoot('node_modules/.package-lock.json');
  if (!existsSync(record)) {
    return false;
  }
  const wanted = packagesOf(inRoot('package-lock.json'));
  const installed = packagesOf(record);
  const sqlite = 'node_modules/better-sqlite3';
  const isReplaced =
    existsSync(inRoot(sqlite)) &&
    versionOf(inRoot(sqlite)) !== wanted[sqlite].version;
  if (isReplaced && Number(process.versions.node.split('.')[0]) < 24) {
    return false;
  }
  return Object.entries(wanted).every(([name, entry]) => {
    // npm leaves out the optional packages that are for other platforms.
    const found = installed[name];
    return found ? found.version === entry.version : !!entry.optional;
  });
}

function packagesOf(lockFile) {
  const { '': _root, ...packages } = JSON.parse(
    readFileSync(lockFile, 'utf8'),
  ).packages;
  return packages;
}

/**
 * Sees to it that better-sqlite3, which Backstage's database in memory needs, works in this Node:
 * it is compiled when what is there was compiled for another one or by an install without scripts.
 */
function ensureSqlite() {
  if (Number(process.versions.node.split('.')[0]) >= 24) {
    replaceSqlite();
  } else if (!sqliteLoads()) {
    section('npm rebuild better-sqlite3');
    npm(['rebuild', 'better-sqlite3'], { env: headersEnvironment() });
  }
  if (!sqliteLoads()) {
    fail(`better-sqlite3 does not load in Node ${process.version}`);
  }
}

/**
 * Version 12, which Backstage asks for, ends Node 24 with a failed assertion when it is collected;
 * version 13 does not, but does not run in Node 20.
 */
function replaceSqlite() {
  const installed = inRoot('node_modules/better-sqlite3');
  if (!versionOf(installed).startsWith('13.')) {
    rmSync(installed, { recursive: true });
    cpSync(inRoot('node_modules/better-sqlite3-13'), installed, {
      recursive: true,
    });
  }
}

function versionOf(folder) {
  const file = path.join(folder, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

function sqliteLoads() {
  const check = "new (require('better-sqlite3'))(':memory:').close()";
  const { status } = spawnSync(process.execPath, ['-e', check], {
    cwd: root,
    stdio: 'ignore',
  });
  return status === 0;
}

/**
 * Points node-gyp at the headers beside the running Node, if they are there:
 * it would download them otherwise, which fails behind many a firewall.
 */
function headersEnvironment() {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  const header = path.join(prefix, 'include/node/node_version.h');
  if (!headerIsOfThisNode(header)) {
    return process.env;
  }
  return { ...process.env, npm_config_nodedir: prefix };
}

function headerIsOfThisNode(header) {
  if (!existsSync(header)) {
    return false;
  }
  const text = readFileSync(header, 'utf8');
  const part = name => text.match(`#define NODE_${name}_VERSION (\\d+)`)?.[1];
  return (
    `v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}` === process.version
  );
}
