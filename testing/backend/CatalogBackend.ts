import { createBackend } from '@backstage/backend-defaults';
import {
  coreServices,
  createServiceFactory,
  type BackendFeature,
} from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import catalogPlugin from '@backstage/plugin-catalog-backend';
import type { BackendLog } from './BackendLog';
import { CatalogDatabase, type DatabaseClient } from './CatalogDatabase';
import { freePort } from '../freePort';

type JsonObject = NonNullable<ConstructorParameters<typeof ConfigReader>[0]>;

/** What an entity of the catalog has that is looked at here. */
export interface Entity {
  kind: string;
  metadata: {
    name: string;
    description?: string;
    annotations?: Record<string, string>;
  };
  spec?: Record<string, unknown>;
}

/** What differs from one backend to another. */
export interface CatalogBackendOptions {
  /** The config's `integrations.azure`. */
  azure: JsonObject[];
  /** The web URLs of the config's `catalog.locations`. */
  locations: string[];
  /** How long the catalog lets an entity be before it processes it again. */
  processingInterval: { seconds: number } | { hours: number };
  log: BackendLog;
  /** Whether Backstage's own reader reads, in place of this package's. */
  withBuiltInReader?: boolean;
  /** Plugins besides the catalog. */
  plugins?: BackendFeature[];
}

/** A real Backstage backend with the catalog, a database in memory, and this package. */
export class CatalogBackend {
  static async start(options: CatalogBackendOptions): Promise<CatalogBackend> {
    const port = await freePort();
    const backend = createBackend();
    backend.add(configFactory(toConfig(options, port)));
    backend.add(options.log.factory);
    backend.add(catalogPlugin);
    options.plugins?.forEach(plugin => backend.add(plugin));
    if (!options.withBuiltInReader) {
      // The one line that the README asks for.
      backend.add(import('backstage-azure-devops-native'));
    }
    const database = new CatalogDatabase();
    backend.add(database.module);
    await backend.start();
    return new CatalogBackend(`http://127.0.0.1:${port}`, backend, database);
  }

  private constructor(
    readonly url: string,
    private readonly backend: ReturnType<typeof createBackend>,
    private readonly catalogDatabase: CatalogDatabase,
  ) {}

  async stop(): Promise<void> {
    await this.backend.stop();
    await this.catalogDatabase.close();
  }

  /** What asks the catalog's database. */
  async database(): Promise<DatabaseClient> {
    return this.catalogDatabase.client();
  }

  /** Everything in the catalog. */
  async entities(): Promise<Entity[]> {
    const response = await fetch(`${this.url}/api/catalog/entities`);
    return (await successful(response).json()) as Entity[];
  }

  /** Everything in the catalog as `kind:name`. */
  async names(): Promise<string[]> {
    const entities = await this.entities();
    return entities.map(
      ({ kind, metadata }) => `${kind.toLowerCase()}:${metadata.name}`,
    );
  }

  /** One entity, by its kind and name. */
  async entity(kind: string, name: string): Promise<Entity | undefined> {
    const entities = await this.entities();
    return entities.find(
      entity => entity.kind === kind && entity.metadata.name === name,
    );
  }

  /** Asks for an entity to be processed now. */
  async refresh(entityRef: string): Promise<void> {
    successful(await this.#post('refresh', { entityRef }));
  }

  /** Registers the catalog file at a URL, or only tells what that would add. */
  async register(
    target: string,
    options: { dryRun: boolean },
  ): Promise<{ entities: Entity[] }> {
    const { dryRun } = options;
    const location = { type: 'url', target };
    const response = await this.#post(`locations?dryRun=${dryRun}`, location);
    return (await successful(response).json()) as { entities: Entity[] };
  }

  #post(path: string, body: object): Promise<Response> {
    return fetch(`${this.url}/api/catalog/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
}

function toConfig(options: CatalogBackendOptions, port: number): JsonObject {
  const kinds = ['API', 'Component', 'Group', 'Location', 'System'];
  return {
    backend: {
      baseUrl: `http://127.0.0.1:${port}`,
      listen: { host: '127.0.0.1', port },
      database: { client: 'better-sqlite3', connection: ':memory:' },
      // So that it can be tried with curl; it listens on this machine only.
      auth: { dangerouslyDisableDefaultAuthPolicy: true },
    },
    integrations: { azure: options.azure },
    catalog: {
      processingInterval: options.processingInterval,
      rules: [{ allow: kinds }],
      locations: options.locations.map(target => ({ type: 'url', target })),
    },
  };
}

function configFactory(data: JsonObject): BackendFeature {
  return createServiceFactory({
    service: coreServices.rootConfig,
    deps: {},
    factory: () => new ConfigReader(data),
  });
}

function successful(response: Response): Response {
  if (!response.ok) {
    throw new Error(`${response.url} answered ${response.status}`);
  }
  return response;
}
