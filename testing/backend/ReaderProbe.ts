import {
  coreServices,
  createBackendPlugin,
  type UrlReaderService,
} from '@backstage/backend-plugin-api';

/** A plugin that hands out the reader that the backend gives to its plugins. */
export class ReaderProbe {
  #reader: UrlReaderService | undefined;

  readonly plugin = createBackendPlugin({
    pluginId: 'probe',
    register: ({ registerInit }) =>
      registerInit({
        deps: { reader: coreServices.urlReader },
        init: async ({ reader }) => {
          this.#reader = reader;
        },
      }),
  });

  get reader(): UrlReaderService {
    if (!this.#reader) {
      throw new Error('The backend with this plugin has not been started.');
    }
    return this.#reader;
  }
}
