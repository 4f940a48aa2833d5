import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** The packages of Backstage that depend on what reads its configuration. */
const READERS_OF_CONFIG = [
  '@backstage/config-loader',
  '@backstage/backend-defaults',
  '@backstage/cli',
];

/** A Backstage app on this machine. */
export interface App {
  /** Where its configuration is. */
  root: string;
}

/**
 * The app that a folder is in: the nearest folder upwards with an `app-config.yaml`, or whose package.json
 * has workspaces, as Backstage's own commands look for it.
 */
export function findApp(from: string): App | undefined {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    if (isRoot(folder)) return { root: folder };
    if (folder === path.dirname(folder)) return undefined;
  }
}

function isRoot(folder: string): boolean {
  return (
    existsSync(path.join(folder, 'app-config.yaml')) ||
    Boolean(manifestOf(folder)?.workspaces)
  );
}

/**
 * A package as the app's own code would find it: from its root and its workspaces, or from the packages of
 * Backstage that they have, since package managers such as pnpm put nothing where all can see it.
 *
 * @returns What can require it, and its place; undefined where the app has none.
 */
export function resolveInApp(app: App, name: string): string | undefined {
  for (const folder of foldersOf(app)) {
    const require = createRequire(path.join(folder, 'package.json'));
    for (const via of [undefined, ...READERS_OF_CONFIG]) {
      const found = resolveVia(require, via, name);
      if (found) return found;
    }
  }
  return undefined;
}

function resolveVia(
  require: NodeJS.Require,
  via: string | undefined,
  name: string,
): string | undefined {
  try {
    if (via === undefined) return require.resolve(name);
    const manifest = require.resolve(`${via}/package.json`);
    return createRequire(manifest).resolve(name);
  } catch {
    return undefined;
  }
}

/** The root and the workspaces of an app, those of backends first. */
function foldersOf({ root }: App): string[] {
  const below = ['packages', 'plugins'].flatMap(group =>
    subfoldersOf(path.join(root, group)),
  );
  const isBackend = (folder: string) =>
    manifestOf(folder)?.backstage?.role === 'backend';
  const backends = below.filter(isBackend);
  const others = below.filter(folder => !backends.includes(folder));
  return [...backends, root, ...others];
}

function subfoldersOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .map(name => path.join(folder, name))
      .filter(own => existsSync(path.join(own, 'package.json')));
  } catch {
    return [];
  }
}

interface Manifest {
  workspaces?: unknown;
  backstage?: { role?: string };
}

function manifestOf(folder: string): Manifest | undefined {
  try {
    const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
    return JSON.parse(text) as Manifest;
  } catch {
    return undefined;
  }
}
