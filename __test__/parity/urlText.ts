/** Generates URLs of Azure DevOps in every form, and what looks like one. */
import fc from 'fast-check';
import { isReadAlike } from './readAlike';
import { isOfNoName } from './webUrl';

/** Names and pieces that URL parsers, decoders and encoders treat in their own ways. */
const PIECES = [
  ...['a', 'B', '1', '-', '_', '.', '..', '~', '!', '*', "'", '(', ')'],
  ...['%2e', '%2E%2e', '.%2e', '%2E', '...', ' ', '%20', '+', '%2B', '%2b'],
  ...['&', '%26', '%2F', '%2f', '%5C', '%25', '%2520', '%00', '%0A', '%7F'],
  ...['%', '%z', '%zz', '%2', '%ff', '%C0%AF', '%C3', '%ED%A0%80', '%c3%a4'],
  ...['%F4%90%80%80', '%E2%82%AC', '%F0%9F%9A%80', '%EF%BB%BF', '%EF%BF%BD'],
  ...['ä', 'A\u0308', '€', 'ß', 'İ', '🚀', '\u{10ffff}', '\ud800', '\udc00'],
  ...['\t', '\n', '\r', '\0', '\x1f', '\x7f', '\x85', '\xa0', '\u2028'],
  ...['\ufeff', '\u200d', '\ufffd', '\uffff', '\\', '^', '|', '{', '}', '<'],
  ...['>', '"', '`', '$', ',', ';', ':', '=', '[', ']', '@', '%3D', '%3F'],
];

/** Pieces that end the part of the URL in which they stand. */
const SEPARATORS = ['/', '//', '?', '#', '&', '\\', ':', '@'];

const WORDS = [
  ...['org', 'My Org', 'project', 'Repo', 'repo', 'tfs', 'TFS', '_git', '_GIT'],
  ...['%5Fgit', 'DefaultCollection', '_apis', 'src', 'catalog-info.yaml'],
];

const piece = fc.constantFrom(...PIECES);
const anyUnit = fc.string({ unit: 'binary', minLength: 1, maxLength: 3 });

/** A text of awkward pieces. */
export const awkward: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: joined(fc.oneof(piece, anyUnit), 5) },
  {
    weight: 1,
    arbitrary: joined(fc.constantFrom(...PIECES, ...SEPARATORS), 9),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(piece, fc.integer({ min: 0, max: 3000 }))
      .map(([text, times]) => text.repeat(times)),
  },
);

const word = fc.constantFrom(...WORDS);
const segment = fc.oneof({ weight: 5, arbitrary: word }, awkward);

const ORIGINS = [
  ...['https://dev.azure.com', 'http://dev.azure.com', 'https://DEV.Azure.com'],
  ...['https://dev.azure.com:443', 'https://dev.azure.com:8443'],
  ...['https://dev.azure.com.', 'https://user@dev.azure.com'],
  ...['https://user:pass%40@dev.azure.com', 'https://:@dev.azure.com'],
  ...['https://org.visualstudio.com', 'http://ORG.VisualStudio.com'],
  ...['https://org.visualstudio.com:8443', 'https://org.visualstudio.com.'],
  ...['https://a.b.visualstudio.com', 'https://.visualstudio.com'],
  ...['https://visualstudio.com', 'https://user@org.visualstudio.com'],
  ...['http://server:8080', 'https://server', 'https://server.example.com:0'],
  ...['http://server:65536', 'http://server:', 'http://server:80', 'http://'],
  ...['http://[::1]:8080', 'http://[::1]', 'http://[::ffff:1.2.3.4]'],
  ...['http://127.1', 'http://0x7f.0.0.1', 'http://1.2.3.256', 'http://1e3'],
  ...['https://bücher.example', 'https://xn--bcher-kva.example'],
  ...['https://faß.de', 'https://☃.net', 'https://xn--a', 'https://a..b'],
  ...[
    'https://exa%6Dple.com',
    'https://ex%ample.com',
    'https://a_b',
    'https://a b',
  ],
  ...[
    'https://-a-.example',
    'https://ａｂｃ.example',
    'https://a\u00adb.example',
  ],
  ...[
    'ftp://server',
    'ws://server:80',
    'wss://server',
    'file://',
    'file://host',
  ],
  ...[
    'file:///c:',
    'ssh://git@server',
    'foo://server',
    'foo:',
    'mailto:',
    'data:',
  ],
  ...['blob:https://dev.azure.com', 'blob:blob:https://server', 'blob:foo://x'],
  ...[
    'javascript:',
    'about:blank',
    'https:dev.azure.com',
    'https:/dev.azure.com',
  ],
  ...[
    'https:\\\\dev.azure.com',
    'https:///dev.azure.com',
    '  https://dev.azure.com',
  ],
  ...['\0https://dev.azure.com', 'ht\ntps://dev.azure.com', '//dev.azure.com'],
  ...['dev.azure.com', '', 'https', '://', '1http://server', 'vstfs://server'],
];

const origin = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...ORIGINS.slice(0, 11)) },
  { weight: 3, arbitrary: fc.constantFrom(...ORIGINS) },
  { weight: 1, arbitrary: awkward.map(text => `https://${text}`) },
);

/** Where owner, project and repository stand, as the forms of URL have them. */
const FORMS: Array<(a: string, b: string, c: string, d: string) => string[]> = [
  (a, b, c) => [a, b, '_git', c],
  (a, b) => [a, '_git', b],
  (a, b, c) => ['tfs', a, b, '_git', c],
  (a, b, c, d) => [a, b, c, '_git', d],
  (a, b, c) => ['tfs', a, '_git', b, c],
  (a, b, c, d) => [a, b, '_git', c, d],
  (a, b, c, d) => [a, b, c, d],
  (a, b) => ['_git', a, b],
  (a, b) => ['', a, '_git', b],
  (a, b) => [a, b, '_git'],
  (a, b) => [a, '%5f%67it', b],
];

