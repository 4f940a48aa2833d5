import { createBackend } from '@backstage/backend-defaults';
import {
  coreServices,
  createServiceFactory,
  type UrlReaderService,
} from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import azureUrlReaderServiceFactory from 'backstage-azure-devops-native';
import { BackendLog } from '../../testing/backend/BackendLog';
import { ReaderProbe } from '../../testing/backend/ReaderProbe';

type Options = {
  /** The config's `integrations.azure`. */
  azure: object[];
  /** Whether the backend has this package. */
  withOurs: boolean;
};

/** What its plugins read with in a real backend that was started, with nothing but them. */
export interface Started {
  reader: UrlReaderService;
  log: BackendLog;
  stop(): Promise<void>;
}

export async function startedWith(options: Options): Promise<Started> {
  const { azure, withOurs } = options;
  const data = {
    backend: { baseUrl: 'http://127.0.0.1', listen: { port: 0 } },
    integrations: { azure },
  };
  const config = createServiceFactory({
    service: coreServices.rootConfig,
    deps: {},
    factory: () => new ConfigReader(data as never),
  });
  const probe = new ReaderProbe();
  const log = new BackendLog();
  const backend = createBackend();
  backend.add(config);
  backend.add(log.factory);
  backend.add(probe.plugin);
  if (withOurs) backend.add(azureUrlReaderServiceFactory);
  await backend.start();
  return { reader: probe.reader, log, stop: () => backend.stop() };
}
