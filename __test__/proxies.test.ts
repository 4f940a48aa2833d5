/**
 * Which proxy a read goes through, and whether one, is what Node 24's `fetch` makes of the environment
 * with `NODE_USE_ENV_PROXY=1`. `PROXY_ENVIRONMENTS` says how many are generated, `PARITY_SEED` from
 * which seed.
 */
import fc from 'fast-check';
import { version } from 'undici-of-node-24/package.json';
import { seed } from './parity/seed';
import { environments, type Environment } from './proxies/environments';
import { asFetchReadsIt, faultOf, refusedBecauseOf } from './proxies/rows';
import { sideBySide } from './proxies/sideBySide';
import { INVALID } from './proxies/values';
import { Ways, type Variables, type Way } from './proxies/Ways';

const ENVIRONMENTS = Number(process.env.PROXY_ENVIRONMENTS ?? 120);
const URLS = 18;
const AT_ONCE = 4;

const FIRST = 'http://127.0.0.1:{0}';
const SECOND = 'http://127.0.0.1:{1}';

const onNode24 = parseInt(process.versions.node) === 24 ? it : it.skip;

let ways: Ways;

beforeAll(async () => {
  ways = await Ways.start();
});

/** One URL in one environment. */
interface Case {
  environment: Environment;
  url: string;
  fetched: Way;
  read: Way;
}

describe('in generated environments', () => {
  let cases: Case[];

  beforeAll(async () => {
    const options = { seed, numRuns: ENVIRONMENTS };
    const all = fc.sample(environments(URLS), options);
    cases = (await sideBySide(all, AT_ONCE, casesIn)).flat();
  }, 120_000);

  it('every read goes the way that fetch goes, or is refused', () => {
    const faults = cases.flatMap(one => {
      const { environment, url, fetched, read } = one;
      const fault = faultOf(environment, fetched, read);
      return fault
        ? [{ fault, url, ...environment.variables, fetched, read }]
        : [];
    });
    expect({ faults: faults.length, first: faults.slice(0, 5) }).toEqual({
      faults: 0,
      first: [],
    });
  });

  it('there are enough of each kind', () => {
    const isRefused = ({ environment, fetched }: Case) =>
      refusedBecauseOf(fetched, environment.invalid) !== undefined;
    const isProxied = ({ fetched }: Case) => fetched.way !== 'direct';
    const proxied = cases.filter(one => isProxied(one) && !isRefused(one));
    const excepted = cases.filter(
      one => !isProxied(one) && asFetchReadsIt(one.environment).http_proxy,
    );
    expect(cases).toHaveLength(ENVIRONMENTS * URLS);
    expect(cases.length).toBeGreaterThan(1_500);
    expect(proxied.length).toBeGreaterThan(cases.length / 3);
    expect(excepted.length).toBeGreaterThan(cases.length / 25);
    expect(cases.filter(isRefused).length).toBeGreaterThan(cases.length / 10);
  });
});

/** An environment, and the ways of what is asked for in it; ports are those of proxies 0 and 1. */
type Example = [
  what: string,
  variables: Variables,
  ways: Record<string, string>,
];

