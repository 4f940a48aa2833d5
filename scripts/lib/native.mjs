// Builds the native addon for the machine at hand, with the TypeScript declarations of its functions.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { inRoot, run, section, tool } from './commands.mjs';
import { unlessUnchanged } from './unchanged.mjs';

export const packageJson = JSON.parse(
  readFileSync(inRoot('package.json'), 'utf8'),
);
export const { binaryName } = packageJson.napi;

/** Where the build leaves the binding's declarations; api.mjs commits them. */
export const builtNativeTypes = 'temp/native.d.ts';
export const committedNativeTypes = 'ts/native.d.ts';

/** napi's name of this machine's platform, e.g. `linux-x64-gnu`. */
export function platformName() {
  const { platform, arch } = process;
  const suffix = { linux: isMusl() ? '-musl' : '-gnu', win32: '-msvc' };
  return `${platform}-${arch}${suffix[platform] ?? ''}`;
}

export function isMusl() {
  return (
    process.platform === 'linux' &&
    !process.report.getReport().header.glibcVersionRuntime
  );
}

/** The file name of the addon for this machine. */
export function addonFile() {
  return `${binaryName}.${platformName()}.node`;
}

/** Builds `dist/*.node` and the binding's declarations. */
export async function buildNative({ debug }) {
  await unlessUnchanged(
    'native',
    {
      inputs: ['src', 'build.rs', 'Cargo.toml', 'Cargo.lock', 'package.json'],
      outputs: [`dist/${addonFile()}`, builtNativeTypes],
      variant: debug ? 'debug' : 'release',
    },
    () => napiBuild(debug),
  );
  hintAtDrift();
}

function napiBuild(debug) {
  section(`native addon (${debug ? 'debug' : 'release'})`);
  mkdirSync(inRoot('temp'), { recursive: true });
  const args = ['build', '--platform', '--output-dir', 'dist'];
  // Napi's own loader asks for packages that nobody has published: ts/addon.ts does not.
  args.push('--no-js', '--dts', `../${builtNativeTypes}`);
  if (!debug) {
    args.push('--release');
  }
  run(...tool('napi', [...args, '--', '--locked']));
}

/** The build leaves committed files alone, so it says when one is behind. */
function hintAtDrift() {
  const read = file =>
    existsSync(inRoot(file)) ? readFileSync(inRoot(file), 'utf8') : '';
  if (read(builtNativeTypes) !== read(committedNativeTypes)) {
    console.log(
      `\nnote: the Rust binding changed ${committedNativeTypes}: npm run api`,
    );
  }
}
