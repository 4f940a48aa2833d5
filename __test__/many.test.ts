import { ConfigReader } from '@backstage/config';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { AzureUrlReader } from 'backstage-azure-devops-native';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const metricReader = new PeriodicExportingMetricReader({
  exporter,
  exportIntervalMillis: 3_600_000,
});
const logger = {
  info: jest.fn(),
  warn: jest.fn(),
  error: jest.fn(),
  debug: jest.fn(),
  child: jest.fn(),
};
const server = http.createServer((_request, response) => {
  response.end('content');
});
let port: number;

beforeAll(async () => {
  metrics.setGlobalMeterProvider(
    new MeterProvider({ readers: [metricReader] }),
  );
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  server.unref();
  ({ port } = server.address() as AddressInfo);
});

beforeEach(() => jest.clearAllMocks());

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await metricReader.shutdown();
});

it('however many organizations are read, the log does not grow with the reads', async () => {
  const host = `127.0.0.1:${port}`;
  const [read] = readersOf([host]);
  for (let round = 0; round < 4; round += 1) {
    for (let n = 0; n < 1_500; n += 1) await read(`many${n}`);
  }
  const told = lines().filter(({ event }) => event === 'credential chosen');
  expect(told.length).toBeLessThanOrEqual(1_000);
  const last = lines().filter(({ event }) => event === 'not told');
  expect(last.map(({ message }) => message)).toEqual([
    "More than 1000 different lines of the event 'credential chosen' were told; others are not told any more",
  ]);
});

// Other systems than Linux answer at 127.0.0.1 alone.
const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux(
  'however many hosts are read, every request is counted, and the log says once that some are together',
  async () => {
    const hosts = Array.from(
      { length: 1_500 },
      (_, n) => `127.1.${n >> 8}.${n & 255}:${port}`,
    );
    const before = await requests();
    for (const read of readersOf(hosts)) {
      await read('o');
      await read('o');
    }
    const counted = await requests();
    expect(sum(counted) - sum(before)).toBe(3_000);
    expect(counted.some(({ host }) => host === 'other')).toBe(true);
    const told = lines().filter(({ event }) => event === 'series');
    expect(told).toHaveLength(1);
  },
);

/** What was counted of requests, for each host. */
async function requests(): Promise<Array<{ host: unknown; count: number }>> {
  exporter.reset();
  await metricReader.forceFlush();
  const all = exporter.getMetrics().flatMap(it => it.scopeMetrics);
  const ours = all.flatMap(scope => scope.metrics);
  const found = ours.find(
    ({ descriptor }) => descriptor.name === 'azure_devops.requests',
  );
  return (found?.dataPoints ?? []).map(({ attributes, value }) => ({
    host: attributes.host,
    count: value as number,
  }));
}

function sum(counted: Array<{ count: number }>): number {
  return counted.reduce((total, { count }) => total + count, 0);
}

function lines(): Array<{ event: string; message: string }> {
  const calls = [...logger.info.mock.calls, ...logger.warn.mock.calls];
  return calls.map(([message, fields]) => ({ message, ...fields }));
}

/** For each host what reads a file of an organization there. */
function readersOf(hosts: string[]) {
  const config = new ConfigReader({
    integrations: { azure: hosts.map(host => ({ host })) },
  });
  const readers = AzureUrlReader.factory({
    config,
    logger: logger as never,
    treeResponseFactory: undefined as never,
  });
  return hosts.map(host => {
    const url = new URL(`http://${host}/`);
    const { reader } = readers.find(({ predicate }) => predicate(url))!;
    return async (organization: string) => {
      const file = `${url}${organization}/p/_git/r?path=/a.txt`;
      return (await reader.readUrl(file)).buffer();
    };
  });
}
