import type { LoggerService } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import type { AzureDevOpsCredentialsProvider } from 'backstage-azure-devops-native';
import { DEFAULT_TOKEN } from './azure-devops';
import { here, upstream, type Package } from './packages';
import { temporaryFolder } from './temporaryFolder.cjs';
import { upstreamFactory } from './upstreamFactory';

/** A reader of either package, with the types of this one. */
export type Reader = InstanceType<Package['AzureUrlReader']>;

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
export function reader(options: ReaderOptions): Reader {
  return readerFrom(here, options);
}

/** Backstage's own reader, made alike. */
export function upstreamReader(options: ReaderOptions): Reader {
  return readerFrom(upstream, options);
}

/** A reader of either package. */
export function readerFrom(
  from: Package,
  {
    of,
    credentials = [{ personalAccessToken: DEFAULT_TOKEN }],
    host = {},
    also = [],
    credentialsProvider,
    logger,
    workingDirectory = temporaryFolder('reader'),
  }: ReaderOptions,
): Reader {
  const hosts = [...also, hostOf(of)];
  const azure = hosts.map(name => ({ host: name, credentials, ...host }));
  const config = new ConfigReader({ integrations: { azure } } as never);
  const integrations = from.AzureIntegration.factory({ config });
  return new from.AzureUrlReader(integrations.byHost(hostOf(of))!, {
    treeResponseFactory: upstreamFactory(workingDirectory),
    credentialsProvider:
      credentialsProvider ??
      from.DefaultAzureDevOpsCredentialsProvider.fromIntegrations({
        azure: integrations,
      }),
    workingDirectory,
    logger,
  });
}

function hostOf(urlOrHost: string): string {
  return urlOrHost.includes('://') ? new URL(urlOrHost).host : urlOrHost;
}
