// Everything that looks at the code without running it: formatting, lints, types, and whether what is generated and committed is up to date.
import { existsSync } from 'node:fs';
import { fail, inRoot, section, tool, tryRun } from './lib/commands.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { wrongFolders } from './lib/folders.mjs';
import { wrongArrows } from './lib/layers.mjs';

ensureDependencies();

const formatted = [
  'ts',
  '__test__',
  'testing',
  'scripts',
  'examples',
  'benches',
  '*.{json,cjs,mjs,js,ts}',
].filter(name => name.includes('*') || existsSync(inRoot(name)));

const checks = {
  'npm run api -- --check': [process.execPath, ['scripts/api.mjs', '--check']],
  'npm run differences -- --check': [
    process.execPath,
    ['scripts/differences.mjs', '--check'],
  ],
  'npm run schema -- --check': [
    process.execPath,
    ['scripts/schema.mjs', '--check'],
  ],
  'npm run cli-schema -- --check': [
    process.execPath,
    ['scripts/cli-schema.mjs', '--check'],
  ],
  rustfmt: ['cargo', ['fmt', '--check']],
  clippy: clippy(),
  rustdoc: rustdoc(),
  tsc: tool('tsc', ['-p', 'tsconfig.json']),
  prettier: tool('prettier', ['--check', '--log-level=warn', ...formatted]),
};

const failed = Object.keys(checks).filter(title => {
  section(title);
  return tryRun(...checks[title]) !== 0;
});
section('arrows between files');
const wrong = [...wrongArrows(inRoot('src')), ...wrongFolders(inRoot('.'))];
if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  failed.push('arrows between files');
}
if (failed.length > 0) fail(`failed: ${failed.join(', ')}`);

/** The lints themselves are in Cargo.toml; here they become errors. */
function clippy() {
  const args = ['clippy', '--locked', '--all-targets', '--', '-D', 'warnings'];
  return ['cargo', args];
}

function rustdoc() {
  const args = ['doc', '--locked', '--no-deps', '--lib'];
  const env = { ...process.env, RUSTDOCFLAGS: '-D warnings' };
  return ['cargo', args, { env }];
}
