// Draws figures over time as lines, a panel for each, as an SVG.
import { writeFileSync } from 'node:fs';
import { MARGIN, PANEL, WIDTH, axes, svg, text } from './svg.mjs';

const COLOR = '#4477aa';

/**
 * Writes a panel for each of `names`, all over the same time, of `samples`: figures by their names,
 * and `at`, in milliseconds.
 */
export function writeLines(file, { names, samples }) {
  const end = Math.max(...samples.map(({ at }) => at));
  const panels = names.map(name => drawPanel(name, samples, end));
  writeFileSync(file, svg(panels));
}

function drawPanel(name, samples, end) {
  const bottom = PANEL - MARGIN.bottom;
  const height = bottom - MARGIN.top;
  const most = Math.max(1, ...samples.map(sample => sample[name]));
  const x = at =>
    MARGIN.left + (at / end) * (WIDTH - MARGIN.left - MARGIN.right);
  const points = samples.map(
    sample =>
      `${x(sample.at).toFixed(1)},${(bottom - (sample[name] / most) * height).toFixed(1)}`,
  );
  return [
    text(MARGIN.left, 16, name, 'font-weight="bold"'),
    `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOR}" stroke-width="2"/>`,
    ...axes({ x, bottom, most, end }),
  ].join('\n');
}
