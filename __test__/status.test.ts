/** The status of a running backend over HTTP: who gets it, how often it is made, and what is refused. */
import { permissionsServiceFactory } from '@backstage/backend-defaults/permissions';
import {
  mockCredentials,
  mockServices,
  startTestBackend,
} from '@backstage/backend-test-utils';
import { azureDevOpsNativeStatusReadPermission } from 'backstage-azure-devops-native/status';
import { request as httpRequest } from 'node:http';
import { DEFAULT_TOKEN, standIn } from '../testing/azure-devops';
import { until } from '../testing/until';
import { createStatusPlugin } from '../ts/status/createStatusPlugin';
import { Doctor } from './status/Doctor';
import { permissionBackend, type Policy } from './status/permissionBackend';
import { startedWithToken } from './status/startedWithToken';

const REPOSITORY = 'https://dev.azure.com/org/project/_git/repo';
const headers = { authorization: mockCredentials.user.header() };

let doctor: Doctor;
/** Whether a permission is given to a user. */
let policy: Policy;
/** How often that was asked. */
let permissionsAsked: number;
let base: string;

beforeEach(async () => {
  doctor = new Doctor();
  policy = () => true;
  permissionsAsked = 0;
  const data = {
    permission: { enabled: true },
    integrations: { azure: [{ host: 'azure.example.com' }] },
  };
  const { server } = await startTestBackend({
    features: [
      createStatusPlugin(doctor.diagnose),
      permissionBackend((...asked) => {
        permissionsAsked += 1;
        return policy(...asked);
      }),
      permissionsServiceFactory,
      mockServices.rootConfig.factory({ data }),
      mockServices.httpAuth.factory({
        defaultCredentials: mockCredentials.none(),
      }),
    ],
  });
  base = `http://localhost:${server.port()}`;
});

afterEach(() => jest.useRealTimers());