const ALIKE: Example[] = [
  [
    'names in lower case come first',
    { HTTPS_PROXY: FIRST, https_proxy: SECOND, HTTP_PROXY: FIRST },
    {
      'https://tfs.example': 'proxy 1 by http',
      'http://tfs.example': 'proxy 0 by http',
    },
  ],
  [
    'an empty name in lower case hides the one in upper case',
    { HTTP_PROXY: FIRST, http_proxy: '' },
    { 'http://tfs.example': 'direct', 'https://tfs.example': 'direct' },
  ],
  [
    'an empty no_proxy hides NO_PROXY',
    { HTTP_PROXY: FIRST, NO_PROXY: '*', no_proxy: '' },
    { 'http://tfs.example': 'proxy 0 by http' },
  ],
  [
    'HTTP_PROXY is for https too',
    { HTTP_PROXY: FIRST },
    { 'https://tfs.example': 'proxy 0 by http' },
  ],
  [
    'HTTP_PROXY is for https where HTTPS_PROXY is empty',
    { HTTP_PROXY: FIRST, HTTPS_PROXY: '' },
    { 'https://tfs.example': 'proxy 0 by http' },
  ],
  [
    'HTTPS_PROXY is for https alone',
    { HTTPS_PROXY: FIRST },
    {
      'https://tfs.example': 'proxy 0 by http',
      'http://tfs.example': 'direct',
    },
  ],
  [
    'HTTP_PROXY is for CGI scripts too',
    { HTTP_PROXY: FIRST, REQUEST_METHOD: 'GET' },
    { 'http://tfs.example': 'proxy 0 by http' },
  ],
  [
    'NO_PROXY=* excepts everything',
    { HTTP_PROXY: FIRST, NO_PROXY: '*' },
    { 'http://tfs.example': 'direct', 'https://127.0.0.1': 'direct' },
  ],
  [
    'a * that is not alone excepts nothing',
    { HTTP_PROXY: FIRST, NO_PROXY: '*, other.example' },
    {
      'https://tfs.example': 'proxy 0 by http',
      'https://other.example': 'direct',
    },
  ],
  [
    'an entry with a port excepts that port',
    { HTTP_PROXY: FIRST, NO_PROXY: 'tfs.example:8443,other.example:443' },
    {
      'https://tfs.example:8443': 'direct',
      'https://tfs.example': 'proxy 0 by http',
      'https://other.example': 'direct',
      'http://other.example': 'proxy 0 by http',
    },
  ],
  ...['example', '.example', '*.example', 'EXAMPLE'].map((entry): Example => [
    `NO_PROXY=${entry} excepts a name and what is below it`,
    { HTTP_PROXY: FIRST, NO_PROXY: entry },
    {
      'https://tfs.example': 'direct',
      'https://Example': 'direct',
      'https://tfsexample': 'proxy 0 by http',
      'https://tfs.example.': 'proxy 0 by http',
    },
  ]),
  [
    'spaces part entries as commas do',
    {
      HTTP_PROXY: FIRST,
      NO_PROXY: ' a.example  b.example\tc.example, d.example',
    },
    {
      'https://a.example': 'direct',
      'https://b.example': 'direct',
      'https://c.example': 'direct',
      'https://d.example': 'direct',
      'https://e.example': 'proxy 0 by http',
    },
  ],
  [
    'ranges of addresses mean nothing',
    { HTTP_PROXY: FIRST, NO_PROXY: '127.0.0.0/8,127.0.0.2,[::1]' },
    {
      'https://127.0.0.1': 'proxy 0 by http',
      'https://127.0.0.2': 'direct',
      'https://[::1]': 'direct',
    },
  ],
  [
    'this machine is reached through the proxy too',
    { HTTP_PROXY: FIRST },
    {
      'http://localhost:8080': 'proxy 0 by http',
      'http://127.0.0.1:8080': 'proxy 0 by http',
      'http://[::1]:8080': 'proxy 0 by http',
    },
  ],
  [
    'the user of a proxy is decoded',
    { HTTP_PROXY: 'http://us%C3%A9r:p%40ss%3Aw%25rd@127.0.0.1:{0}' },
    {
      'http://tfs.example': 'proxy 0 by http as usér:p@ss:w%rd',
      'https://tfs.example': 'proxy 0 by http as usér:p@ss:w%rd',
    },
  ],
  [
    'a user without a password is not sent',
    { HTTP_PROXY: 'http://user@127.0.0.1:{0}' },
    { 'http://tfs.example': 'proxy 0 by http' },
  ],
  [
    'a proxy may be reached over TLS',
    { HTTPS_PROXY: 'https://user:password@localhost:{0}' },
    { 'https://tfs.example': 'proxy 0 by https as user:password' },
  ],
  [
    'a proxy may speak SOCKS, and finds the names itself',
    { HTTP_PROXY: 'socks5://127.0.0.1:{0}' },
    {
      'http://tfs.example': 'proxy 0 by socks5',
      'https://tfs.example': 'proxy 0 by socks5',
    },
  ],
];

