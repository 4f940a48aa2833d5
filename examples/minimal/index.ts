// The smallest backend that reads Azure DevOps with this package: one line adds it.
import { createBackend } from '@backstage/backend-defaults';
import {
  coreServices,
  createBackendPlugin,
} from '@backstage/backend-plugin-api';

const backend = createBackend();

backend.add(import('backstage-azure-devops-native'));

// Any plugin reads as before, through the URL reader of the backend.
backend.add(
  createBackendPlugin({
    pluginId: 'readme',
    register: ({ registerInit }) =>
      registerInit({
        deps: {
          config: coreServices.rootConfig,
          logger: coreServices.logger,
          reader: coreServices.urlReader,
        },
        init: async ({ config, logger, reader }) => {
          const url = config.getString('readme.url');
          const file = await reader.readUrl(url);
          const content = await file.buffer();
          logger.info(`Read ${content.length} bytes of ${url}`);
        },
      }),
  }),
);

void backend.start();
