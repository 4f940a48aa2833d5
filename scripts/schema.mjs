// Writes config.schema.json, the schema of the app-config that is published, from config.d.ts with Backstage's own generator; --check only tells when it is behind.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadConfigSchema } from '@backstage/config-loader';
import { format } from 'prettier';
import { fail, inRoot } from './lib/commands.mjs';
import { packageJson } from './lib/native.mjs';

const written = inRoot('config.schema.json');
const check = process.argv.includes('--check');

const wanted = await format(JSON.stringify(await generated()), {
  parser: 'json',
});
if (wanted === current()) {
  console.log('config.schema.json is up to date');
} else if (check) {
  fail('config.schema.json does not say what config.d.ts does: npm run schema');
} else {
  writeFileSync(written, wanted);
  console.log('config.schema.json written');
}

/** The generator goes by packages, so config.d.ts stands in one of its own. */
async function generated() {
  const folder = inRoot('temp/schema');
  mkdirSync(folder, { recursive: true });
  copyFileSync(inRoot('config.d.ts'), inRoot('temp/schema/config.d.ts'));
  const manifest = inRoot('temp/schema/package.json');
  const { name, version } = packageJson;
  const own = { name, version, configSchema: 'config.d.ts' };
  writeFileSync(manifest, JSON.stringify(own));
  const schema = await loadConfigSchema({
    dependencies: [],
    packagePaths: [manifest],
    excludePackageDependencies: true,
  });
  const { schemas } = schema.serialize();
  return schemas.find(({ packageName }) => packageName === name).value;
}

function current() {
  try {
    return readFileSync(written, 'utf8');
  } catch {
    return undefined;
  }
}
