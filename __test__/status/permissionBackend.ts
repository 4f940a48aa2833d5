import {
  coreServices,
  createBackendPlugin,
  type BackendFeature,
} from '@backstage/backend-plugin-api';
import { json } from 'node:stream/consumers';

/** Whether a user may do what a permission is for. */
export type Policy = (permission: string, user: string) => boolean;

interface Question {
  items: Array<{ id: string; permission: { name: string } }>;
}

/** What Backstage's permissions service asks, with a policy; the plugin of that name is not installed here. */
export function permissionBackend(policy: Policy): BackendFeature {
  return createBackendPlugin({
    pluginId: 'permission',
    register: ({ registerInit }) =>
      registerInit({
        deps: {
          httpAuth: coreServices.httpAuth,
          httpRouter: coreServices.httpRouter,
        },
        init: async ({ httpAuth, httpRouter }) => {
          httpRouter.use(async (request, response) => {
            const { principal } = await httpAuth.credentials(request, {
              allow: ['user'],
            });
            const { items } = (await json(request)) as Question;
            response.json({
              items: items.map(({ id, permission }) => ({
                id,
                result: policy(permission.name, principal.userEntityRef)
                  ? 'ALLOW'
                  : 'DENY',
              })),
            });
          });
        },
      }),
  });
}
