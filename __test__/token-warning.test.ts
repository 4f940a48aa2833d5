/** The warning of personal access tokens at start: given once, by whichever reader gives it. */
import { UrlReaders } from '@backstage/backend-defaults/urlReader';
import { ConfigReader } from '@backstage/config';
import { AzureUrlReader } from 'backstage-azure-devops-native';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startedWith } from './backend/startedWith';
import { mockLogger } from '../testing/mockLogger';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const token = [{ personalAccessToken: 'a-token' }];
const { NODE_ENV } = process.env;

afterEach(() => {
  process.env.NODE_ENV = NODE_ENV;
});

// First, because a process is warned once.
it.each([true, false])(
  'is left to the built-in reader of a backend that has both: %s',
  async withOurs => {
    const azure = [{ host: 'dev.azure.com', credentials: token }];
    const { log, stop } = await startedWith({ azure, withOurs });
    expect(log.matching(/are deprecated/)).toHaveLength(1);
    await stop();
  },
);

it('is given where ours is the only reader, once for each host', () => {
  const hosts = [
    { host: 'dev.azure.com', credentials: token },
    { host: 'a.visualstudio.com', credentials: token },
    { host: 'b.visualstudio.com', credentials: [] },
    { host: 'server.example.com', credentials: token },
  ];
  process.env.NODE_ENV = 'development';
  expect(warningsOf([AzureUrlReader.factory], hosts)).toEqual([]);
  process.env.NODE_ENV = 'production';
  const ours = warningsOf([AzureUrlReader.factory], hosts);
  expect(ours).toEqual(warningsOf(undefined, hosts));
  expect(ours).toEqual([
    expect.stringMatching(/dev\.azure\.com.*January 27, 2027.*https:/),
    expect.stringMatching(/a\.visualstudio\.com.*moving this integration/),
  ]);
  expect(warningsOf([AzureUrlReader.factory], hosts)).toEqual([]);
});

it('is not given for other credentials', () => {
  const identity = [{ clientId: 'system-assigned' }];
  const hosts = [{ host: 'dev.azure.com', credentials: identity }];
  expect(warningsOf([AzureUrlReader.factory], hosts)).toEqual([]);
});

it.each([
  ['0.19.0', true],
  ['0.20.1-next.0', true],
  ['1.0.0', true],
  ['0.18.0', false],
  ['0.17.8', false],
  [undefined, false],
])('is left to the built-in reader of %s: %s', (version, isLeft) => {
  const folder = temporaryFolder('built-in');
  if (version) {
    const own = path.join(folder, 'node_modules/@backstage/backend-defaults');
    mkdirSync(own, { recursive: true });
    writeFileSync(path.join(own, 'package.json'), JSON.stringify({ version }));
  }
  // The package as it is installed there, and not among what develops it.
  const dist = path.join(folder, 'node_modules/backstage-azure-devops-native');
  mkdirSync(dist, { recursive: true });
  const built = require.resolve('../dist/builtInReader.js');
  const script = `
    const fs = require('node:fs');
    const file = ${JSON.stringify(path.join(dist, 'builtInReader.js'))};
    fs.copyFileSync(${JSON.stringify(built)}, file);
    console.log(require(file).builtInReaderWarns());`;
  const printed = execFileSync(process.execPath, ['-e', script], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(printed.trim()).toBe(String(isLeft));
});

/** What the readers of Backstage's own making, or these, warn of when they are made. */
function warningsOf(
  factories: (typeof AzureUrlReader.factory)[] | undefined,
  azure: object[],
): string[] {
  const logger = mockLogger();
  const config = new ConfigReader({ integrations: { azure } } as never);
  if (factories) UrlReaders.create({ config, logger, factories });
  else UrlReaders.default({ config, logger });
  return logger.warn.mock.calls.map(([message]) => message);
}
