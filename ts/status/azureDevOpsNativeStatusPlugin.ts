import type { BackendFeature } from '@backstage/backend-plugin-api';
import { diagnose } from '../diagnosis/diagnose';
import { createStatusPlugin } from './createStatusPlugin';

/**
 * Adds `GET /api/azure-devops-native/status` to a backend: what is wrong with its reads of Azure DevOps, and what
 * to do about it. Who asks needs the permission {@link azureDevOpsNativeStatusReadPermission}. It is not a health
 * check, and the backend's own ones know nothing of it.
 *
 * @example
 * ```ts
 * backend.add(import('backstage-azure-devops-native/status'));
 * ```
 *
 * @public
 */
export const azureDevOpsNativeStatusPlugin: BackendFeature =
  createStatusPlugin(diagnose);
