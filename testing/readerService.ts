import { UrlReaders } from '@backstage/backend-defaults/urlReader';
import type {
  LoggerService,
  UrlReaderService,
} from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import { AzureUrlReader } from 'backstage-azure-devops-native';
import { DEFAULT_TOKEN, standIn } from './azure-devops';
import { mockLogger } from './mockLogger';
import { temporaryFolder } from './temporaryFolder.cjs';

/** What a backend hands to a plugin that reads. */
export interface ReaderService {
  config: ConfigReader;
  logger: LoggerService;
  reader: UrlReaderService;
  workingDirectory: string;
}

/** Upstream's reader for plugins, in which Azure DevOps is read by us and nothing else is read. */
export function readerService(
  hosts = ['dev.azure.com', standIn().host],
): ReaderService {
  const workingDirectory = temporaryFolder('reader-service');
  const credentials = [{ personalAccessToken: DEFAULT_TOKEN }];
  const config = new ConfigReader({
    backend: { workingDirectory },
    integrations: { azure: hosts.map(host => ({ host, credentials })) },
  });
  const logger = mockLogger();
  const factories = [AzureUrlReader.factory];
  const reader = UrlReaders.create({ config, logger, factories });
  return { config, logger, reader, workingDirectory };
}
