import { channel } from 'node:diagnostics_channel';
import { native } from './binding';
import type { ReadUrlResult } from './native';

/**
 * One read that gave content, as it is published on the diagnostics channel `backstage-azure-devops-native:read`.
 *
 * @public
 */
export interface AzureReadMessage {
  /** The web URL that was read; what stands before its host is shown where it is no secret. */
  url: string;
  /**
   * The last REST URL that was asked for it: that of the file; that of the archive, or of the newest
   * commit where the archive of that commit is kept; for a search with a pattern that of the newest
   * commit, or of the archive where it is searched.
   */
  request: string;
  /** The host, and the organization or collection on it. */
  scope: string;
  /** The kind of credential, in plain words. */
  credential: string;
  /** The status of the answer; 0 where an earlier one stands in for it (`staleIfThrottled`). */
  status: number;
  /** The time until the answer was there, in milliseconds. */
  durationMs: number;
}

const reads = channel('backstage-azure-devops-native:read');

/** Tells subscribers of a read; costs nothing where there are none. */
export function publishRead(
  url: string,
  result: Pick<ReadUrlResult, 'request' | 'scope' | 'credential' | 'status'>,
  startedAt: number,
): void {
  if (!reads.hasSubscribers) {
    return;
  }
  const { request, scope, credential, status } = result;
  const durationMs = performance.now() - startedAt;
  const message: AzureReadMessage = {
    url: native().withoutSecrets(url),
    request,
    scope,
    credential,
    status,
    durationMs,
  };
  reads.publish(message);
}
