// A JSON schema that Backstage's own generator makes of TypeScript, and the committed file that has it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadConfigSchema } from '@backstage/config-loader';
import { format } from 'prettier';
import { fail, inRoot } from './commands.mjs';

/** The schema of the type `Config` of these declarations, which go by a package of this name. */
export async function schemaOf({ name, version, declarations }) {
  const folder = `temp/schema-of-${name}`;
  mkdirSync(inRoot(folder), { recursive: true });
  writeFileSync(inRoot(folder, 'config.d.ts'), declarations);
  const manifest = inRoot(folder, 'package.json');
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

/** Writes a schema to a file of the project; with `--check` it only tells when the file is behind. */
export async function settleSchema(file, schema, { source, command }) {
  const wanted = await format(JSON.stringify(schema), { parser: 'json' });
  if (wanted === current(inRoot(file))) {
    console.log(`${file} is up to date`);
  } else if (process.argv.includes('--check')) {
    fail(`${file} does not say what ${source} does: ${command}`);
  } else {
    writeFileSync(inRoot(file), wanted);
    console.log(`${file} written`);
  }
}

function current(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
