// A process that reads what there are many of: its argument says organizations or hosts. It prints
// the lines of its log, and what was counted of requests, as JSON.
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

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const metricReader = new PeriodicExportingMetricReader({
  exporter,
  exportIntervalMillis: 3_600_000,
});
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [metricReader] }));

const lines = [];
const log = (message, fields) => lines.push({ message, ...fields });
const logger = { info: log, warn: log, error: log, debug: log };
logger.child = () => logger;

const server = http.createServer((_request, response) =>
  response.end('content'),
);
server.listen(0, '0.0.0.0');
await once(server, 'listening');
const { port } = server.address();

/** For each host what reads a file of an organization there. */
function readersOf(hosts) {
  const config = new ConfigReader({
    integrations: { azure: hosts.map(host => ({ host })) },
  });
  const readers = AzureUrlReader.factory({ config, logger });
  return hosts.map(host => {
    const url = new URL(`http://${host}/`);
    const { reader } = readers.find(({ predicate }) => predicate(url));
    return async organization => {
      const file = `${url}${organization}/p/_git/r?path=/a.txt`;
      return (await reader.readUrl(file)).buffer();
    };
  });
}

const SCENARIOS = {
  organizations: async () => {
    const [read] = readersOf([`127.0.0.1:${port}`]);
    for (let round = 0; round < 4; round += 1)
      for (let n = 0; n < 1_500; n += 1) await read(`many${n}`);
  },
  hosts: async () => {
    const address = (_, n) => `127.1.${n >> 8}.${n & 255}:${port}`;
    for (const read of readersOf(Array.from({ length: 1_500 }, address))) {
      await read('o');
      await read('o');
    }
  },
};

await SCENARIOS[process.argv[2]]();
await metricReader.forceFlush();
const requests = exporter
  .getMetrics()
  .flatMap(({ scopeMetrics }) => scopeMetrics)
  .flatMap(scope => scope.metrics)
  .filter(({ descriptor }) => descriptor.name === 'azure_devops.requests')
  .flatMap(({ dataPoints }) => dataPoints)
  .map(({ attributes, value }) => ({ host: attributes.host, count: value }));
process.stdout.write(JSON.stringify({ lines, requests }), () => process.exit());
