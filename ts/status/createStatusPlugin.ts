import {
  coreServices,
  createBackendPlugin,
  type BackendFeature,
  type HttpAuthService,
  type HttpRouterService,
  type PermissionsService,
} from '@backstage/backend-plugin-api';
import { NotAllowedError } from '@backstage/errors';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import type { diagnose as Diagnose } from '../diagnosis/diagnose';
import { Diagnoses } from './Diagnoses';
import { azureDevOpsNativeStatusReadPermission } from './permission';
import { urlsAsked } from './urlsAsked';

type Handler = Parameters<HttpRouterService['use']>[0];
type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

/** What a request is answered with. */
interface Services {
  httpAuth: HttpAuthService;
  permissions: PermissionsService;
  diagnoses: Diagnoses;
}

/** The plugin that answers with what `diagnose` finds. */
export function createStatusPlugin(diagnose: typeof Diagnose): BackendFeature {
  return createBackendPlugin({
    pluginId: 'azure-devops-native',
    register: ({ registerInit }) =>
      registerInit({
        deps: {
          config: coreServices.rootConfig,
          httpAuth: coreServices.httpAuth,
          httpRouter: coreServices.httpRouter,
          permissions: coreServices.permissions,
          permissionsRegistry: coreServices.permissionsRegistry,
        },
        init: async ({ config, httpRouter, permissionsRegistry, ...deps }) => {
          const diagnoses = new Diagnoses((urls, { signal }) =>
            diagnose(config, { urls, signal }),
          );
          permissionsRegistry.addPermissions([
            azureDevOpsNativeStatusReadPermission,
          ]);
          httpRouter.use(handlerOf({ ...deps, diagnoses }));
        },
      }),
  });
}

/** Answers `GET /status`; whatever else is asked for, the backend answers. */
function handlerOf(services: Services): Handler {
  return (request, response, next) => {
    if (isForStatus(request)) answer(request, response, services).catch(next);
    else next();
  };
}

/** As Express would match the route: it answers `HEAD` by it too, and takes a slash at the end. */
function isForStatus({ method, path }: Request): boolean {
  return ['GET', 'HEAD'].includes(method) && /^\/status\/?$/i.test(path);
}

async function answer(
  request: Request,
  response: Response,
  { httpAuth, permissions, diagnoses }: Services,
): Promise<void> {
  response.set('Cache-Control', 'no-store');
  const credentials = await httpAuth.credentials(request, {
    allow: ['user', 'service'],
  });
  const permission = azureDevOpsNativeStatusReadPermission;
  const [{ result }] = await permissions.authorize([{ permission }], {
    credentials,
  });
  if (result !== AuthorizeResult.ALLOW) {
    throw new NotAllowedError(`This needs the permission ${permission.name}`);
  }
  response.json(await diagnoses.with(urlsAsked(request.url)));
}
