/**
 * Starts a backend with Backstage's own logger and this package, reads one URL, and stops. What it writes
 * is its log, a JSON line each.
 */
import { createBackend } from '@backstage/backend-defaults';
import {
  coreServices,
  createServiceFactory,
} from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import azureUrlReaderServiceFactory from 'backstage-azure-devops-native';
import { ReaderProbe } from '../backend/ReaderProbe';

async function main({ config, url }: { config: object; url: string }) {
  const probe = new ReaderProbe();
  const backend = createBackend();
  backend.add(
    createServiceFactory({
      service: coreServices.rootConfig,
      deps: {},
      factory: () => new ConfigReader(config as never),
    }),
  );
  backend.add(probe.plugin);
  backend.add(azureUrlReaderServiceFactory);
  await backend.start();
  await probe.reader.readUrl(url);
  // Lines of the native part come with the next turns of the event loop.
  await new Promise(resolve => setTimeout(resolve, 200));
  await backend.stop();
  process.exit(0);
}

main(JSON.parse(process.argv[2])).catch(error => {
  console.error(error);
  process.exit(1);
});
