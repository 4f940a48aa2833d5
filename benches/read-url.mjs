// Measures `readUrl` of 1.6 KB, 64 at once, beside Backstage's own reader in the same run:
// throughput, and the time that a read takes of the event loop. Ratios are what counts; run it
// after `npm run build`, with `node benches/read-url.mjs [reads]`.
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';

const require = createRequire(import.meta.url);
const READS = Number(process.argv[2] ?? 20_000);
/** Prints the medians as JSON at the end. */
const IN_JSON = process.argv.includes('--json');
const AT_ONCE = 64;
const ROUNDS = 5;

async function main() {
  const { address, stop } = await startServer();
  const readers = {
    upstream: upstreamReader(address),
    native: nativeReader(address),
  };
  const url = `http://${address}/collection/project/_git/repo?path=/catalog-info.yaml`;
  for (const reader of Object.values(readers)) {
    await readMany(reader, url, 2_000);
  }
  const ratios = [];
  const results = { upstream: [], native: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const upstream = await measure(readers.upstream, url);
    const native = await measure(readers.native, url);
    ratios.push(report(upstream, native));
    results.upstream.push(upstream);
    results.native.push(native);
  }
  console.log(
    `median: ${median(ratios.map(r => r.throughput)).toFixed(1)}x the throughput, 1/${median(ratios.map(r => r.loop)).toFixed(1)} of the event loop per read (Node ${process.version})`,
  );
  if (IN_JSON) console.log(JSON.stringify(medians(results)));
  stop();
}

function medians(results) {
  const of = (all, name) => median(all.map(one => one[name]));
  const both = name =>
    Object.fromEntries(
      Object.entries(results).map(([subject, all]) => [subject, of(all, name)]),
    );
  return { perSecond: both('perSecond'), loopMicros: both('loopMicros') };
}

async function startServer() {
  const cargo = ['run', '--release', '--quiet', '--example', 'canned-server'];
  spawnSync('cargo', ['build', ...cargo.slice(1)], { stdio: 'inherit' });
  const server = spawn('cargo', cargo, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await new Promise(resolve =>
    server.stdout.once('data', data => resolve(String(data).split('\n'))),
  );
  return { address: line.trim(), stop: () => server.stdin.end() };
}

function upstreamReader(host) {
  const { AzureUrlReader } = require('@backstage/backend-defaults/urlReader');
  const integrations = require('@backstage/integration');
  return makeReader(host, { ...integrations, AzureUrlReader });
}

function nativeReader(host) {
  return makeReader(host, require('backstage-azure-devops-native'));
}

function makeReader(host, classes) {
  const integration = new classes.AzureIntegration({
    host,
    credentials: [
      { kind: 'PersonalAccessToken', personalAccessToken: 'token' },
    ],
  });
  const credentialsProvider =
    classes.DefaultAzureDevOpsCredentialsProvider.fromIntegrations({
      azure: { list: () => [integration] },
    });
  return new classes.AzureUrlReader(integration, { credentialsProvider });
}

async function readMany(reader, url, count) {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const response = await reader.readUrl(url);
      const content = await response.buffer();
      if (content.length !== 1600) {
        throw new Error(`read ${content.length} bytes`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function measure(reader, url) {
  const before = performance.eventLoopUtilization();
  const startedAt = performance.now();
  await readMany(reader, url, READS);
  const seconds = (performance.now() - startedAt) / 1000;
  const { active } = performance.eventLoopUtilization(before);
  return { perSecond: READS / seconds, loopMicros: (active * 1000) / READS };
}

function report(upstream, native) {
  const line = ({ perSecond, loopMicros }) =>
    `${perSecond.toFixed(0)} reads/s, ${loopMicros.toFixed(0)} us of event loop each`;
  console.log(`upstream: ${line(upstream)}   native: ${line(native)}`);
  return {
    throughput: native.perSecond / upstream.perSecond,
    loop: upstream.loopMicros / native.loopMicros,
  };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

await main();
