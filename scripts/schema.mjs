// Writes config.schema.json, the schema of the app-config that is published, from config.d.ts with Backstage's own generator; --check only tells when it is behind.
import { readFileSync } from 'node:fs';
import { inRoot } from './lib/commands.mjs';
import { packageJson } from './lib/native.mjs';
import { schemaOf, settleSchema } from './lib/schema.mjs';

const { name, version } = packageJson;
const declarations = readFileSync(inRoot('config.d.ts'), 'utf8');
const schema = await schemaOf({ name, version, declarations });
await settleSchema('config.schema.json', schema, {
  source: 'config.d.ts',
  command: 'npm run schema',
});
