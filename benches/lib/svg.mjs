// What the plots have in common: panels one below the other, over the same time.

export const WIDTH = 960;
export const PANEL = 240;
export const MARGIN = { left: 60, right: 60, top: 40, bottom: 40 };
const MIDDLE = 'text-anchor="middle"';

/** A picture of these panels. */
export function svg(panels) {
  const placed = panels.map(
    (content, n) => `<g transform="translate(0 ${n * PANEL})">${content}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${panels.length * PANEL}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${placed.join('\n')}
</svg>
`;
}

/** The axes of a panel from 0 to `most` at the left, over `end` milliseconds. */
export function axes({ x, bottom, most, end }) {
  const every = niceStep(end / 1000);
  const ticks = [];
  for (let second = 0; second * 1000 <= end; second += every)
    ticks.push(text(x(second * 1000), bottom + 16, `${second} s`, MIDDLE));
  const right = WIDTH - MARGIN.right;
  return [
    `<path d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}V${MARGIN.top}" fill="none" stroke="#888"/>`,
    ...ticks,
    text(MARGIN.left - 6, MARGIN.top + 4, most, 'text-anchor="end"'),
    text(MARGIN.left - 6, bottom, 0, 'text-anchor="end"'),
  ];
}

/** 1, 2 or 5 times a power of ten, so that there are about ten of them. */
function niceStep(seconds) {
  const power = 10 ** Math.floor(Math.log10(seconds / 10));
  return [1, 2, 5, 10]
    .map(factor => factor * power)
    .find(step => step >= seconds / 10);
}

export function text(x, y, content, attributes = '') {
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

/** Words as an SVG has them. */
export function escaped(words) {
  return String(words).replace(/[&<>]/g, sign => `&#${sign.charCodeAt(0)};`);
}
