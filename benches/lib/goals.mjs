// What the package is meant to reach, as ratios of one run, and whether it does.
import { perUnit, plain, ratio, spread } from './figures.mjs';
import { inWords } from './tables.mjs';

/** What a goal says of which there are no figures. */
export const NOT_MEASURED = 'not measured';

const TIME = perUnit('ms');
const CPU = perUnit('cpuMs');
const LOOP = perUnit('loopMs');

const SMALL = 'readUrl 1.6 KB, 64 at once';
const ALONE = 'readUrl 1.6 KB, 1 at once';
const SECURE = 'readUrl 1.6 KB, TLS and HTTP/2, 64 at once';
const TREE = 'of 5,100 files, 64 MiB';
const GIGABYTE = 'of 1,000 files, 1024 MiB';
const GLOB = 'search /**/catalog-info.yaml, 300 matches, first';

/** Each goal: what it says, the figure, and what of it is wanted, by the version of Node where that counts. */
export const GOALS = [
  ...[SMALL, SECURE].flatMap(name => [
    goal(`${name}: rate`, upstream(name, TIME), atLeast(10, 6)),
    goal(
      `${name}: event loop, built-in to ours`,
      upstream(name, LOOP),
      atLeast(15, 10),
    ),
    goal(
      `${name}: CPU above a bare reqwest`,
      above(name, 'reqwest', CPU),
      atMost(1.3),
    ),
    goal(`${name}: CPU above a bare hyper`, above(name, 'hyper', CPU), shown()),
  ]),
  goal(`${ALONE}: CPU, µs`, own(ALONE, CPU), atMost(100)),
  goal(
    'not modified, 64 at once: rate',
    upstream('readUrl 1.6 KB, not modified, 64 at once', TIME),
    atLeast(12),
  ),
  goal(`dir() ${TREE}`, upstream(`dir() ${TREE}`, TIME), atLeast(10)),
  goal(
    `dir() ${TREE}, to a parallel extraction`,
    above(`dir() ${TREE}`, 'libdeflate', TIME),
    atMost(1.3),
  ),
  goal(
    `dir() ${TREE}, to unzip`,
    above(`dir() ${TREE}`, 'unzip', TIME),
    atMost(0.5),
  ),
  goal(`files() ${TREE}`, upstream(`files() ${TREE}`, TIME), atLeast(12)),
  goal(
    'first search of /**/catalog-info.yaml: time',
    upstream(GLOB, TIME),
    atLeast(10),
  ),
  goal(
    'first search of /**/catalog-info.yaml: requests',
    own(GLOB, plain('requests')),
    atMost(2),
  ),
  goal(
    'first search of /services/*/catalog-info.yaml: bytes, to those of /**/catalog-info.yaml',
    beside(
      'search /services/*/catalog-info.yaml, 200 matches, first',
      GLOB,
      plain('sent'),
    ),
    atMost(1),
  ),
  ...['dir', 'files', 'archive'].flatMap(form => [
    goal(
      `${form}() ${GIGABYTE}: memory over idle, MiB`,
      own(`${form}() ${GIGABYTE}`, plain('peakMiB')),
      atMost(48),
    ),
    goal(
      `${form}() ${GIGABYTE}: p99 of the event loop's delay, ms`,
      own(`${form}() ${GIGABYTE}`, plain('delayP99')),
      atMost(5),
    ),
  ]),
  ...['archive', 'files'].flatMap(form =>
    [10, 100].map(atOnce => {
      const name = `${form}() of 300 trees of 5 MiB, ${atOnce} at once`;
      return goal(
        `${name}: memory over idle afterwards, MiB`,
        own(name, plain('leftMiB')),
        atMost(100),
      );
    }),
  ),
  ...[1000, 10_000, 100_000].flatMap(files => {
    const of = `of ${files.toLocaleString('en')} files`;
    const glob = step => `search /**/catalog-info.yaml, ${step}, ${of}`;
    const all = `search /**, contents left alone, ${of}`;
    return [
      goal(
        `${glob('unchanged')}: requests`,
        own(glob('unchanged'), plain('requests')),
        atMost(1),
      ),
      goal(
        `${glob('unchanged')}: KB`,
        own(glob('unchanged'), it => it.sent / 1000),
        shown(),
      ),
      goal(
        `${glob('one file changed')}: KB`,
        own(glob('one file changed'), it => it.sent / 1000),
        shown(),
      ),
      goal(
        `${glob('one file changed')}: CPU, µs`,
        own(glob('one file changed'), CPU),
        shown(),
      ),
      goal(
        `${all}: longest delay of the event loop, ms`,
        own(all, plain('delayMax')),
        atMost(50),
      ),
    ];
  }),
  goal(
    'requests for the contents of 10,000 matches',
    own(
      'search /**/catalog-info.yaml, first, of 100,000 files',
      plain('requests'),
    ),
    atMost(8),
  ),
  goal('URL translation', upstream('URL translation', TIME), atLeast(3)),
  goal('URL translation, µs', own('URL translation', TIME), atMost(1.2)),
  goal('config reading', upstream('config reading', TIME), atLeast(1)),
  goal('credential choice', upstream('credential choice', TIME), atLeast(1)),
  ...[1000, 35_000].flatMap(count => {
    const name = `a refresh of ${count.toLocaleString('en')} locations, nothing changed`;
    return [
      goal(`${name}: CPU, built-in to ours`, upstream(name, CPU), shown()),
      goal(
        `${name}: event loop, built-in to ours`,
        upstream(name, LOOP),
        shown(),
      ),
      goal(
        `${name}: bytes, built-in to ours`,
        upstream(name, plain('sent')),
        shown(),
      ),
    ];
  }),
  goal(
    'loading the package: time, to @backstage/integration',
    above('loading the package', 'upstream', TIME),
    shown(),
  ),
  goal(
    'loading the package: memory, to @backstage/integration',
    above('loading the package', 'upstream', plain('peakMiB')),
    shown(),
  ),
];

