// Builds everything that the package ships into dist/, installing the npm dependencies first; --debug makes an unoptimized addon, and --quick one that is optimized as far as that is quick.
import { pathToFileURL } from 'node:url';
import { ensureDependencies } from './lib/dependencies.mjs';
import { buildNative, profileOf } from './lib/native.mjs';
import { buildTypeScript } from './lib/typescript.mjs';

export async function build({ profile = 'release' } = {}) {
  ensureDependencies();
  await buildNative({ profile });
  await buildTypeScript();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await build({ profile: profileOf(process.argv) });
}
