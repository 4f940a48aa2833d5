// Draws how figures grow, as lines over two axes of powers, a panel each: whoever is below by a step
// is so by the same factor everywhere.
import { writeFileSync } from 'node:fs';
import { perUnit, spread } from './figures.mjs';
import { MARGIN, PANEL, WIDTH, svg, text } from './svg.mjs';

const COLORS = {
  native: '#0f6cbd',
  upstream: '#9aa4b0',
  reqwest: '#cc3311',
  hyper: '#ee9933',
  libdeflate: '#cc3311',
  unzip: '#999933',
};

const NAMES = { native: 'this package', upstream: 'built-in reader' };

const READS = [1, 4, 16, 64, 256].map(n => [n, `readUrl 1.6 KB, ${n} at once`]);
const SIZES = [
  [1000, 'readUrl 1 KB, 64 at once'],
  [100_000, 'readUrl 100 KB, 16 at once'],
  [10_000_000, 'readUrl 10 MB, 4 at once'],
  [100_000_000, 'readUrl 100 MB, 1 at once'],
];
const TREES = [
  [10, 'dir() of 10 files, 1 MiB'],
  [5100, 'dir() of 5,100 files, 64 MiB'],
  [100_000, 'dir() of 100,000 files, 200 MiB'],
];

const PANELS = [
  {
    title: 'CPU for a read of 1.6 KB, in µs, by how many are at once',
    points: READS,
    figure: perUnit('cpuMs'),
  },
  {
    title: 'Reads of 1.6 KB a second, by how many are at once',
    points: READS,
    figure: it => (it.units / it.ms) * 1000,
  },
  {
    title: 'CPU for a read, in µs, by its bytes',
    points: SIZES,
    figure: perUnit('cpuMs'),
  },
  {
    title: 'A tree to disk, in ms, by its files',
    points: TREES,
    figure: it => it.ms,
  },
];

const BOTTOM = PANEL - MARGIN.bottom;

/** Draws what of it was measured in a run, and tells whether that is anything. */
export function writeGrowth(file, results) {
  const panels = PANELS.flatMap(panel => drawPanel(panel, results));
  if (panels.length === 0) return false;
  writeFileSync(file, svg(panels));
  console.log(`${file} written`);
  return true;
}

function drawPanel({ title, points, figure }, results) {
  const lines = linesOf(points, figure, results);
  const values = lines.flatMap(line => line.values.map(([, value]) => value));
  if (values.length === 0) return [];
  const x = scale(
    points.map(([at]) => at),
    MARGIN.left,
    WIDTH - MARGIN.right - 120,
  );
  const y = scale(values, BOTTOM, MARGIN.top);
  const middle = 'text-anchor="middle"';
  return [
    [
      text(MARGIN.left, 16, title, 'font-weight="bold"'),
      ...points.map(([at]) =>
        text(x(at), BOTTOM + 16, at.toLocaleString('en'), middle),
      ),
      ...y.powers.map(power => rule(y(power), power)),
      ...lines.map(line => drawLine(line, x, y)),
      ...legend(lines),
    ].join('\n'),
  ];
}

function linesOf(points, figure, results) {
  return Object.keys(COLORS).flatMap(contender => {
    const values = points.flatMap(([at, name]) => {
      const known = spread(results.of(name, contender), figure);
      return known ? [[at, known.median]] : [];
    });
    return values.length > 0 ? [{ contender, values }] : [];
  });
}

/** Places of numbers between two ends, each power of ten as far from the next; `powers` are those between. */
function scale(numbers, from, to) {
  const [low, high] = [
    Math.log10(Math.min(...numbers)),
    Math.log10(Math.max(...numbers)),
  ];
  const place = number =>
    from + ((Math.log10(number) - low) / (high - low || 1)) * (to - from);
  const first = Math.ceil(low);
  const count = Math.max(0, Math.floor(high) - first + 1);
  place.powers = Array.from({ length: count }, (_, n) => 10 ** (first + n));
  return place;
}

function rule(y, power) {
  const line = `<path d="M${MARGIN.left} ${y.toFixed(1)}H${WIDTH - MARGIN.right - 120}" stroke="#ddd"/>`;
  return (
    line +
    text(
      MARGIN.left - 6,
      y + 4,
      power.toLocaleString('en'),
      'text-anchor="end"',
    )
  );
}

function drawLine({ contender, values }, x, y) {
  const points = values.map(
    ([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`,
  );
  const dots = points.map(point => {
    const [cx, cy] = point.split(',');
    return `<circle cx="${cx}" cy="${cy}" r="3" fill="${COLORS[contender]}"/>`;
  });
  return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLORS[contender]}" stroke-width="2"/>${dots.join('')}`;
}

function legend(lines) {
  return lines.map(({ contender }, n) => {
    const [x, y] = [WIDTH - MARGIN.right - 100, MARGIN.top + n * 20];
    return `<rect x="${x}" y="${y}" width="10" height="10" fill="${COLORS[contender]}"/>${text(x + 16, y + 9, NAMES[contender] ?? contender)}`;
  });
}
