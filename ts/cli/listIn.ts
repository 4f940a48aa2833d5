import { tmpdir } from 'node:os';
import { cancellable } from '../cancellable';
import {
  DefaultAzureDevOpsCredentialsProvider,
  nativeCredentials,
} from '../DefaultAzureDevOpsCredentialsProvider';
import { unwrap } from '../failure';
import { nativeReader } from '../nativeReader';
import type { LsOutput } from './output';
import type { UrlReaderOf } from './readerOf';

/** What a folder has, at a commit. */
export type Listing = Omit<LsOutput, 'url'>;

/**
 * Lists the folder, or the one file, that a URL names; of a pattern everything below the folder in which alone
 * there can be matches.
 */
export async function listIn(
  { integration }: UrlReaderOf,
  url: string,
  signal: AbortSignal,
): Promise<Listing> {
  const provider = DefaultAzureDevOpsCredentialsProvider.fromIntegrations({
    azure: { list: () => [integration] },
  });
  const credentials = nativeCredentials(provider);
  const reader = nativeReader(integration.config, credentials, tmpdir());
  const listing = await cancellable(signal, cancellation =>
    reader.list(url, cancellation),
  );
  return JSON.parse(unwrap(listing)) as Listing;
}
