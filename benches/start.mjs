// What this package adds to the start of a backend: to the configuration's schema, which the root logger
// loads to know the secrets, with this package's schema as JSON, as the TypeScript that it is made from, and
// without it; and to a backend with Backstage's own logger and one plugin that reads, without it, with it, and with its
// status besides; in turns.
//
//   node benches/start.mjs
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../testing/measuring/figures.mjs';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const SELF = fileURLToPath(import.meta.url);
const ROOT = path.join(SELF, '../..');
const NAME = 'backstage-azure-devops-native';
const ROUNDS = 9;
const SCHEMAS = {
  without: [],
  json: ['config.schema.json'],
  types: ['config.d.ts'],
  // The line of the status besides; what it adds is the same package.
  status: ['config.schema.json'],
};

if (process.argv[2] === '--load') {
  await load(process.argv.slice(3));
} else if (process.argv[2] === '--start') {
  await start(process.argv[3]);
} else {
  console.log('The schema:');
  compare('--load', ['without', 'json', 'types']);
  console.log('A backend with one plugin that reads:');
  compare('--start', ['without', 'json', 'status']);
}

function compare(what, variants) {
  const apps = variants.map(name => [name, app(SCHEMAS[name])]);
  const taken = Object.fromEntries(apps.map(([name]) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, folder] of apps) {
      const answer = execFileSync(
        process.execPath,
        [SELF, what, ...(what === '--load' ? names(name) : [name])],
        { cwd: folder, encoding: 'utf8' },
      );
      // The first round warms what the system keeps of files.
      if (round > 0) taken[name].push(JSON.parse(answer));
    }
  }
  report(taken);
}

function names(variant) {
  return [
    '@backstage/backend-defaults',
    ...(variant === 'without' ? [] : [NAME]),
  ];
}

/** An app that has Backstage's own packages, and this one with a schema, if any, as it is installed. */
function app(schemas) {
  const folder = temporaryFolder('start', path.join(ROOT, 'temp'));
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "app" }');
  for (const schema of schemas) {
    const own = path.join(folder, 'node_modules', NAME);
    mkdirSync(own, { recursive: true });
    copyFileSync(path.join(ROOT, schema), path.join(own, schema));
    const { version, dependencies, peerDependencies } =
      createRequire(SELF)('../package.json');
    const manifest = { name: NAME, version, dependencies, peerDependencies };
    const text = JSON.stringify({ ...manifest, configSchema: schema });
    writeFileSync(path.join(own, 'package.json'), text);
  }
  mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
  symlinkSync(
    path.join(ROOT, 'node_modules/@backstage'),
    path.join(folder, 'node_modules/@backstage'),
  );
  return folder;
}

/** In a process of its own: the time and memory that a backend takes to start. */
async function start(variant) {
  const write = process.stdout.write.bind(process.stdout);
  // The log is not what is asked for.
  process.stdout.write = () => true;
  const file = path.join(process.cwd(), 'app-config.yaml');
  const backend = { baseUrl: 'http://127.0.0.1', listen: { port: 0 } };
  writeFileSync(file, JSON.stringify({ backend }));
  process.argv.push('--config', file);
  const before = process.resourceUsage().maxRSS;
  const startedAt = performance.now();
  const { createBackend } = await import('@backstage/backend-defaults');
  const started = createBackend();
  started.add(await readingPlugin());
  if (variant !== 'without') started.add(import(NAME));
  if (variant === 'status') started.add(import(`${NAME}/status`));
  await started.start();
  const ms = performance.now() - startedAt;
  const { maxRSS } = process.resourceUsage();
  write(JSON.stringify({ ms, mib: (maxRSS - before) / 1024 }), () =>
    process.exit(),
  );
}

/** A plugin that has a reader, as the catalog has. */
async function readingPlugin() {
  const { coreServices, createBackendPlugin } =
    await import('@backstage/backend-plugin-api');
  return createBackendPlugin({
    pluginId: 'reading',
    register: ({ registerInit }) =>
      registerInit({
        deps: { reader: coreServices.urlReader },
        init: async () => {},
      }),
  });
}

/** In a process of its own: the time and memory that the schema takes. */
async function load(dependencies) {
  const require = createRequire(SELF);
  const { loadConfigSchema } = require('@backstage/config-loader');
  const before = process.resourceUsage().maxRSS;
  const startedAt = performance.now();
  await loadConfigSchema({ dependencies });
  const ms = performance.now() - startedAt;
  const { maxRSS } = process.resourceUsage();
  const hasTypeScript = Object.keys(require.cache).some(file =>
    file.includes(`${path.sep}typescript${path.sep}`),
  );
  console.log(
    JSON.stringify({ ms, mib: (maxRSS - before) / 1024, hasTypeScript }),
  );
}

function report(taken) {
  const of = (name, figure) => median(taken[name].map(one => one[figure]));
  const without = { ms: of('without', 'ms'), mib: of('without', 'mib') };
  for (const name of Object.keys(taken)) {
    const [ms, mib] = [of(name, 'ms'), of(name, 'mib')];
    const typeScript = taken[name][0].hasTypeScript ? ', loads TypeScript' : '';
    console.log(
      `${name.padEnd(8)} ${ms.toFixed(0)} ms (${((ms / without.ms - 1) * 100).toFixed(1)} % more), ${mib.toFixed(1)} MiB (${(mib - without.mib).toFixed(1)} more)${typeScript}`,
    );
  }
}
