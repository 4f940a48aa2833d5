import {
  coreServices,
  createBackendModule,
  type DatabaseService,
} from '@backstage/backend-plugin-api';

/** What asks the database. */
export type DatabaseClient = Awaited<ReturnType<DatabaseService['getClient']>>;

/** The catalog's database, which a stopped backend leaves open for the end of its process. */
export class CatalogDatabase {
  #database: DatabaseService | undefined;

  /** The module that gets hold of the database. */
  readonly module = createBackendModule({
    pluginId: 'catalog',
    moduleId: 'database',
    register: ({ registerInit }) =>
      registerInit({
        deps: { database: coreServices.database },
        init: async ({ database }) => {
          this.#database = database;
        },
      }),
  });

  /** The client of the database of a backend that has started. */
  async client(): Promise<DatabaseClient> {
    if (!this.#database) throw new Error('The backend has not been started.');
    return this.#database.getClient();
  }

  async close(): Promise<void> {
    await (await this.client()).destroy();
  }
}
