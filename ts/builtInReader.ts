import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The package that has Backstage's own reader. */
const PACKAGE = '@backstage/backend-defaults';

/** The first version, as major and minor, whose reader warns of personal access tokens by itself. */
const WARNS_SINCE = [0, 19] as const;

/**
 * Whether Backstage's own reader, which every backend has beside ours, warns of personal access tokens;
 * where it cannot be found out, it is taken not to.
 */
export function builtInReaderWarns(): boolean {
  const [major, minor] = versionOf(folderOfInstalled() ?? folderOfLoaded());
  const [firstMajor, firstMinor] = WARNS_SINCE;
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}

/** The folder of the package as it runs in this process, for where it cannot be found as others are. */
function folderOfLoaded(): string | undefined {
  const part = path.join('node_modules', ...PACKAGE.split('/')) + path.sep;
  const file = Object.keys(require.cache).find(name => name.includes(part));
  return file?.slice(0, file.indexOf(part) + part.length);
}

/** The folder of the package as the backend's own code would find it. */
function folderOfInstalled(): string | undefined {
  // A plugin may have brought another one; that of the backend is found from its own code.
  const paths = [process.argv[1], process.cwd(), __dirname];
  try {
    const file = require.resolve(`${PACKAGE}/package.json`, {
      paths: paths.filter(own => own !== undefined),
    });
    return path.dirname(file);
  } catch {
    return undefined;
  }
}

function versionOf(folder: string | undefined): [number, number] {
  try {
    const file = path.join(folder ?? '', 'package.json');
    const { version } = JSON.parse(readFileSync(file, 'utf8'));
    const [major, minor] = String(version).split('.').map(Number);
    return [major || 0, minor || 0];
  } catch {
    return [0, 0];
  }
}
