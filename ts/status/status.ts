import type { Diagnosis } from '../diagnosis/report';

/**
 * What `GET /api/azure-devops-native/status` answers: a diagnosis, and when it was made.
 *
 * @public
 */
export interface AzureDevOpsNativeStatus extends Diagnosis {
  /** When the diagnosis was complete, in ISO 8601; it is given again for 30 seconds. */
  diagnosedAt: string;
}
