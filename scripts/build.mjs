// Builds everything that the package ships into dist/, installing the npm dependencies first; --debug makes an unoptimized addon.
import { pathToFileURL } from 'node:url';
import { ensureDependencies } from './lib/dependencies.mjs';
import { buildNative } from './lib/native.mjs';
import { buildTypeScript } from './lib/typescript.mjs';

export async function build({ debug = false } = {}) {
  ensureDependencies();
  await buildNative({ debug });
  await buildTypeScript();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await build({ debug: process.argv.includes('--debug') });
}
