import {
  coreServices,
  createBackendModule,
  type DatabaseService,
} from '@backstage/backend-plugin-api';

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

  async close(): Promise<void> {
    const client = await this.#database?.getClient();
    await client?.destroy();
  }
}
