import {
  createPermission,
  type BasicPermission,
} from '@backstage/plugin-permission-common';

/**
 * The permission that `GET /api/azure-devops-native/status` needs, for permission policies. Its name is
 * `azure-devops-native.status.read`.
 *
 * @public
 */
export const azureDevOpsNativeStatusReadPermission: BasicPermission =
  createPermission({
    name: 'azure-devops-native.status.read',
    attributes: { action: 'read' },
  });
