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

/** The profile of Cargo that arguments ask for. */
export function profileOf(args) {
  if (args.includes('--debug')) return 'dev';
  return args.includes('--quick') ? 'quick' : 'release';
}

/**
 * Builds `dist/*.node` and the binding's declarations, with a profile of Cargo: `dev`, `release`, or `quick`,
 * which is optimized as well and takes less time to build.
 */
export async function buildNative({ profile }) {
  await unlessUnchanged(
    'native',
    {
      inputs: ['src', 'build.rs', 'Cargo.toml', 'Cargo.lock', 'package.json'],
      outputs: [`dist/${addonFile()}`, builtNativeTypes],
      variant: profile,
    },
    () => napiBuild(profile),
  );
  hintAtDrift();
}

function napiBuild(profile) {
  section(`native addon (profile ${profile})`);
  mkdirSync(inRoot('temp'), { recursive: true });
  const args = ['build', '--platform', '--output-dir', 'dist'];
  // Napi's own loader asks for packages that nobody has published: ts/addon.ts does not.
  args.push('--no-js', '--dts', `../${builtNativeTypes}`);
  if (profile !== 'dev') {
    args.push('--profile', profile);
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