/** As the address bar shows a repository whose project has its name. */
const PASTED: typeof FORMS = [
  a => ['_git', a],
  a => ['DefaultCollection', '_git', a],
  a => ['defaultCOLLECTION', '_git', a],
  a => ['%44efaultCollection', '_git', a],
  (a, b) => ['tfs', a, '_git', b],
  (a, b) => ['TFS', a, '_git', b],
];

const COMMIT = '0a1B2c3D4e'.repeat(4);

/** What follows the repository: a page of it, that of a commit above all. */
const page = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  { weight: 3, arbitrary: fc.constant(`/commit/${COMMIT}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[`/commit/${COMMIT}/`, `/commit/${COMMIT}${'f'.repeat(24)}`],
      ...[`/commit/${COMMIT}/a`, `/%63ommit/%30${COMMIT.slice(1)}`],
      ...[`/commit/${COMMIT}0`, `/commit/${COMMIT.slice(1)}`, '/commit/main'],
      ...['/commit', '/commit/', '/commit//', '/commits', '/Commit/0a'],
      ...[`/commits/${COMMIT}`, `//commit/${COMMIT}`, '/pullrequest/1', '//'],
    ),
  },
  { weight: 1, arbitrary: awkward.map(text => `/commit/${text}`) },
);

const pathname = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(...FORMS, ...FORMS.slice(0, 3), ...FORMS.slice(0, 3)),
      fc.constantFrom(...PASTED),
    ),
    fc.tuple(segment, segment, segment, segment),
    fc.constantFrom('/', '/', '/', '/', '/', '/', '/', '\\', '//', ''),
    fc.oneof({ weight: 3, arbitrary: page }, fc.constant('/')),
  )
  .map(([form, names, slash, end]) =>
    ['', ...form(...names)].join('/').replace('/', slash).concat(end),
  );

const filePath = fc.oneof(
  fc.constantFrom('/catalog-info.yaml', '%2Fsrc%2Fa b.yaml', 'src', '/', ''),
  joined(fc.oneof(fc.constant('/'), segment), 5).map(text => `/${text}`),
  awkward,
);

const version = fc.oneof(
  fc.constantFrom('GBmain', 'GTv1.0', 'GC0a1b2c', 'GB', 'GT', 'GC', ''),
  fc.constantFrom('G', 'gbmain', 'GXmain', 'main', '%47Bmain', 'GBfeature%2Fx'),
  fc
    .tuple(fc.constantFrom('GB', 'GT', 'GC', 'P', 'GB+', 'G%54'), awkward)
    .map(([prefix, name]) => prefix + name),
);

const parameter = fc.oneof(
  { weight: 5, arbitrary: filePath.map(value => `path=${value}`) },
  { weight: 5, arbitrary: version.map(value => `version=${value}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('p%61th', 'Path', 'versio%6E', '_a', 'line', 'x y', ''),
        awkward,
      )
      .map(([name, value]) => `${name}=${value}`),
  },
  fc.constantFrom('path', 'version', '', '=', 'line=7', 'lineEnd=8&line=9'),
  awkward,
);

const query = fc.oneof(
  fc.constant(''),
  fc
    .array(parameter, { maxLength: 5 })
    .map(parameters => `?${parameters.join('&')}`),
);

const fragment = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  awkward.map(text => `#${text}`),
);

const wellMade = fc
  .tuple(origin, pathname, query, fragment)
  .map(parts => parts.join(''));

/** A URL with something put in or taken out somewhere. */
const damaged = fc
  .tuple(wellMade, fc.nat(), fc.nat(3), fc.oneof(piece, fc.constant('')))
  .map(([url, at, length, text]) => {
    const start = at % (url.length + 1);
    return url.slice(0, start) + text + url.slice(start + length);
  });

/** A repository URL, or nearly one. */
export const repositoryUrl: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 8, arbitrary: wellMade },
    { weight: 3, arbitrary: damaged },
    { weight: 1, arbitrary: fc.constantFrom('[::1]', 'null') },
  )
  .filter(isReadAlike)
  .filter(url => !isOfNoName(url));

const RELATIVE = [
  ...['./x', '../x', '../../../x', '/x', '/x/./y/../z', '//host/x', '?q', '#f'],
  ...[
    '',
    '.',
    '..',
    '/',
    '//',
    '///x',
    '\\x',
    '\\\\host',
    'x y',
    'a:b',
    ':',
    '?',
  ],
  ...[
    '#',
    './a:b',
    'https:',
    'https:x',
    'http:/x',
    '//',
    '/%2e%2e/x',
    '%2e%2e/x',
  ],
  ...[
    'x?path=y',
    '/x#L1',
    '//[',
    '//a b',
    '  x  ',
    'x;y',
    '*',
    '/c:/x',
    '//host:99999/',
  ],
];

/** What links in a file may look like, absolute ones among them. */
export const reference: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom(...RELATIVE) },
    { weight: 4, arbitrary: joined(fc.oneof(fc.constant('/'), segment), 6) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom('./', '../', '/', '//', '?', '#'), awkward)
        .map(parts => parts.join('')),
    },
    { weight: 1, arbitrary: repositoryUrl },
  )
  .filter(isReadAlike);

function joined(
  part: fc.Arbitrary<string>,
  maxLength: number,
): fc.Arbitrary<string> {
  return fc.array(part, { maxLength }).map(parts => parts.join(''));
}