describe('as with fetch', () => {
  it.each(ALIKE)('%s', async (_what, variables, expected) => {
    const urls = Object.keys(expected).map(page);
    const [fetched, read] = await Promise.all([
      ways.of('fetch', variables, urls),
      ways.of('reader', variables, urls),
    ]);
    expect(fetched.map(({ way }) => way)).toEqual(Object.values(expected));
    expect(read.map(({ way }) => way)).toEqual(Object.values(expected));
  });
});

describe('unlike with fetch', () => {
  it.each<[what: string, variables: Variables, http: string, https: string]>([
    ['alone', {}, 'proxy 1', 'proxy 1'],
    ['after HTTPS_PROXY', { HTTPS_PROXY: FIRST }, 'proxy 1', 'proxy 0'],
    ['after HTTP_PROXY', { HTTP_PROXY: FIRST }, 'proxy 0', 'proxy 0'],
    ['where http_proxy is empty', { http_proxy: '' }, 'proxy 1', 'proxy 1'],
  ])('ALL_PROXY counts %s', async (_what, variables, http, https) => {
    const urls = ['http://tfs.example', 'https://tfs.example'].map(page);
    const given = { ...variables, ALL_PROXY: SECOND };
    const read = await ways.of('reader', given, urls);
    expect(read.map(({ way }) => way)).toEqual([
      `${http} by http`,
      `${https} by http`,
    ]);
  });

  it.each(INVALID.map(value => [JSON.stringify(value), value]))(
    'what names no proxy is an error of the reads that it would lead: %s',
    async (_name, value) => {
      const HTTPS_PROXY = value.replace('{}', '{0}');
      const environment = {
        variables: { HTTPS_PROXY },
        invalid: ['HTTPS_PROXY'],
      };
      const urls = ['https://tfs.example', 'http://tfs.example'].map(page);
      const asked = { ...environment, urls };
      const [fetched, read] = await Promise.all([
        ways.of('fetch', asFetchReadsIt(asked), urls),
        ways.of('reader', asked.variables, urls),
      ]);
      const faults = urls.map((_, n) => faultOf(asked, fetched[n], read[n]));
      expect(faults).toEqual([undefined, undefined]);
      await expect(ways.of('fetch', asked.variables, urls)).rejects.toThrow(
        /invalid|malformed/i,
      );
    },
  );

  it('a proxy that is set in code is not seen', async () => {
    const urls = ['http://tfs.example', 'https://tfs.example'].map(page);
    const [fetched, read] = await Promise.all([
      ways.of('fetch', {}, urls, FIRST),
      ways.of('reader', {}, urls, FIRST),
    ]);
    const gone = { way: 'proxy 0 by http' };
    expect(fetched).toMatchObject([gone, gone]);
    expect(read).toMatchObject([{ way: 'direct' }, { way: 'direct' }]);
  });
});

onNode24('the fetch that answers elsewhere is that of Node 24', () => {
  const [major, minor] = process.versions.undici!.split('.');
  expect(version).toMatch(new RegExp(`^${major}\\.${minor}\\.`));
});

function page(origin: string): string {
  return `${origin}/org/project/_git/repo?path=/a.md`;
}

async function casesIn(environment: Environment): Promise<Case[]> {
  const { variables, urls } = environment;
  const fetched = await ways.of('fetch', asFetchReadsIt(environment), urls);
  const read = await ways.of('reader', variables, urls);
  return urls.map((url, n) => ({
    environment,
    url,
    fetched: fetched[n],
    read: read[n],
  }));
}
