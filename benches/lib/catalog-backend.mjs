// A Backstage backend with the real catalog, a database in memory, and one of the two readers.
import { azureConfig, quiet } from '../../testing/measuring/host.mjs';

/** Later than any refresh ends, so that the catalog refreshes nothing of its own accord. */
const PROCESSING_INTERVAL = { hours: 24 };

export class CatalogBackend {
  #database;

  /** Starts it with locations, and waits until the catalog has read all of them. */
  static async start(subject, { token, urls }) {
    const { createBackend } = await import('@backstage/backend-defaults');
    const catalog = new CatalogBackend();
    const backend = createBackend();
    for (const feature of await features(toConfig(token, urls)))
      backend.add(feature);
    backend.add(await catalog.#databaseModule());
    if (subject === 'native')
      backend.add(import('backstage-azure-devops-native'));
    await backend.start();
    await until(async () => (await catalog.#count('')) === urls.length);
    await catalog.#untilIdle();
    return catalog;
  }

  /**
   * Makes every entity due once, evenly over some seconds, as they are due in a catalog that has
   * been running for a while, and waits until all have been processed.
   */
  async refresh(seconds) {
    const due = `datetime('now', (abs(random()) % ${seconds}) || ' seconds')`;
    await this.#database('refresh_state').update({
      next_update_at: this.#database.raw(due),
    });
    await this.#untilIdle();
  }

  /** Makes sure that so many components are described so. */
  async expect(count, description) {
    const found = await this.#count(description);
    if (found !== count)
      throw new Error(`${found} components of ${count} are new`);
  }

  async #count(description) {
    const [{ count }] = await this.#database('final_entities')
      .whereLike('entity_ref', 'component:%')
      .whereLike('final_entity', `%"description":"${description}%`)
      .count({ count: '*' });
    return count;
  }

  async #untilIdle() {
    await until(async () => {
      const [{ count }] = await this.#database('refresh_state')
        .whereRaw("next_update_at <= datetime('now', '1 hour')")
        .count({ count: '*' });
      return count === 0;
    });
    // What was begun last has to be read and stitched.
    await pause(2_000);
    const failed = await this.#database('refresh_state')
      .whereNot('errors', '[]')
      .first('entity_ref', 'errors');
    if (failed) throw new Error(`${failed.entity_ref}: ${failed.errors}`);
  }

  async #databaseModule() {
    const { coreServices, createBackendModule } =
      await import('@backstage/backend-plugin-api');
    return createBackendModule({
      pluginId: 'catalog',
      moduleId: 'bench-database',
      register: ({ registerInit }) =>
        registerInit({
          deps: { database: coreServices.database },
          init: async ({ database }) => {
            this.#database = await database.getClient();
          },
        }),
    });
  }
}

async function features(config) {
  const { coreServices, createServiceFactory } =
    await import('@backstage/backend-plugin-api');
  const { ConfigReader } = await import('@backstage/config');
  const { default: catalogPlugin } =
    await import('@backstage/plugin-catalog-backend');
  const service = (ref, factory) =>
    createServiceFactory({ service: ref, deps: {}, factory });
  return [
    service(coreServices.rootConfig, () => new ConfigReader(config)),
    service(coreServices.rootLogger, () => quiet),
    catalogPlugin,
  ];
}

function toConfig(token, urls) {
  return {
    backend: {
      baseUrl: 'http://127.0.0.1',
      listen: { host: '127.0.0.1', port: 0 },
      database: { client: 'better-sqlite3', connection: ':memory:' },
    },
    integrations: { azure: azureConfig(token) },
    catalog: {
      processingInterval: PROCESSING_INTERVAL,
      locations: urls.map(target => ({ type: 'url', target })),
    },
  };
}

async function until(isSo) {
  while (!(await isSo())) await pause(250);
}

function pause(milliseconds) {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}
