import { createBackend } from '@backstage/backend-defaults';
import {
  coreServices,
  createServiceFactory,
} from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import { BackendLog } from '../../testing/backend/BackendLog';
import { createStatusPlugin } from '../../ts/status/createStatusPlugin';
import type { Doctor } from './Doctor';
import { freePort } from '../../testing/freePort';

const TOKEN = 'a-token-for-scripts';

/** A real backend with the status, for which there is a token. */
export async function startedWithToken({
  doctor,
  restriction,
}: {
  doctor: Doctor;
  /** What of this plugin the token is for; everything where there is none. */
  restriction?: object;
}) {
  const port = await freePort();
  const plugin = 'azure-devops-native';
  const access = {
    type: 'static',
    options: { token: TOKEN, subject: 'scripts' },
    ...(restriction && { accessRestrictions: [{ plugin, ...restriction }] }),
  };
  const data = {
    backend: {
      baseUrl: `http://127.0.0.1:${port}`,
      listen: { host: '127.0.0.1', port },
      database: { client: 'better-sqlite3', connection: ':memory:' },
      auth: { externalAccess: [access] },
    },
    permission: { enabled: true },
  };
  const backend = createBackend();
  backend.add(
    createServiceFactory({
      service: coreServices.rootConfig,
      deps: {},
      factory: () => new ConfigReader(data as never),
    }),
  );
  backend.add(new BackendLog().factory);
  backend.add(createStatusPlugin(doctor.diagnose));
  await backend.start();
  return {
    token: TOKEN,
    get: (token?: string) =>
      fetch(`http://127.0.0.1:${port}/api/${plugin}/status`, {
        headers: token ? { authorization: `Bearer ${token}` } : {},
      }),
    stop: () => backend.stop(),
  };
}
