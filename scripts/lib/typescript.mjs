// Compiles ts/ to dist/, writes the ESM faces of the result, and rolls up the public types.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { output, inRoot, run, section, tool } from './commands.mjs';
import { entries } from './entries.mjs';
import { addonFile } from './native.mjs';
import { unlessUnchanged } from './unchanged.mjs';

const typeScriptInputs = [
  'ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
];

/** Builds `dist/*.js`, and for each entry an ESM face with its types, as `dist/index.mjs` and `dist/index.d.mts`. */
export async function buildTypeScript() {
  await unlessUnchanged(
    'typescript',
    {
      inputs: [...typeScriptInputs, 'scripts/lib/entries.mjs'],
      outputs: entries.flatMap(({ required, imported }) => [
        required,
        imported,
      ]),
    },
    () => {
      section('TypeScript');
      removeCompiled();
      run(...tool('tsc', ['-p', 'tsconfig.build.json']));
      entries.forEach(writeEsmFace);
    },
  );
  // `import` and `require` see the same names, so they get the same types.
  for (const { committedTypes, importedTypes } of entries) {
    if (existsSync(inRoot(committedTypes))) {
      cpSync(inRoot(committedTypes), inRoot(importedTypes));
    }
  }
}

/** Removes what an earlier build left, which may be of sources that are gone. */
function removeCompiled() {
  const files = existsSync(inRoot('dist')) ? readdirSync(inRoot('dist')) : [];
  for (const file of files.filter(name => name !== addonFile())) {
    rmSync(inRoot('dist', file), { recursive: true });
  }
}

/** Re-exports, one by one, what the built CommonJS module really exports. */
function writeEsmFace({ required, imported }) {
  const list = `console.log(JSON.stringify(Object.keys(require('./${required}'))))`;
  const names = JSON.parse(output(process.execPath, ['-e', list]))
    .filter(name => name !== 'default')
    .sort();
  const lines = [
    `import backstageAzureDevOps from './${path.posix.relative('dist', required)}';`,
    '',
    ...names.map(
      name => `export const ${name} = backstageAzureDevOps.${name};`,
    ),
    'export default backstageAzureDevOps.default;',
  ];
  writeFileSync(inRoot(imported), `${lines.join('\n')}\n`);
}

/** Rolls the declarations of each entry up into one file. */
export async function rollUpTypes() {
  await unlessUnchanged(
    'types',
    {
      inputs: [
        ...typeScriptInputs,
        'api-extractor.json',
        'package.json',
        'scripts/lib/entries.mjs',
      ],
      outputs: entries.map(({ rolledUpTypes }) => rolledUpTypes),
    },
    () => {
      section('public types');
      emitDeclarations();
      entries.forEach(rollUp);
    },
  );
}

function emitDeclarations() {
  rmSync(inRoot('temp/types'), { recursive: true, force: true });
  mkdirSync(inRoot('temp/types'), { recursive: true });
  const args = ['-p', 'tsconfig.build.json', '--declaration'];
  args.push('--emitDeclarationOnly', '--outDir', 'temp/types');
  run(...tool('tsc', args));
  // tsc does not copy declarations that are sources themselves.
  cpSync(inRoot('ts/native.d.ts'), inRoot('temp/types/native.d.ts'));
}

/** It takes one entry at a time, so each has a configuration of its own, which says what differs. */
function rollUp({ name, declarations, rolledUpTypes }) {
  const config = `temp/api-extractor.${name}.json`;
  const contents = {
    extends: '../api-extractor.json',
    mainEntryPointFilePath: `<projectFolder>/${declarations}`,
    dtsRollup: {
      enabled: true,
      untrimmedFilePath: `<projectFolder>/${rolledUpTypes}`,
    },
  };
  writeFileSync(inRoot(config), JSON.stringify(contents));
  run(...tool('api-extractor', ['run', '--local', '--config', config]));
  endWithOneNewline(inRoot(rolledUpTypes));
}

function endWithOneNewline(file) {
  writeFileSync(file, `${readFileSync(file, 'utf8').trimEnd()}\n`);
}
