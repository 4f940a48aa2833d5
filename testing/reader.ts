import {
  AzureUrlReader as UpstreamAzureUrlReader,
  type ReadTreeResponseFactory,
} from '@backstage/backend-defaults/urlReader';
import type { LoggerService } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import {
  AzureIntegration,
  AzureUrlReader,
  DefaultAzureDevOpsCredentialsProvider,
  type AzureDevOpsCredentialsProvider,
} from 'backstage-azure-devops-native';
import { DEFAULT_TOKEN } from './azure-devops';
import { temporaryFolder } from './temporaryFolder.cjs';
import { upstreamFactory } from './upstreamFactory';

/** What a reader is made with. */
export interface ReaderOptions {
  /** The host, or a URL on it; other hosts are configured alike. */
  of: string;
  /** As in the app-config; one token by default, with which the stand-in lets everybody in. */
  credentials?: object[];
  /** What else stands under the host in the app-config. */
  host?: object;
  /** Other hosts with the same. */
  also?: string[];
  credentialsProvider?: AzureDevOpsCredentialsProvider;
  logger?: LoggerService;
  workingDirectory?: string;
}

/** A reader of one host, as the app-config makes it. */
export function reader(options: ReaderOptions): AzureUrlReader {
  const { integrations, deps } = made(options);
  const integration = integrations.byHost(hostOf(options.of))!;
  return new AzureUrlReader(integration, deps);
}

/** Backstage's own reader, made alike. */
export function upstreamReader(options: ReaderOptions): UpstreamAzureUrlReader {
  const { integrations, deps } = made(options);
  const integration = integrations.byHost(hostOf(options.of));
  return new UpstreamAzureUrlReader(integration as never, deps);
}

function made({
  of,
  credentials = [{ personalAccessToken: DEFAULT_TOKEN }],
  host = {},
  also = [],
  credentialsProvider,
  logger,
  workingDirectory = temporaryFolder('reader'),
}: ReaderOptions) {
  const hosts = [...also, hostOf(of)];
  const azure = hosts.map(name => ({ host: name, credentials, ...host }));
  const config = new ConfigReader({ integrations: { azure } } as never);
  const integrations = AzureIntegration.factory({ config });
  const deps = {
    treeResponseFactory: upstreamFactory(
      workingDirectory,
    ) as ReadTreeResponseFactory,
    credentialsProvider:
      credentialsProvider ??
      DefaultAzureDevOpsCredentialsProvider.fromIntegrations({
        azure: integrations,
      }),
    workingDirectory,
    logger,
  };
  return { integrations, deps };
}

function hostOf(urlOrHost: string): string {
  return urlOrHost.includes('://') ? new URL(urlOrHost).host : urlOrHost;
}
