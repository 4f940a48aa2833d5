/**
 * Which proxy a read goes through, and whether one, is what Node 24's `fetch` makes of the environment
 * with `NODE_USE_ENV_PROXY=1`. `PROXY_ENVIRONMENTS` says how many are generated, `PARITY_SEED` from
 * which seed.
 */
import fc from 'fast-check';
import { seed } from './parity/seed';
import { environments, type Environment } from './proxies/environments';
import { asFetchReadsIt, faultOf, refusedBecauseOf } from './proxies/rows';
import { sideBySide } from './proxies/sideBySide';
import { Ways, type Way } from './proxies/Ways';

const ENVIRONMENTS = Number(process.env.PROXY_ENVIRONMENTS ?? 120);
const URLS = 18;
const AT_ONCE = 4;

let ways: Ways;

beforeAll(async () => {
  ways = await Ways.start();
});

afterAll(() => ways.end());

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
    const refused = cases.filter(({ environment, fetched }) =>
      refusedBecauseOf(fetched, environment.invalid),
    );
    const direct = cases.filter(({ fetched }) => fetched.way === 'direct');
    expect(cases).toHaveLength(ENVIRONMENTS * URLS);
    expect(cases.length).toBeGreaterThan(1_500);
    expect(refused.length).toBeGreaterThan(200);
    expect(direct.length).toBeGreaterThan(400);
    expect(cases.length - direct.length - refused.length).toBeGreaterThan(600);
  });
});

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
