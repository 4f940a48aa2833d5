// Reads what its parent asks for, one reader beside the other, and tells what came of it.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

const require = createRequire(import.meta.url);
const [by] = process.argv.slice(2);
const { ConfigReader } = require('@backstage/config');
const { AzureIntegration, DefaultAzureDevOpsCredentialsProvider } = require(
  by === 'upstream'
    ? '@backstage/integration'
    : 'backstage-azure-devops-native',
);
const { AzureUrlReader } = require(
  by === 'upstream'
    ? '@backstage/backend-defaults/urlReader'
    : 'backstage-azure-devops-native',
);

const { logger, treeResponseFactory } = await parts();

let retry = {};

const READS = {
  buffer: async (reader, url) => (await reader.readUrl(url)).buffer(),
  stream: async (reader, url) => {
    const pieces = [];
    for await (const piece of (await reader.readUrl(url)).stream())
      pieces.push(piece);
    return Buffer.concat(pieces);
  },
  'slow stream': async (reader, url) => {
    let length = 0;
    for await (const piece of (await reader.readUrl(url)).stream()) {
      if (length === 0) await wait(1_500);
      length += piece.length;
    }
    return { length };
  },
  tree: async (reader, url) => {
    const files = await (await reader.readTree(url)).files();
    const contents = files.map(async file => [file.path, await file.content()]);
    return Buffer.from(String(await Promise.all(contents)));
  },
  search: async (reader, url) => {
    const { files } = await reader.search(url);
    const contents = files.map(async file => String(await file.content()));
    return Buffer.from((await Promise.all(contents)).join());
  },
};

process.on('message', ({ id, settings, url, what }) => {
  if (settings) return set(settings);
  if (!url) return process.send({ id, kilobytes: mostMemory() });
  READS[what](readerOf(url), url).then(
    content => process.send({ id, ...described(content) }),
    error => process.send({ id, error: `${error?.name}: ${error?.message}` }),
  );
});
process.send('ready');

function described(content) {
  if (!Buffer.isBuffer(content)) return content;
  const { length } = content;
  const sha256 = createHash('sha256').update(content).digest('hex');
  const text = length > 1_000 ? undefined : content.toString('latin1');
  return { length, sha256, text };
}

function readerOf(url) {
  const { host } = new URL(url);
  const credentials = [{ personalAccessToken: 'token' }];
  const config = new ConfigReader({
    integrations: { azure: [{ host, credentials, ...retry }] },
  });
  const azure = AzureIntegration.factory({ config });
  const deps = {
    treeResponseFactory,
    workingDirectory: tmpdir(),
    credentialsProvider: DefaultAzureDevOpsCredentialsProvider.fromIntegrations(
      { azure },
    ),
  };
  return new AzureUrlReader(azure.byUrl(url), deps);
}

/** Bounds answers as a backend with this configuration does, and says how often a read is tried. */
function set({ limits, maxRetries, buffers }) {
  retry = { retry: { maxRetries } };
  const config = new ConfigReader({
    backend: { reading: { azureDevOps: { limits } } },
  });
  AzureUrlReader.factory({ config, logger, treeResponseFactory });
  if (buffers)
    require('../../dist/binding.js').native().limitBuffersTo(buffers);
}

/** What upstream hands to factories of readers. */
async function parts() {
  const { UrlReaders } = require('@backstage/backend-defaults/urlReader');
  const none = () => {};
  const own = { debug: none, info: none, warn: none, error: none };
  own.child = () => own;
  let found;
  UrlReaders.create({
    config: new ConfigReader({ backend: { workingDirectory: tmpdir() } }),
    logger: own,
    factories: [
      options => {
        found = options.treeResponseFactory;
        return [];
      },
    ],
  });
  return { logger: own, treeResponseFactory: found };
}

/** The most memory that this process ever had, in KiB; not that of its parent. */
function mostMemory() {
  const status = '/proc/self/status';
  if (!existsSync(status)) return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(status, 'utf8'))[1]);
}
