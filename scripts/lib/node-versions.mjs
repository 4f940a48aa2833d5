// Finds other versions of Node, as the npm packages that carry one, in a cache folder of the project.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fail, inRoot, npm, section } from './commands.mjs';
import { isMusl } from './native.mjs';

const windows = process.platform === 'win32';

/** The path of a Node of that major version, which is installed if need be. */
export function nodeOfMajor(major) {
  if (isMusl()) {
    fail('Node for musl is not on npm: run this with each version at hand');
  }
  const platform = windows ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = inRoot('target/tools', `node-${major}`);
  const file = path.join(folder, 'node_modules', name, 'bin', executable());
  if (!existsSync(file)) {
    install(folder, `${name}@${major}`);
  }
  return file;
}

function executable() {
  return windows ? 'node.exe' : 'node';
}

function install(folder, specifier) {
  section(`npm install ${specifier}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  npm(['install', '--no-audit', '--no-fund', specifier], { cwd: folder });
}
