// A picture of what a host was asked and answered, second by second, in SVG.

const WIDTH = 800;
const HEIGHT = 220;
const LEFT = 50;
const TOP = 30;

/** One row for each history: requests and refusals a second, and what was left of the budget. */
export function plot(histories, capacity) {
  const names = Object.keys(histories);
  const seconds = Math.max(...names.map(name => lengthOf(histories[name])), 1);
  const rows = names.map((name, row) => {
    const y = TOP + row * (HEIGHT + 2 * TOP);
    return `<g transform="translate(${LEFT} ${y})">${drawn(name, histories[name], { seconds, capacity })}</g>`;
  });
  const height = TOP + names.length * (HEIGHT + 2 * TOP);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH + 2 * LEFT}" height="${height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>${rows.join('')}</svg>\n`;
}

function drawn(name, history, { seconds, capacity }) {
  const counts = countsOf(history, seconds);
  const most = Math.max(...counts.map(({ requests }) => requests), 1);
  const x = second => (second / seconds) * WIDTH;
  const bar = (second, count, colour) =>
    `<rect x="${x(second).toFixed(1)}" y="${(HEIGHT * (1 - count / most)).toFixed(1)}" width="${Math.max(1, WIDTH / seconds - 1).toFixed(1)}" height="${((HEIGHT * count) / most).toFixed(1)}" fill="${colour}"/>`;
  const bars = counts.map(
    ({ requests, refused }, second) =>
      bar(second, requests, '#8ab4d8') + bar(second, refused, '#c0392b'),
  );
  const [{ at: start } = { at: 0 }] = history;
  const points = history.map(
    ({ at, left }) =>
      `${x((at - start) / 1000).toFixed(1)},${(HEIGHT * (1 - left / capacity)).toFixed(1)}`,
  );
  return [
    `<text y="-8">${name}: requests a second (blue, up to ${most}), refused (red), what is left of ${capacity} (green), over ${Math.ceil(seconds)} s</text>`,
    ...bars,
    `<polyline points="${points.join(' ')}" fill="none" stroke="#2e8b57" stroke-width="1.5"/>`,
    `<path d="M0 0V${HEIGHT}H${WIDTH}" fill="none" stroke="black"/>`,
    `<text x="-8" y="10" text-anchor="end">${most}</text><text x="-8" y="${HEIGHT}" text-anchor="end">0</text>`,
  ].join('');
}

function countsOf(history, seconds) {
  const counts = Array.from({ length: Math.ceil(seconds) }, () => ({
    requests: 0,
    refused: 0,
  }));
  for (const { at, isRefused } of history) {
    const count = counts[Math.floor((at - history[0].at) / 1000)];
    if (!count) continue;
    count.requests += 1;
    if (isRefused) count.refused += 1;
  }
  return counts;
}

function lengthOf(history) {
  if (history.length === 0) return 0;
  return (history.at(-1).at - history[0].at) / 1000;
}
