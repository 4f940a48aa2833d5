import { channel } from 'node:diagnostics_channel';
import { native } from './binding';
import { requestOf } from './failure';
import type { Asked } from './native';

/**
 * One read, as it is published on the diagnostics channel `backstage-azure-devops-native:read` when it has
 * ended: with content, with an error, or because nothing has changed.
 *
 * @public
 */
export interface AzureReadMessage {
  /** The web URL that was read; what stands before its host is shown where it is no secret. */
  url: string;
  /**
   * The last REST URL that was asked for it: that of the file; that of the archive, or of the newest
   * commit where the archive of that commit is kept; for a search with a pattern that of the newest
   * commit, that of a list which told the newest commit too, or that of the archive where it is
   * searched.
   */
  request: string;
  /** The host, and the organization or collection on it. */
  scope: string;
  /** The kind of credential, in plain words. */
  credential: string;
  /**
   * The credential's place in the app-config, as `integrations.azure[0].credentials[1]`; of one that does
   * not come from there, its host and position, or what else it comes from.
   */
  place: string;
  /**
   * The status of the answer; 0 where an earlier one stands in for it (`staleIfThrottled`), and where
   * there was none.
   */
  status: number;
  /** The time until the answer was there, in milliseconds. */
  durationMs: number;
  /**
   * The error that the caller got, if any; for a file or tree that has not changed, that is
   * `NotModifiedError`.
   */
  error?: { name: string; message: string };
}

const reads = channel('backstage-azure-devops-native:read');

/** Whether anybody is told of reads. */
export function arePublished(): boolean {
  return reads.hasSubscribers;
}

/** Publishes a read to subscribers; costs nothing where there are none, or were none when it began. */
export function publishRead(
  url: string,
  asked: Asked | undefined,
  startedAt: number,
): void {
  if (!asked || !reads.hasSubscribers) {
    return;
  }
  const { request, scope, credential, place, status } = asked;
  const message: AzureReadMessage = {
    url: native().withoutSecrets(url),
    request,
    scope,
    credential,
    place,
    status,
    durationMs: performance.now() - startedAt,
  };
  reads.publish(message);
}

/** Runs a read, and publishes its failure to subscribers. */
export async function publishFailure<T>(
  url: string,
  read: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  try {
    return await read();
  } catch (error) {
    publishError(url, error, startedAt);
    throw error;
  }
}

/** Publishes the failure of a read to subscribers. */
export function publishError(
  url: string,
  error: unknown,
  startedAt: number,
): void {
  if (!reads.hasSubscribers) {
    return;
  }
  const request = requestOf(error);
  const { name, message } = error instanceof Error ? error : new Error();
  const failed: AzureReadMessage = {
    url: native().withoutSecrets(url),
    request: request?.url ?? '',
    scope: request?.scope ?? '',
    credential: request?.credential ?? '',
    place: request?.place ?? '',
    status: request?.status ?? 0,
    durationMs: performance.now() - startedAt,
    error: { name, message },
  };
  reads.publish(failed);
}
