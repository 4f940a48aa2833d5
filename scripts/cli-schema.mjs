// Writes docs/cli.schema.json, the schema of what the command line prints with --json, from ts/cli/output.ts with Backstage's own generator; --check only tells when it is behind.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadConfigSchema } from '@backstage/config-loader';
import { format } from 'prettier';
import { fail, inRoot } from './lib/commands.mjs';

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

const written = inRoot('docs/cli.schema.json');
const check = process.argv.includes('--check');

const wanted = await format(JSON.stringify(await generated()), {
  parser: 'json',
});
if (wanted === current()) {
  console.log('docs/cli.schema.json is up to date');
} else if (check) {
  fail(
    'docs/cli.schema.json does not say what ts/cli/output.ts does: npm run cli-schema',
  );
} else {
  writeFileSync(written, wanted);
  console.log('docs/cli.schema.json written');
}

/** The generator makes one schema of the type `Config`, whose keys are the commands here. */
async function generated() {
  mkdirSync(inRoot('temp/cli-schema'), { recursive: true });
  const types = Object.values(outputs).join(', ');
  const keys = Object.entries(outputs).map(([key, type]) => `${key}: ${type};`);
  writeFileSync(
    inRoot('temp/cli-schema/config.d.ts'),
    `import type { ${types} } from '../../ts/cli/output';\nexport interface Config { ${keys.join(' ')} }\n`,
  );
  const manifest = inRoot('temp/cli-schema/package.json');
  const own = { name: 'cli', version: '0.0.0', configSchema: 'config.d.ts' };
  writeFileSync(manifest, JSON.stringify(own));
  const schema = await loadConfigSchema({
    dependencies: [],
    packagePaths: [manifest],
    excludePackageDependencies: true,
  });
  const [{ value }] = schema
    .serialize()
    .schemas.filter(({ packageName }) => packageName === 'cli');
  const { properties, definitions } = value;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'What backstage-azure-devops-native prints with --json, by command',
    properties,
    ...(definitions && { definitions }),
  };
}

function current() {
  try {
    return readFileSync(written, 'utf8');
  } catch {
    return undefined;
  }
}
