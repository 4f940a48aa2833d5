import { existsSync } from 'node:fs';
import path from 'node:path';

const NAME = 'backstage-azure-devops-native';

/**
 * The platforms for which there is a binary, each in a package of its own, which npm installs by
 * `os`, `cpu` and `libc`. No other name is ever loaded: its owner could run code here.
 */
const PACKAGES: Record<string, () => unknown> = {
  'darwin-arm64': () => require('backstage-azure-devops-native-darwin-arm64'),
  'darwin-x64': () => require('backstage-azure-devops-native-darwin-x64'),
  'linux-arm64-gnu': () =>
    require('backstage-azure-devops-native-linux-arm64-gnu'),
  'linux-arm64-musl': () =>
    require('backstage-azure-devops-native-linux-arm64-musl'),
  'linux-x64-gnu': () => require('backstage-azure-devops-native-linux-x64-gnu'),
  'linux-x64-musl': () =>
    require('backstage-azure-devops-native-linux-x64-musl'),
  'win32-x64-msvc': () =>
    require('backstage-azure-devops-native-win32-x64-msvc'),
};

/**
 * The binary for this machine: the one beside this file in a clone of the repository, else that of the
 * platform's package.
 */
export function loadAddon(): unknown {
  const platform = platformOfThisMachine();
  const load = Object.hasOwn(PACKAGES, platform) && PACKAGES[platform];
  if (!load) {
    const platforms = Object.keys(PACKAGES).join(', ');
    throw new Error(
      `there is no binary for ${platform}, only for ${platforms}`,
    );
  }
  const beside = fileBeside(platform);
  if (existsSync(beside)) return require(beside);
  checkVersion(`${NAME}-${platform}`);
  return load();
}

/** Where the binary for this machine is. */
export function addonFile(): string {
  const platform = platformOfThisMachine();
  const beside = fileBeside(platform);
  return existsSync(beside) ? beside : require.resolve(`${NAME}-${platform}`);
}

/** The binary as a clone of the repository has it. */
function fileBeside(platform: string): string {
  return path.join(__dirname, `${NAME}.${platform}.node`);
}

/** The name by which the packages call this machine's platform. */
function platformOfThisMachine(): string {
  const { platform, arch } = process;
  if (platform === 'win32') return `${platform}-${arch}-msvc`;
  if (platform !== 'linux') return `${platform}-${arch}`;
  return `${platform}-${arch}-${isGlibc() ? 'gnu' : 'musl'}`;
}

/** Whether Node itself runs on glibc. */
function isGlibc(): boolean {
  const report = process.report as typeof process.report & {
    excludeNetwork?: boolean;
  };
  const { excludeNetwork } = report;
  // It would look up the name of every peer of every socket.
  report.excludeNetwork = true;
  try {
    const { header } = report.getReport() as unknown as {
      header: { glibcVersionRuntime?: string };
    };
    return Boolean(header.glibcVersionRuntime);
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

/** A binary of another version would take other arguments, and give other answers. */
function checkVersion(name: string): void {
  const { version: own } = require('../package.json') as { version: string };
  const found = versionOf(name);
  if (found === undefined) {
    throw new Error(
      `${name} is not installed: it is an optional dependency of ${NAME}. Check that the install did not leave those out (--omit=optional, or a lock file made on another platform by an old npm), and that node_modules was not copied from another platform, as into an image built elsewhere. Install it beside: ${name}@${own}`,
    );
  }
  if (found !== own) {
    throw new Error(
      `${name} is of version ${found}, and ${NAME} of ${own}: both have to be the same. Install ${name}@${own}`,
    );
  }
}

function versionOf(name: string): string | undefined {
  try {
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
