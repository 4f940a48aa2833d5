// Installs programs that come as wheels, of one version each, in a cache folder of the project: nothing is compiled, and nothing stays outside.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { inRoot, run, section } from './commands.mjs';

/**
 * Sees to it that these requirements (`name==version`) are installed together, and gives the environment of
 * a process that finds their programs and modules.
 */
export function withPythonTools(...requirements) {
  // A folder for each: pip replaces the programs of whatever was there before.
  const folder = inRoot('target/tools', requirements[0].split('==')[0]);
  const isInstalled = requirements.every(requirement => {
    const [name, version] = requirement.split('==');
    const record = `${name.replaceAll('-', '_')}-${version}.dist-info`;
    return existsSync(path.join(folder, record));
  });
  if (!isInstalled) {
    section(`pip install ${requirements.join(' ')}`);
    const args = ['--quiet', '--upgrade', '--target', folder];
    run('python3', ['-m', 'pip', 'install', ...args, ...requirements]);
  }
  return environment(folder);
}

/** cargo finds its subcommands on the path, and those find Python modules on theirs. */
function environment(folder) {
  const { PATH, PYTHONPATH } = process.env;
  const join = (...parts) => parts.filter(Boolean).join(path.delimiter);
  return {
    ...process.env,
    PATH: join(path.join(folder, 'bin'), PATH),
    PYTHONPATH: join(folder, PYTHONPATH),
  };
}
