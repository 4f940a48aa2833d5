// The tables of a run, in Markdown: a row for each contender of a case, its ratios first.
import { perUnit, plain, ratio, spread } from './figures.mjs';

const OURS = 'native';
const NAMES = { native: 'this package', upstream: 'built-in reader' };

/** The columns after the ratios, with how they are written; those that no row has are left out. */
const COLUMNS = [
  ['time', perUnit('ms'), inTime],
  ['CPU', perUnit('cpuMs'), inTime],
  ['event loop', perUnit('loopMs'), inTime],
  ['its delay p50, ms', plain('delayP50'), inWords],
  ['p99, ms', plain('delayP99'), inWords],
  ['most, ms', plain('delayMax'), inWords],
  ['peak, MiB', plain('peakMiB'), inWords],
  ['left, MiB', plain('leftMiB'), inWords],
  ['requests', perRead('requests'), inWords],
  ['KB received', perRead('sent', 1000), inWords],
];

const RATIOS = [
  ['× time', perUnit('ms')],
  ['× CPU', perUnit('cpuMs')],
  ['× event loop', perUnit('loopMs')],
];

/** Of a tree, whose units are its files, all of it is one read. */
function perRead(name, divisor = 1) {
  return it =>
    it[name] === undefined
      ? undefined
      : it[name] / divisor / (it.reads ?? it.units);
}

/** A table of some cases: what each contender takes for one unit, and how many times what we take. */
export function tableOf(cases, results) {
  const rows = cases.flatMap(it => rowsOf(it.name, results));
  const heads = [
    '',
    'of',
    ...RATIOS.map(([head]) => head),
    ...COLUMNS.map(([head]) => head),
  ];
  const isUsed = heads.map((_, n) => n < 2 || rows.some(row => row[n] !== ''));
  return markdown([heads, ...rows].map(row => row.filter((_, n) => isUsed[n])));
}

function rowsOf(name, results) {
  const ours = results.of(name, OURS);
  return results.contenders(name).map((contender, n) => {
    const own = results.of(name, contender);
    const begin = [n === 0 ? name : '', NAMES[contender] ?? contender];
    if (own.length === 0)
      return [
        ...begin,
        'failed',
        ...Array(RATIOS.length - 1 + COLUMNS.length).fill(''),
      ];
    const ratios = RATIOS.map(([, figure]) =>
      contender === OURS ? '1' : inWords(ratio(own, ours, figure)),
    );
    const figures = COLUMNS.map(([, figure, write]) =>
      write(spread(own, figure)),
    );
    return [...begin, ...ratios, ...figures];
  });
}

/** Microseconds with their unit. */
function inTime(figure) {
  if (figure === undefined) return '';
  const [unit, factor] =
    figure.median < 10_000
      ? ['µs', 1]
      : figure.median < 10_000_000
        ? ['ms', 1e3]
        : ['s', 1e6];
  const scaled = Object.entries(figure).map(([name, it]) => [
    name,
    it / factor,
  ]);
  return inWords(Object.fromEntries(scaled), ` ${unit}`);
}

/** A median with its spread. */
export function inWords(figure, unit = '') {
  if (figure === undefined) return '';
  const { median, least, most } = figure;
  const middle = rounded(median);
  const [low, high] = [rounded(least), rounded(most)];
  return low === high
    ? `${middle}${unit}`
    : `${middle}${unit} (${low}–${high})`;
}

/** Three digits of a number. */
export function rounded(number) {
  if (number === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(number))));
  return Number(number.toFixed(Math.min(digits, 2))).toLocaleString('en');
}

/** Rows as a table, the first of them its head. */
export function markdown([heads, ...rows]) {
  const all = [heads, ...rows];
  const widths = heads.map((_, n) =>
    Math.max(3, ...all.map(row => row[n].length)),
  );
  const line = row =>
    `| ${row.map((cell, n) => cell.padEnd(widths[n])).join(' | ')} |`;
  const rule = `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`;
  return [line(heads), rule, ...rows.map(line)].join('\n');
}
