// The picture of README: the built-in reader and this package, as bars.
import { writeFileSync } from 'node:fs';
import { perUnit, plain, spread } from './figures.mjs';
import { escaped } from './svg.mjs';

const WIDTH = 820;
const LEFT = 210;
const BARS = 360;
const BAR = 15;
const ROW = 62;
const TOP = 44;

/** What it shows, each of a case. */
const SHOWN = [
  {
    title: 'Small files a second (more is better)',
    unit: 'reads/s',
    name: 'readUrl 1.6 KB, 64 at once',
    figure: it => (it.units / it.ms) * 1000,
  },
  {
    title: 'Event loop for each',
    unit: 'µs',
    name: 'readUrl 1.6 KB, 64 at once',
    figure: perUnit('loopMs'),
  },
  {
    title: 'Memory for a tree to disk',
    unit: 'MiB',
    name: 'dir() of 5,100 files, 64 MiB',
    figure: plain('peakMiB'),
  },
  {
    title: 'Received for a pattern',
    unit: 'KB',
    name: 'search /**/catalog-info.yaml, 300 matches, first',
    figure: it => it.sent / 1000,
  },
];

/** Draws it from the results of one run, in which all that it shows was measured. */
export function writePicture(file, results) {
  const rows = SHOWN.map(({ name, figure, ...row }) => {
    const of = contender => spread(results.of(name, contender), figure)?.median;
    return { ...row, native: of('native'), upstream: of('upstream') };
  });
  if (rows.some(row => !(row.native > 0 && row.upstream > 0))) return;
  writeFileSync(file, picture(rows, results.conditions));
  console.log(`${file} written`);
}

function picture(rows, { machine, node, versions }) {
  const height = TOP + rows.length * ROW + 40;
  const drawn = rows.map((row, index) => drawRow(row, TOP + index * ROW));
  const backstage = '@backstage/backend-defaults';
  const conditions = `${machine.split(',')[0]}, Node ${node}, ${backstage} ${versions[backstage]}, this package ${versions['this package']}; npm run bench`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
${text(16, 26, 'The built-in reader and this package, on one machine in one run', 'font-weight="600" font-size="15"')}
${drawn.join('\n')}
${text(16, height - 14, conditions, 'fill="#57606a" font-size="11"')}
</svg>
`;
}

function drawRow({ title, unit, native, upstream }, y) {
  const most = Math.max(native, upstream);
  const bar = (name, value, offset, color) => {
    const width = Math.max(2, (value / most) * BARS);
    const at = y + offset;
    return [
      text(LEFT - 8, at + 12, name, 'text-anchor="end" fill="#57606a"'),
      `<rect x="${LEFT}" y="${at}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${color}"/>`,
      text(LEFT + width + 8, at + 12, `${inWords(value)} ${unit}`),
    ].join('');
  };
  return [
    text(16, y + 11, title, 'font-weight="600"'),
    bar('built-in', upstream, 18, '#9aa4b0'),
    bar('this package', native, 18 + BAR + 4, '#0f6cbd'),
  ].join('\n');
}

function inWords(value) {
  const digits = value < 10 ? 1 : 0;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

function text(x, y, words, more = '') {
  const fill = more.includes('fill=') ? '' : 'fill="#1b1f24" ';
  return `<text x="${x.toFixed(1)}" y="${y}" ${fill}${more}>${escaped(words)}</text>`;
}
