// Builds the addon that is published: on Linux linked against an old glibc, whatever the machine has, with zig as the linker.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { checkGlibc, oldestGlibc } from '../check-glibc.mjs';
import { inRoot, output, run, section } from './commands.mjs';
import { isMusl } from './native.mjs';

const tools = inRoot('target/tools/python');
const requirements = ['cargo-zigbuild==0.24.0', 'ziglang==0.17.1'];

/** Builds the addon and gives the path of the library that cargo made. */
export function buildPortableAddon() {
  const withZig = process.platform === 'linux' && !isMusl();
  return withZig ? buildWithZig() : buildWithCargo();
}

function buildWithZig() {
  installZig();
  section(`native addon for glibc ${oldestGlibc}`);
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch];
  const target = `${machine}-unknown-linux-gnu`;
  const args = ['--release', '--locked', '--lib'];
  run('cargo', ['zigbuild', ...args, '--target', `${target}.${oldestGlibc}`], {
    env: zigEnvironment(),
  });
  const library = libraryIn(target);
  checkGlibc(library);
  return library;
}

function buildWithCargo() {
  section('native addon');
  run('cargo', ['build', '--release', '--locked', '--lib']);
  return libraryIn('');
}

/** Both tools are wheels, so nothing is installed outside of the project. */
function installZig() {
  const installed = requirements.every(requirement => {
    const [name, version] = requirement.replace('-', '_').split('==');
    return existsSync(path.join(tools, `${name}-${version}.dist-info`));
  });
  if (!installed) {
    section(`pip install ${requirements.join(' ')}`);
    const args = ['--quiet', '--upgrade', '--target', tools];
    run('python3', ['-m', 'pip', 'install', ...args, ...requirements]);
  }
}

/** cargo finds `cargo-zigbuild` on the path, and that finds zig as a Python module. */
function zigEnvironment() {
  const { PATH, PYTHONPATH } = process.env;
  const join = (...parts) => parts.filter(Boolean).join(path.delimiter);
  return {
    ...process.env,
    PATH: join(path.join(tools, 'bin'), PATH),
    PYTHONPATH: join(tools, PYTHONPATH),
  };
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