function goal(what, figure, wanted) {
  return { what, figure, wanted };
}

/** How many times what we take the built-in reader takes. */
function upstream(name, figure) {
  return results =>
    ratio(results.of(name, 'upstream'), results.of(name, 'native'), figure);
}

/** How many times what the floor takes we take. */
function above(name, floor, figure) {
  return results =>
    ratio(results.of(name, 'native'), results.of(name, floor), figure);
}

function own(name, figure) {
  return results => spread(results.of(name, 'native'), figure);
}

/** How many times as much of a figure one case takes as another. */
function beside(name, other, figure) {
  return results =>
    ratio(results.of(name, 'native'), results.of(other, 'native'), figure);
}

/** The least that is wanted on Node 20, and on later ones. */
function atLeast(first, later = first) {
  return {
    inWords:
      first === later ? `≥ ${first}` : `≥ ${first}; from Node 22 ≥ ${later}`,
    isMet: (value, major) => value >= (major > 20 ? later : first),
  };
}

function atMost(most) {
  return { inWords: `≤ ${most}`, isMet: value => value <= most };
}

function shown() {
  return { inWords: 'shown', isMet: undefined };
}

/** The goals as rows: what, what is wanted, and what each run shows. */
export function rowsOfGoals(runs) {
  const heads = [
    'goal',
    'wanted',
    ...runs.map(({ conditions }) => `Node ${conditions.node}`),
  ];
  const rows = GOALS.map(({ what, figure, wanted }) => [
    what,
    wanted.inWords,
    ...runs.map(results => cell(figure(results), wanted, results.conditions)),
  ]);
  return [heads, ...rows];
}

function cell(figure, { isMet }, { node }) {
  if (!figure) return NOT_MEASURED;
  if (!isMet) return inWords(figure);
  const verdict = isMet(figure.median, Number(node.split('.')[0]))
    ? 'met'
    : '**not met**';
  return `${inWords(figure)} ${verdict}`;
}
