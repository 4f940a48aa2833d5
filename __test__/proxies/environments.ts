/** Generated environments, and what is asked for in each. */
import fc from 'fast-check';
import { targetOf } from './target';
import { INVALID, PROXIES } from './values';
import type { Variables } from './Ways';

/** The variables that name proxies; each has the proxy of its place to itself. */
export const NAMES = [
  ...['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'],
  ...['ALL_PROXY', 'all_proxy'],
];

/** The proxy that any variable may name. */
const SHARED = NAMES.length;

export interface Environment {
  variables: Variables;
  /** The variables whose values name no proxy. */
  invalid: string[];
  urls: string[];
}

interface Value {
  value?: string;
  isInvalid?: boolean;
}

// What is asked for without a proxy fails at once: names that nobody has, this machine's own
// addresses, and some that nothing listens to.
const HOSTS = [
  ...['example', 'a.example', 'b.a.example', 'xa.example', 'ample', 'a.test'],
  ...['a.example.', 'example.', 'server', 'A.Example', 'k.example'],
  ...['bücher.example', 'localhost', 'a.localhost', 'localhost.'],
  ...['127.0.0.1', '127.0.0.2', '127.1', '0.0.0.0', '224.0.0.9'],
  ...['[::1]', '[0:0::1]', '[ff02::1]', '[ff02::A]', '[::ffff:127.0.0.1]'],
];

// What excepts many of them.
const WIDE = ['example', 'a.example', 'localhost', '127.0.0.1', '[::1]'];

const PORTS = ['', '', '', ':80', ':443', ':8080', ':8443', ':65535'];

const PAGE = '/org/project/_git/repo?path=/a.md';

const url = fc
  .tuple(
    fc.constantFrom('http', 'https', 'https', 'HTTPS', 'hTTp'),
    fc.constantFrom(...HOSTS),
    fc.constantFrom(...PORTS),
  )
  .map(([scheme, host, port]) => `${scheme}://${host}${port}${PAGE}`);

/** How a host may be written in `NO_PROXY`, rightly or not. */
const RIGHT: Array<(host: string) => string> = [
  host => host,
  host => host,
  host => `.${host}`,
  host => `*.${host}`,
  host => host.toUpperCase(),
];
const WRONG: typeof RIGHT = [
  host => `*${host}`,
  host => `..${host}`,
  host => `${host}.`,
  host => host.slice(1),
  host => host.replace(/^[^.]*/, ''),
  host => `${host}/24`,
  host => `http://${host}`,
  host => host.replace(/[[\]]/g, ''),
  // A letter (the sign of Kelvin) whose lower case is a `k`.
  host => host.replace('k', '\u212a'),
];

const ENTRY_PORTS = [':80', ':443', ':8080', ':8443', ':1', ':0'];
const RARE_ENTRY_PORTS = [':', ':0443', ':99999', ':*', ':https'];

const RARE_ENTRIES = [
  ...[
    '*',
    '.',
    '*.',
    '*.*',
    '**',
    '*:443',
    '.:443',
    '*.:80',
    ':443',
    '<local>',
  ],
  ...['127.0.0.0/8', '224.0.0.0/4', 'ff02::/16', '::1', '[::1', '::1:443'],
  ...['xn--bcher-kva.example', 'b*.a.example', 'a.*', '"a.example"'],
];

const entry = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...RIGHT, ...RIGHT, ...RIGHT, ...WRONG),
        fc.constantFrom(...HOSTS, ...WIDE, ...WIDE, ...WIDE),
        fc.oneof(
          { weight: 5, arbitrary: fc.constant('') },
          { weight: 3, arbitrary: fc.constantFrom(...ENTRY_PORTS) },
          { weight: 1, arbitrary: fc.constantFrom(...RARE_ENTRY_PORTS) },
        ),
      )
      .map(([form, host, port]) => form(host) + port),
  },
  { weight: 1, arbitrary: fc.constantFrom(...RARE_ENTRIES) },
);

const SEPARATORS = [
  ...[',', ',', ',', ' ', ', ', '\t', ' , ', ',,', '\n', '\r\n', ';', '|'],
  ...['\u00a0', '\u3000', '\ufeff', '\u0085', '\u200b'],
];

const list = fc
  .tuple(
    fc.array(fc.tuple(entry, fc.constantFrom(...SEPARATORS)), {
      minLength: 1,
      maxLength: 8,
    }),
    fc.constantFrom('', '', '', ' ', ',', '\t,'),
    fc.boolean(),
  )
  .map(([entries, before, isEnded]) => {
    const text = entries.map(parts => parts.join('')).join('');
    const last = entries.at(-1)![1];
    return before + (isEnded ? text : text.slice(0, -last.length));
  });

const noProxy = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom('', ' ', ',') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('*', ' *', '* ', '*, x', '*,', '**'),
  },
  { weight: 8, arbitrary: list },
);

/** The value of the variable of a place, unset so often for every ten others. */
function proxyValue(place: number, unset: number): fc.Arbitrary<Value> {
  const { IN_PLAIN, WITH_USERS, OVER_TLS, SOCKS } = PROXIES;
  const named = fc
    .tuple(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...IN_PLAIN) },
        { weight: 4, arbitrary: fc.constantFrom(...WITH_USERS) },
        { weight: 1, arbitrary: fc.constantFrom(...OVER_TLS) },
        { weight: 1, arbitrary: fc.constantFrom(...SOCKS) },
      ),
      fc.constantFrom(place, place, place, SHARED),
    )
    .map(([value, n]) => ({ value: value.replace('{}', `{${n}}`) }));
  const invalid = fc.constantFrom(...INVALID).map(value => ({
    value: value.replace('{}', `{${place}}`),
    isInvalid: true,
  }));
  return fc.oneof(
    { weight: unset, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constant({ value: '' }) },
    { weight: 7, arbitrary: named },
    { weight: 2, arbitrary: invalid },
  );
}

/** Environments, each with so many URLs, no two of which lead to one host and port. */
export function environments(urls: number): fc.Arbitrary<Environment> {
  return fc
    .tuple(
      fc.tuple(...NAMES.map((_, n) => proxyValue(n, n < 4 ? 10 : 30))),
      fc.tuple(noProxy, noProxy),
      // What a CGI script is told, for which some programs read no HTTP_PROXY.
      fc.constantFrom(undefined, undefined, undefined, undefined, 'GET'),
      fc.uniqueArray(url, {
        selector: targetOf,
        minLength: urls,
        maxLength: urls,
      }),
    )
    .map(([values, [NO_PROXY, no_proxy], REQUEST_METHOD, asked]) => ({
      variables: {
        ...Object.fromEntries(NAMES.map((name, n) => [name, values[n].value])),
        ...{ NO_PROXY, no_proxy, REQUEST_METHOD },
      },
      invalid: NAMES.filter((_, n) => values[n].isInvalid),
      urls: asked,
    }));
}
