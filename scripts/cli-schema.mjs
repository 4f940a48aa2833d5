// Writes docs/cli.schema.json, the schema of what the command line prints with --json, from ts/cli/output.ts with Backstage's own generator; --check only tells when it is behind.
import { schemaOf, settleSchema } from './lib/schema.mjs';

/** The commands, by the types of what they print; `error` is what each prints where it fails. */
const outputs = {
  doctor: 'DoctorOutput',
  read: 'ReadOutput',
  ls: 'LsOutput',
  tree: 'TreeOutput',
  translate: 'TranslateOutput',
  bench: 'BenchOutput',
  error: 'ErrorOutput',
};

// The generator makes one schema of the type `Config`, whose keys are the commands here.
const types = Object.values(outputs).join(', ');
const keys = Object.entries(outputs).map(([key, type]) => `${key}: ${type};`);
const { properties } = await schemaOf({
  name: 'cli',
  version: '0.0.0',
  declarations: `import type { ${types} } from '../../ts/cli/output';\nexport interface Config { ${keys.join(' ')} }\n`,
});
const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'What backstage-azure-devops-native prints with --json, by command',
  properties,
};
await settleSchema('docs/cli.schema.json', schema, {
  source: 'ts/cli/output.ts',
  command: 'npm run cli-schema',
});
