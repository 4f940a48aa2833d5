// Draws what happened over time as an SVG: bars of requests, and a line of what was left.
import { writeFileSync } from 'node:fs';
import { MARGIN, PANEL, WIDTH, axes, svg, text } from './svg.mjs';

const BARS = 120;
const COLORS = { answered: '#4477aa', rejected: '#cc3311', left: '#999933' };

/**
 * Writes a panel for each of `panels`, all over the same time:
 * `{ name, requests: [{ at, isRejected }], left: [{ at, units }] }`, with times in milliseconds.
 */
export function writePlot(file, { panels, capacity }) {
  const ends = panels.flatMap(({ left }) => left.map(({ at }) => at));
  const step = Math.max(...ends) / BARS;
  const bars = panels.map(panel => binned(panel.requests, step));
  const most = Math.max(...bars.flat().map(bar => bar.answered + bar.rejected));
  const scale = { step, most, capacity };
  const drawn = panels.map((panel, n) => drawPanel(panel, bars[n], scale));
  writeFileSync(file, svg(drawn));
}

/** How many requests were answered and rejected in each step of time. */
function binned(requests, step) {
  const bars = Array.from({ length: BARS }, () => ({
    answered: 0,
    rejected: 0,
  }));
  for (const { at, isRejected } of requests) {
    const bar = bars[Math.min(BARS - 1, Math.max(0, Math.floor(at / step)))];
    bar[isRejected ? 'rejected' : 'answered'] += 1;
  }
  return bars;
}

function drawPanel({ name, left }, bars, { step, most, capacity }) {
  const bottom = PANEL - MARGIN.bottom;
  const height = bottom - MARGIN.top;
  const x = at =>
    MARGIN.left + (at / (step * BARS)) * (WIDTH - MARGIN.left - MARGIN.right);
  const points = left.map(
    ({ at, units }) =>
      `${x(at).toFixed(1)},${(bottom - (units / capacity) * height).toFixed(1)}`,
  );
  return [
    text(MARGIN.left, 16, name, 'font-weight="bold"'),
    legend(step),
    ...bars.map((bar, n) => drawBar(bar, x(n * step), bottom, height / most)),
    `<polyline points="${points.join(' ')}" fill="none" stroke="${COLORS.left}" stroke-width="2"/>`,
    ...axes({ x, bottom, most, end: step * BARS }),
    text(WIDTH - MARGIN.right + 6, MARGIN.top + 4, capacity),
    text(WIDTH - MARGIN.right + 6, bottom, 0),
  ]
    .filter(element => element !== '')
    .join('\n');
}

/** Rejected requests stand on answered ones. */
function drawBar({ answered, rejected }, x, bottom, unit) {
  const width = (WIDTH - MARGIN.left - MARGIN.right) / BARS - 1;
  const part = (count, y, color) =>
    count > 0
      ? `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${(count * unit).toFixed(1)}" fill="${color}"/>`
      : '';
  return (
    part(answered, bottom - answered * unit, COLORS.answered) +
    part(rejected, bottom - (answered + rejected) * unit, COLORS.rejected)
  );
}

function legend(step) {
  const ms = Math.round(step);
  const entries = [
    [COLORS.answered, `answered in ${ms} ms`],
    [COLORS.rejected, `rejected in ${ms} ms`],
    [COLORS.left, 'units left (right)'],
  ];
  return entries
    .map(([color, what], n) => {
      const x = WIDTH - MARGIN.right - 480 + n * 170;
      return `<rect x="${x}" y="7" width="10" height="10" fill="${color}"/>${text(x + 16, 16, what)}`;
    })
    .join('');
}
