import type { AzureReadMessage } from 'backstage-azure-devops-native';
import { subscribe } from 'node:diagnostics_channel';

/** The reads that the package publishes from now on, oldest first. */
export function readsOfPackage(): AzureReadMessage[] {
  const reads: AzureReadMessage[] = [];
  subscribe('backstage-azure-devops-native:read', message => {
    reads.push(message as AzureReadMessage);
  });
  return reads;
}
