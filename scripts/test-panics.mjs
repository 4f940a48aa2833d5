// Runs the tests that make panics, against an addon in which they can be made: built apart from the one that is published.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { inRoot, run, section } from './lib/commands.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { jest } from './lib/jest.mjs';
import { addonFile } from './lib/native.mjs';
import { libraryIn } from './lib/portable-addon.mjs';
import { buildTypeScript } from './lib/typescript.mjs';

/** Where the tests find the package with that addon. */
const folder = inRoot('temp/panics');

ensureDependencies();
await buildTypeScript();
assemble(buildAddon());
process.exitCode = jest([
  '__test__/panics/',
  ...process.argv.slice(2),
  '--runInBand',
  '--testPathIgnorePatterns=/node_modules/',
]);

function buildAddon() {
  section('native addon in which tests can make panics');
  run('cargo', ['build', '--locked', '--lib', '--features', 'panics']);
  return libraryIn('', 'debug');
}

function assemble(addon) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, 'dist'), { recursive: true });
  cpSync(inRoot('package.json'), path.join(folder, 'package.json'));
  for (const file of readdirSync(inRoot('dist'))) {
    if (file.endsWith('.js')) {
      cpSync(inRoot('dist', file), path.join(folder, 'dist', file));
    }
  }
  cpSync(addon, path.join(folder, 'dist', addonFile()));
  if (existsSync(inRoot('npm'))) {
    cpSync(inRoot('npm'), path.join(folder, 'npm'), { recursive: true });
  }
}
