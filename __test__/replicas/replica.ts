/**
 * A replica of a backend, with a cache in Redis; it reads as it is told, a line of JSON in, a line of
 * JSON out. Argument: what it is, as JSON.
 */
import { createBackend } from '@backstage/backend-defaults';
import {
  coreServices,
  createServiceFactory,
} from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import { createInterface } from 'node:readline';
import { BackendLog } from '../../testing/backend/BackendLog';
import { ReaderProbe } from '../../testing/backend/ReaderProbe';
import { faultyCache, type CacheFault } from './CacheFault';
import { contentsByName } from '../../testing/contentsOf';

/** What one replica is. */
export interface ReplicaOptions {
  /** The host that it reads, and with which token. */
  host: string;
  personalAccessToken: string;
  /** The URL of its Redis. */
  redis?: string;
  /** What is wrong with the cache that it has in place of a Redis. It keeps nothing itself. */
  fault?: CacheFault;
}

/** What it is told. */
export interface Command {
  id: number;
  way: 'readUrl' | 'readTree' | 'search' | 'log';
  url: string;
}

/** What came of it: contents by path or URL, or why there are none. */
export interface Outcome {
  id: number;
  contents?: Record<string, string>;
  error?: string;
}

const probe = new ReaderProbe();
const log = new BackendLog();

async function start(options: ReplicaOptions): Promise<void> {
  const { host, personalAccessToken, redis, fault } = options;
  const config = new ConfigReader({
    backend: {
      baseUrl: 'http://127.0.0.1',
      listen: { host: '127.0.0.1', port: 0 },
      database: { client: 'better-sqlite3', connection: ':memory:' },
      cache: { store: 'redis', connection: redis ?? 'redis://127.0.0.1' },
      ...(fault && {
        reading: { azureDevOps: { cache: { memoryBytes: 0, diskBytes: 0 } } },
      }),
    },
    integrations: { azure: [{ host, credentials: [{ personalAccessToken }] }] },
  });
  const backend = createBackend();
  backend.add(
    createServiceFactory({
      service: coreServices.rootConfig,
      deps: {},
      factory: () => config,
    }),
  );
  if (fault) {
    backend.add(
      createServiceFactory({
        service: coreServices.cache,
        deps: {},
        factory: () => faultyCache(fault),
      }),
    );
  }
  backend.add(log.factory);
  backend.add(probe.plugin);
  backend.add(import('backstage-azure-devops-native'));
  await backend.start();
}

type Way = (url: string) => Promise<Record<string, string>>;

const ways: Record<Command['way'], Way> = {
  readUrl: async url => {
    const response = await probe.reader.readUrl(url);
    return { [url]: String(await response.buffer()) };
  },
  readTree: async url => {
    const tree = await probe.reader.readTree(url);
    return contentsByName(await tree.files(), ({ path }) => path);
  },
  search: async url => {
    const { files } = await probe.reader.search(url);
    return contentsByName(files, file => file.url);
  },
  log: async () =>
    Object.fromEntries(
      log.lines.map(({ level, message }, n) => [`${n} ${level}`, message]),
    ),
};

async function answer({ id, way, url }: Command): Promise<Outcome> {
  try {
    return { id, contents: await ways[way](url) };
  } catch (error) {
    return { id, error: String(error) };
  }
}

async function main(): Promise<void> {
  await start(JSON.parse(process.argv[2]));
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    void answer(JSON.parse(line)).then(outcome =>
      console.log(JSON.stringify(outcome)),
    );
  }
  process.exit();
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