describe('the status is given', () => {
  it('to a user whom the policy allows it: the diagnosis of the configuration that the backend runs with', async () => {
    policy = (permission, user) =>
      permission === 'azure-devops-native.status.read' &&
      user === 'user:default/operator';
    const authorization = mockCredentials.user.header('user:default/operator');
    expect(await ask({ authorization })).toMatchObject({
      code: 200,
      body: { isHealthy: true, hosts: [{ host: 'azure.example.com' }] },
    });
  });

  it('to a service, without the policy being asked', async () => {
    policy = () => false;
    const authorization = mockCredentials.service.header();
    expect(await ask({ authorization })).toMatchObject({ code: 200 });
  });

  it('with the time at which it was made', async () => {
    const before = Date.now();
    const { body } = await ask();
    const time = Date.parse(body.diagnosedAt!);
    expect(new Date(time).toISOString()).toBe(body.diagnosedAt);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it('also where something is wrong, which is then what it says', async () => {
    doctor.isQuick = false;
    const answer = ask();
    (await doctor.whenAsked(1)).finish({ isHealthy: false });
    expect(await answer).toMatchObject({
      code: 200,
      body: { isHealthy: false },
    });
  });

  it('without a body to HEAD', async () => {
    const answer = await fetch(statusUrl(), { method: 'HEAD', headers });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });
});

describe('the status is not given', () => {
  it('to a user whom the policy denies it, and nothing is asked of Azure DevOps', async () => {
    policy = permission => permission !== 'azure-devops-native.status.read';
    expect(await ask()).toMatchObject({
      code: 403,
      body: {
        error: {
          name: 'NotAllowedError',
          message: 'This needs the permission azure-devops-native.status.read',
        },
      },
    });
    expect(doctor.asked).toEqual([]);
  });

  it('to a user whom the policy denies it, from what is kept for others', async () => {
    expect(await ask()).toMatchObject({ code: 200 });
    policy = () => false;
    expect(await ask()).toMatchObject({ code: 403 });
  });

  it.each([
    ['no credentials', ''],
    ['a token that is not valid', mockCredentials.user.invalidHeader()],
  ])('to who has %s', async (_what, authorization) => {
    expect(await ask({ authorization })).toMatchObject({
      code: 401,
      body: { error: { name: 'AuthenticationError' } },
    });
    expect(doctor.asked).toEqual([]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('to %s', async method => {
    expect(await ask({ method })).toMatchObject({ code: 404 });
  });

  it.each(['/', '/status/more', '/statuses'])('by the path %s', async path => {
    const url = `${base}/api/azure-devops-native${path}`;
    expect((await fetch(url, { headers })).status).toBe(404);
  });
});

describe('a token for scripts, in a real backend,', () => {
  const name = azureDevOpsNativeStatusReadPermission.name;

  it.each([
    ['may do anything', undefined, 200],
    ['may do this alone', { permission: name }, 200],
    [
      'may read from this plugin',
      { permissionAttribute: { action: ['read'] } },
      200,
    ],
    ['may do something else', { permission: 'other.thing' }, 403],
  ])('that %s', async (_what, restriction, code) => {
    const backend = await startedWithToken({ doctor, restriction });
    try {
      expect((await backend.get(backend.token)).status).toBe(code);
      expect((await backend.get('another-token')).status).toBe(401);
      expect((await backend.get()).status).toBe(401);
    } finally {
      await backend.stop();
    }
  });
});

it('the permission is found by those who write policies', async () => {
  const url = `${base}/api/azure-devops-native/.well-known/backstage/permissions/metadata`;
  const answer = await fetch(url, { headers });
  expect(await answer.json()).toMatchObject({
    permissions: [
      {
        type: 'basic',
        name: 'azure-devops-native.status.read',
        attributes: { action: 'read' },
      },
    ],
  });
});

describe('a diagnosis', () => {
  it('is shared by those who ask at the same time', async () => {
    doctor.isQuick = false;
    const answers = [ask(), ask(), ask()];
    await untilWaiting(3);
    (await doctor.whenAsked(1)).finish();
    const bodies = (await Promise.all(answers)).map(({ body }) => body);
    expect(bodies[0].diagnosedAt).toEqual(expect.any(String));
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
    expect(doctor.asked).toHaveLength(1);
  });

  it('is given again for 30 seconds, and then made anew', async () => {
    fakeOnly('performance');
    const first = await ask();
    jest.advanceTimersByTime(29_999);
    expect((await ask()).body).toEqual(first.body);
    expect(doctor.asked).toHaveLength(1);
    jest.advanceTimersByTime(1);
    await ask();
    expect(doctor.asked).toHaveLength(2);
  });

  it('that fails is an error for all who wait, and is made anew for the next', async () => {
    doctor.isQuick = false;
    const answers = [ask(), ask()];
    await untilWaiting(2);
    (await doctor.whenAsked(1)).fail(
      new Error('There is no binary for this platform'),
    );
    for (const answer of answers) {
      expect(await answer).toMatchObject({
        code: 500,
        body: { error: { message: 'There is no binary for this platform' } },
      });
    }
    doctor.isQuick = true;
    expect(await ask()).toMatchObject({ code: 200 });
    expect(doctor.asked).toHaveLength(2);
  });

  it('looks at the URLs that are given', async () => {
    await ask({ urls: [`${REPOSITORY}?path=/a&version=GBmain`] });
    expect(doctor.asked[0].urls).toEqual([
      `${REPOSITORY}?path=/a&version=GBmain`,
    ]);
  });

  it('is another with other URLs, and the same with the same ones in another order', async () => {
    const [a, b] = [`${REPOSITORY}?path=/a`, `${REPOSITORY}?path=/b`];
    const sets = [[], [a], [a, b], [b, a], [b, a, b], [a], []];
    for (const urls of sets) await ask({ urls });
    expect(doctor.asked.map(({ urls }) => urls)).toEqual([[], [a], [a, b]]);
  });

  it('is the only one at its time, also with other URLs', async () => {
    doctor.isQuick = false;
    const first = ask();
    await doctor.whenAsked(1);
    const second = ask({ urls: [`${REPOSITORY}?path=/a`] });
    const third = ask({ urls: [`${REPOSITORY}?path=/b`] });
    await untilWaiting(3);
    for (const count of [1, 2, 3]) {
      const own = await doctor.whenAsked(count);
      await sometime();
      expect(doctor.asked.filter(({ isUnderWay }) => isUnderWay)).toEqual([
        own,
      ]);
      own.finish();
    }
    const codes = await Promise.all([first, second, third]);
    expect(codes.map(({ code }) => code)).toEqual([200, 200, 200]);
  });

  it('that fails does not keep the next from its turn', async () => {
    doctor.isQuick = false;
    const first = ask();
    const failing = await doctor.whenAsked(1);
    const second = ask({ urls: [REPOSITORY] });
    await untilWaiting(2);
    failing.fail(new Error('Nothing was found out'));
    (await doctor.whenAsked(2)).finish();
    expect((await first).code).toBe(500);
    expect((await second).code).toBe(200);
  });

  it('goes on for others when who asked for it first goes away', async () => {
    doctor.isQuick = false;
    const first = httpRequest(statusUrl(), { headers });
    const gone = new Promise(resolve => first.on('error', resolve));
    first.end();
    const own = await doctor.whenAsked(1);
    const second = ask();
    await untilWaiting(2);
    first.destroy();
    await gone;
    await sometime();
    expect(own.signal.aborted).toBe(false);
    own.finish();
    expect(await second).toMatchObject({ code: 200 });
    expect(doctor.asked).toHaveLength(1);
  });

  it('that takes longer than two minutes is ended, and the next has its turn', async () => {
    doctor.isQuick = false;
    fakeOnly('setTimeout', 'clearTimeout');
    const first = ask();
    await doctor.whenAsked(1);
    jest.advanceTimersByTime(120_000);
    expect(await first).toMatchObject({
      code: 503,
      body: {
        error: {
          message: 'The diagnosis took longer than 120 seconds and was ended',
        },
      },
    });
    doctor.isQuick = true;
    expect(await ask()).toMatchObject({ code: 200 });
  });

  it('waits with no more than 19 others', async () => {
    doctor.isQuick = false;
    const ofPath = (n: number) => ({ urls: [`${REPOSITORY}?path=/${n}`] });
    const answers = Array.from({ length: 20 }, (_, n) => ask(ofPath(n)));
    await untilWaiting(20);
    expect(await ask(ofPath(20))).toMatchObject({
      code: 503,
      body: { error: { name: 'ServiceUnavailableError' } },
    });
    doctor.isQuick = true;
    doctor.asked[0].finish();
    const all = await Promise.all(answers);
    expect(all.map(({ code }) => code)).toEqual(Array(20).fill(200));
  });
});

describe('a request is refused', () => {
  const TEN = Array.from({ length: 10 }, (_, n) => `${REPOSITORY}?path=/${n}`);

  it('with more than ten URLs', async () => {
    expect(await ask({ urls: TEN })).toMatchObject({ code: 200 });
    expect(await ask({ urls: [...TEN, REPOSITORY] })).toMatchObject({
      code: 400,
      body: {
        error: {
          name: 'InputError',
          message: 'There are 11 parameters url, and at most 10 are looked at',
        },
      },
    });
  });

  it.each(['', 's3cret', 'ftp://s3cret/', 'https://', 'file:///s3cret'])(
    'with %j for a URL, which it does not repeat',
    async url => {
      const { code, body } = await ask({ urls: [REPOSITORY, url] });
      expect(code).toBe(400);
      expect(body.error).toMatchObject({
        name: 'InputError',
        message:
          'The parameter url number 2 is no URL that begins with https:// or http://',
      });
      expect(doctor.asked).toEqual([]);
    },
  );

  it('with a URL that is not encoded, whose version would be lost', async () => {
    const query = `?url=${REPOSITORY}?path=/a&version=GBmain`;
    const answer = await fetch(`${statusUrl()}${query}`, { headers });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { message: expect.stringMatching(/"version".*--data-urlencode/) },
    });
  });

  it('only after who asks was found to have the permission', async () => {
    policy = () => false;
    expect(await ask({ urls: ['no URL'] })).toMatchObject({ code: 403 });
  });
});

it.each([
  ['given', 200, () => {}],
  ['refused', 400, (options: Options) => (options.urls = [''])],
  ['denied', 403, () => (policy = () => false)],
  [
    'failed',
    500,
    () => {
      doctor.isQuick = false;
      void doctor.whenAsked(1).then(own => own.fail(new Error('no')));
    },
  ],
])(
  'a status that is %s is stored nowhere on its way',
  async (_, code, make) => {
    const options: Options = {};
    make(options);
    const answer = await ask(options);
    expect(answer.code).toBe(code);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  },
);

it('what is wrong with Azure DevOps takes no backend out of service', async () => {
  doctor.isQuick = false;
  const states = async () => {
    const paths = ['readiness', 'liveness'];
    const urls = paths.map(path => `${base}/.backstage/health/v1/${path}`);
    const answers = await Promise.all(urls.map(url => fetch(url)));
    return answers.map(({ status }) => status);
  };
  const unhealthy = ask();
  (await doctor.whenAsked(1)).finish({ isHealthy: false });
  await unhealthy;
  expect(await states()).toEqual([200, 200]);
  const failed = ask({ urls: [REPOSITORY] });
  (await doctor.whenAsked(2)).fail(new Error('Everything is wrong'));
  await failed;
  expect(await states()).toEqual([200, 200]);
});

interface Options {
  urls?: string[];
  method?: string;
  authorization?: string;
}

interface Answer {
  code: number;
  headers: Headers;
  body: Record<string, unknown> & { diagnosedAt?: string };
}

/** Asks for the status, as a user unless it is said otherwise. */
async function ask({
  urls = [],
  method = 'GET',
  authorization = headers.authorization,
}: Options = {}): Promise<Answer> {
  const query = new URLSearchParams(
    urls.map((url): [string, string] => ['url', url]),
  );
  const url = `${statusUrl()}${urls.length > 0 ? `?${query}` : ''}`;
  const answer = await fetch(url, {
    method,
    headers: authorization ? { authorization } : {},
  });
  const text = await answer.text();
  return {
    code: answer.status,
    headers: answer.headers,
    body: text ? JSON.parse(text) : {},
  };
}

function statusUrl(): string {
  return `${base}/api/azure-devops-native/status`;
}

/** Until so many users' requests have come as far as the diagnosis. */
async function untilWaiting(count: number): Promise<void> {
  await until(() => permissionsAsked >= count, { what: 'request' });
  await sometime();
}

/** Time enough for what ought not to happen. */
async function sometime(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 100));
}

/** Turns these of the clocks by hand, and leaves the others as they are. */
function fakeOnly(
  ...faked: Array<'performance' | 'setTimeout' | 'clearTimeout'>
) {
  const all = [
    'Date',
    'hrtime',
    'nextTick',
    'performance',
    'queueMicrotask',
    'setImmediate',
    'clearImmediate',
    'setInterval',
    'clearInterval',
    'setTimeout',
    'clearTimeout',
  ] as const;
  const isReal = (name: string) => !(faked as string[]).includes(name);
  jest.useFakeTimers({ doNotFake: all.filter(isReal) });
}

describe('the real diagnosis', () => {
  it('is that of the running backend, and shows no secret', async () => {
    const azure = standIn();
    const repository = await azure.addRepository({
      organization: 'running',
      project: 'p',
      repository: 'r',
      files: { 'catalog-info.yaml': 'kind: Component' },
    });
    const credentials = [{ personalAccessToken: DEFAULT_TOKEN }];
    const data = {
      integrations: { azure: [{ host: azure.host, credentials }] },
    };
    const { server } = await startTestBackend({
      features: [
        import('backstage-azure-devops-native/status'),
        mockServices.rootConfig.factory({ data }),
      ],
    });
    const url = repository.webUrl({ at: 'server', path: '/none.yaml' });
    const answer = await fetch(
      `http://localhost:${server.port()}/api/azure-devops-native/status?url=${encodeURIComponent(url)}`,
      { headers },
    );
    const text = await answer.text();
    expect(text).not.toContain(DEFAULT_TOKEN);
    expect(JSON.parse(text)).toMatchObject({
      isHealthy: false,
      configuration: { source: 'the backend' },
      organizations: [{ organization: 'running', canReadCode: true }],
      urls: [{ cause: { at: 'path' } }],
    });
  });
});
