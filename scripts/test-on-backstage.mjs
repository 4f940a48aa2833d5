// Asks another version of Backstage the generated questions (`test-on-backstage.mjs 0.17.0`, a version of backend-defaults), and holds our types against its own, in a copy of the project.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import semver from 'semver';
import { build } from './build.mjs';
import {
  fail,
  npm,
  npmOutput,
  section,
  tool,
  tryRun,
} from './lib/commands.mjs';
import { withCopy } from './lib/copy.mjs';
import { jest } from './lib/jest.mjs';
import { packageJson, profileOf } from './lib/native.mjs';

const [version, ...paths] = process.argv
  .slice(2)
  .filter(argument => argument !== '--debug');
if (!semver.valid(version)) {
  fail(
    'which version of @backstage/backend-defaults? For example: test-on-backstage.mjs 0.17.0',
  );
}

const questions = paths.length > 0 ? paths : ['__test__/parity/'];

// The core knows nothing of Backstage, so it is copied and not built again.
await build({ profile: profileOf(process.argv) });
await withCopy(`backstage-${version}`, copy => {
  exchange(copy);
  const types = checkTypes(copy);
  process.exitCode = jest(questions, copy) || types;
});

/**
 * Installs that version with the oldest integration that it takes, which is the one that it was
 * released with; npm puts the minimatch that it asks for beside it.
 */
function exchange(copy) {
  const versions = releasedTogether();
  section(
    `npm install ${Object.entries(versions)
      .map(own => own.join('@'))
      .join(' ')}`,
  );
  const file = path.join(copy, 'package.json');
  const contents = JSON.parse(readFileSync(file, 'utf8'));
  Object.assign(contents.devDependencies, versions);
  writeFileSync(file, `${JSON.stringify(contents, null, 2)}\n`);
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund'];
  npm([...args, '--loglevel=error'], { cwd: copy });
  tellInstalled(copy, versions);
}

function releasedTogether() {
  const name = '@backstage/backend-defaults';
  const view = ['view', `${name}@${version}`, 'dependencies', '--json'];
  const dependencies = JSON.parse(npmOutput(view) || '{}');
  const range = dependencies['@backstage/integration'];
  if (!range) {
    fail(`there is no ${name}@${version} that depends on an integration`);
  }
  return {
    [name]: version,
    '@backstage/integration': semver.minVersion(range).version,
  };
}

/** Fails where npm found a way around what was asked for. */
function tellInstalled(copy, versions) {
  const modules = path.join(copy, 'node_modules');
  const inDefaults = createRequire(
    path.join(modules, '@backstage/backend-defaults/package.json'),
  );
  for (const [name, wanted] of Object.entries(versions)) {
    const { version: found } = inDefaults(`${name}/package.json`);
    if (found !== wanted) {
      fail(`${name} is ${found} and not ${wanted}`);
    }
  }
  console.log(`minimatch ${inDefaults('minimatch/package.json').version}`);
}

/** What holds beside every version, and beside the newest also what holds beside that alone. */
function checkTypes(copy) {
  section('tsc');
  const newest = packageJson.devDependencies['@backstage/backend-defaults'];
  const files = semver.satisfies(version, newest)
    ? ['types-oldest', 'types']
    : ['types-oldest'];
  const file = path.join(copy, 'tsconfig.types.json');
  const contents = {
    extends: './tsconfig.json',
    include: files.map(name => `__test__/${name}.test-d.ts`),
  };
  writeFileSync(file, JSON.stringify(contents));
  return tryRun(...tool('tsc', ['-p', file], copy), { cwd: copy });
}
