// Compiles ts/ to dist/, writes the ESM face of the result, and rolls up the public types.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { output, inRoot, run, section, tool } from './commands.mjs';
import { addonFile } from './native.mjs';
import { unlessUnchanged } from './unchanged.mjs';

/** The rollup that the sources give, and the one that is committed. */
export const rolledUpTypes = 'temp/index.d.ts';
export const committedTypes = 'index.d.ts';

const typeScriptInputs = [
  'ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
];

/** Builds `dist/*.js`, `dist/index.mjs` and `dist/index.d.mts`. */
export async function buildTypeScript() {
  await unlessUnchanged(
    'typescript',
    { inputs: typeScriptInputs, outputs: ['dist/index.js', 'dist/index.mjs'] },
    () => {
      section('TypeScript');
      removeCompiled();
      run(...tool('tsc', ['-p', 'tsconfig.build.json']));
      writeEsmFace();
    },
  );
  // `import` and `require` see the same names, so they get the same types.
  if (existsSync(inRoot(committedTypes))) {
    cpSync(inRoot(committedTypes), inRoot('dist/index.d.mts'));
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
function writeEsmFace() {
  const list = "console.log(JSON.stringify(Object.keys(require('./dist'))))";
  const names = JSON.parse(output(process.execPath, ['-e', list]))
    .filter(name => name !== 'default')
    .sort();
  const lines = [
    "import backstageAzureDevOps from './index.js';",
    '',
    ...names.map(
      name => `export const ${name} = backstageAzureDevOps.${name};`,
    ),
    'export default backstageAzureDevOps.default;',
  ];
  writeFileSync(inRoot('dist/index.mjs'), `${lines.join('\n')}\n`);
}

/** Rolls the declarations of `ts/index.ts` up into one file. */
export async function rollUpTypes() {
  await unlessUnchanged(
    'types',
    {
      inputs: [...typeScriptInputs, 'api-extractor.json', 'package.json'],
      outputs: [rolledUpTypes],
    },
    () => {
      section('public types');
      emitDeclarations();
      run(...tool('api-extractor', ['run', '--local']));
      endWithOneNewline(inRoot(rolledUpTypes));
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

function endWithOneNewline(file) {
  writeFileSync(file, `${readFileSync(file, 'utf8').trimEnd()}\n`);
}
