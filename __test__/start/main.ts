/**
 * Starts a backend with Backstage's own configuration and logger and with this package, reads one URL, and
 * stops. What it writes is its log, a JSON line each, and then what it has loaded.
 */
import { createBackend } from '@backstage/backend-defaults';
import azureUrlReaderServiceFactory from 'backstage-azure-devops-native';
import { setTimeout as wait } from 'node:timers/promises';
import { ReaderProbe } from '../../testing/backend/ReaderProbe';

async function main(url: string) {
  const probe = new ReaderProbe();
  const backend = createBackend();
  backend.add(probe.plugin);
  backend.add(azureUrlReaderServiceFactory);
  await backend.start();
  await probe.reader.readUrl(url);
  // Lines of the native part come with the next turns of the event loop.
  await wait(200);
  await backend.stop();
  const { sharedObjects } = process.report.getReport() as unknown as {
    sharedObjects: string[];
  };
  console.log(JSON.stringify({ event: 'loaded', sharedObjects }));
  process.exit(0);
}

main(process.env.READ_URL!).catch(error => {
  console.error(error);
  process.exit(1);
});
