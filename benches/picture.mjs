// Measures what README shows, and draws it: `docs/measured.svg`. It runs the benchmarks that it names, so it
// takes some minutes; run it after `npm run build`, on a machine that does nothing else.
//
//   node benches/picture.mjs
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = path.dirname(fileURLToPath(import.meta.url));
const FILE = path.join(FOLDER, '../docs/measured.svg');
const require = createRequire(import.meta.url);

const WIDTH = 820;
const LEFT = 210;
const BARS = 360;
const BAR = 15;
const ROW = 62;
const TOP = 44;

const urls = await figuresOf('read-url.mjs', '20000');
const trees = await figuresOf('read-tree.mjs');
const search = await figuresOf('search.mjs');
const rows = [
  row('Small files a second', 'reads/s', urls.perSecond, 'more is better'),
  row('Event loop for each', 'µs', urls.loopMicros),
  row('Memory for a tree to disk', 'MB', trees.dir.megabytes),
  row('Received for a pattern', 'KB', search.KB),
];
writeFileSync(FILE, picture(rows));
console.log(`${FILE} written`);

/** What a benchmark says in its last line. */
async function figuresOf(script, ...args) {
  const file = path.join(FOLDER, script);
  const child = spawn(process.execPath, [file, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', piece => {
    printed += piece;
    process.stdout.write(piece);
  });
  await new Promise((resolve, reject) =>
    child.once('exit', code =>
      code === 0
        ? resolve()
        : reject(new Error(`${script} ended with ${code}`)),
    ),
  );
  return JSON.parse(printed.trim().split('\n').at(-1));
}

function row(title, unit, { native, upstream }, note = '') {
  return { title, unit, native, upstream, note };
}

function picture(all) {
  const height = TOP + all.length * ROW + 40;
  const drawn = all.map((one, index) => drawRow(one, TOP + index * ROW));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
${text(16, 26, 'The built-in reader and this package, on one machine in one run', 'font-weight="600" font-size="15"')}
${drawn.join('\n')}
${text(16, height - 14, conditions(), 'fill="#57606a" font-size="11"')}
</svg>
`;
}

function drawRow({ title, unit, native, upstream, note }, y) {
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
  const name = note ? `${title} (${note})` : title;
  return [
    text(16, y + 11, name, 'font-weight="600"'),
    bar('built-in', upstream, 18, '#9aa4b0'),
    bar('this package', native, 18 + BAR + 4, '#0f6cbd'),
  ].join('\n');
}

function conditions() {
  const [{ model }] = cpus();
  const {
    version: theirs,
  } = require('@backstage/backend-defaults/package.json');
  const { version: ours } = require('../package.json');
  return `${cpus().length} cores (${model.trim()}), Node ${process.versions.node}, @backstage/backend-defaults ${theirs}, this package ${ours}; node benches/picture.mjs`;
}

function inWords(value) {
  const digits = value < 10 ? 1 : 0;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

function text(x, y, words, more = '') {
  const escaped = String(words).replace(
    /[&<>]/g,
    sign => `&#${sign.charCodeAt(0)};`,
  );
  const fill = more.includes('fill=') ? '' : 'fill="#1b1f24" ';
  return `<text x="${x.toFixed(1)}" y="${y}" ${fill}${more}>${escaped}</text>`;
}
