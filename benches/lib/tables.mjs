// The tables of a run, in Markdown: a row for each contender of a case, its ratios first.
import { perUnit, plain, ratio, spread } from './figures.mjs';

const OURS = 'native';
const NAMES = { native: 'this package', upstream: 'built-in reader' };

/** The columns after the ratios; those that no row has are left out. */
const COLUMNS = [
  ['time, µs', perUnit('ms')],
  ['CPU, µs', perUnit('cpuMs')],
  ['event loop, µs', perUnit('loopMs')],
  ['its delay p50, ms', plain('delayP50')],
  ['p99, ms', plain('delayP99')],
  ['peak, MiB', plain('peakMiB')],
  ['left, MiB', plain('leftMiB')],
  ['requests', perOne('requests')],
  [
    'KB received',
    it => (it.sent === undefined ? undefined : it.sent / 1000 / it.units),
  ],
];

const RATIOS = [
  ['× time', perUnit('ms')],
  ['× CPU', perUnit('cpuMs')],
  ['× event loop', perUnit('loopMs')],
];

function perOne(name) {
  return it => (it[name] === undefined ? undefined : it[name] / it.units);
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
    const figures = COLUMNS.map(([, figure]) => inWords(spread(own, figure)));
    return [...begin, ...ratios, ...figures];
  });
}

/** A median with its spread. */
export function inWords(figure) {
  if (figure === undefined) return '';
  const { median, least, most } = figure;
  const middle = rounded(median);
  const [low, high] = [rounded(least), rounded(most)];
  return low === high ? middle : `${middle} (${low}–${high})`;
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
