// Builds the addon that is published: on Linux linked against an old glibc, whatever the machine has, with zig as the linker.
import path from 'node:path';
import { checkGlibc, oldestGlibc } from '../check-glibc.mjs';
import { output, run, section } from './commands.mjs';
import { isMusl } from './native.mjs';
import { withPythonTools } from './python-tools.mjs';

/** The linker, and what has cargo use it. */
const zig = ['cargo-zigbuild==0.24.0', 'ziglang==0.17.1'];

/** Builds the addon and gives the path of the library that cargo made. */
export function buildPortableAddon() {
  const withZig = process.platform === 'linux' && !isMusl();
  return withZig ? buildWithZig() : buildWithCargo();
}

function buildWithZig() {
  const env = withPythonTools(...zig);
  section(`native addon for glibc ${oldestGlibc}`);
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch];
  const target = `${machine}-unknown-linux-gnu`;
  const args = ['--release', '--locked', '--lib'];
  const zigbuild = [
    'zigbuild',
    ...args,
    '--target',
    `${target}.${oldestGlibc}`,
  ];
  run('cargo', zigbuild, { env });
  const library = libraryIn(target);
  checkGlibc(library);
  return library;
}

function buildWithCargo() {
  section('native addon');
  run('cargo', ['build', '--release', '--locked', '--lib']);
  return libraryIn('');
}

/** The path of the library that cargo makes for a target, or for this machine. */
export function libraryIn(target, profile = 'release') {
  const metadata = ['metadata', '--format-version', '1', '--no-deps'];
  const { target_directory: folder, packages } = JSON.parse(
    output('cargo', metadata),
  );
  const name = packages[0].name.replaceAll('-', '_');
  const file =
    { darwin: `lib${name}.dylib`, win32: `${name}.dll` }[process.platform] ??
    `lib${name}.so`;
  return path.join(folder, target, profile, file);
}
