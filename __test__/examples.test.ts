import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_TOKEN, standIn } from '../testing/azure-devops';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { until } from '../testing/until';

const FOLDER = path.join(__dirname, '../examples/minimal');

it('the minimal example reads a file', async () => {
  const { host } = standIn();
  const repository = await standIn().addRepository({
    organization: 'org',
    project: 'project',
    repository: 'minimal',
    files: { 'README.md': 'What it is.' },
  });
  // As the example has it, but for the host, on a port that is free.
  const here = path.join(temporaryFolder('minimal'), 'here.json');
  const azure = [
    { host, credentials: [{ personalAccessToken: DEFAULT_TOKEN }] },
  ];
  const backend = { listen: { port: 0 } };
  writeFileSync(here, JSON.stringify({ backend, integrations: { azure } }));
  const configs = ['--config', path.join(FOLDER, 'app-config.yaml')];
  const example = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      path.join(FOLDER, 'index.ts'),
      ...configs,
      '--config',
      here,
    ],
    {
      env: {
        ...process.env,
        AZURE_TOKEN: DEFAULT_TOKEN,
        README_URL: repository.webUrl({ path: '/README.md', at: 'server' }),
        NODE_ENV: 'production',
      },
    },
  );
  let log = '';
  example.stdout.on('data', chunk => (log += chunk));
  // The package's own lines come with a later turn of the event loop.
  const lines = [
    'Read 11 bytes of',
    `Reading ${host}, organization org with a personal access token`,
  ];
  const hasRead = () => lines.every(line => log.includes(line));
  await until(hasRead, { what: 'read file' }).finally(() => example.kill());
});
