// Draws the comparison, and adds reads to the table as they come.
const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 440;
const NAMES = 96;
const FIGURES = 110;
const BAR = 18;
const MOST_READS = 50;

const SIDES = [
  ['built-in', 'builtIn'],
  ['here', 'here'],
];

const figures = await (await fetch('figures')).json();
const claims = document.querySelector('#claims');
if (figures) {
  claims.append(...figures.claims.map(claimOf));
  const refused = document.querySelector('#refused');
  refused.hidden = false;
  refused.querySelector('p').textContent = figures.refused;
} else {
  claims.append(
    element('p', 'This is no optimized build, so there are no figures.'),
  );
}

new EventSource('events').addEventListener('message', ({ data }) => {
  const reads = document.querySelector('#reads');
  reads.prepend(rowOf(JSON.parse(data)));
  while (reads.rows.length > MOST_READS) reads.lastElementChild.remove();
});

function claimOf({ title, what, figures: all }) {
  const article = element('article');
  article.append(element('h2', title), element('p', what), ...all.map(chartOf));
  return article;
}

/** Two bars, one below the other, with their figures. */
function chartOf(figure) {
  const height = SIDES.length * (BAR + 6) + 18;
  const svg = drawn('svg', {
    viewBox: `0 0 ${WIDTH} ${height}`,
    role: 'img',
    'aria-label': `${figure.name}: built-in ${inWords(figure.builtIn, figure)}, here ${inWords(figure.here, figure)}`,
  });
  svg.append(drawn('text', { x: 0, y: 12, class: 'name' }, figure.name));
  const most = Math.max(figure.builtIn, figure.here, Number.MIN_VALUE);
  SIDES.forEach(([name, side], index) => {
    const y = 18 + index * (BAR + 6);
    const width = (figure[side] / most) * (WIDTH - NAMES - FIGURES);
    const shown = figure[side] > 0 ? Math.max(2, width) : 0;
    svg.append(
      drawn('text', { x: 0, y: y + 14 }, name),
      drawn('rect', {
        x: NAMES,
        y,
        width: shown,
        height: BAR,
        rx: 3,
        class: name,
      }),
      drawn(
        'text',
        { x: NAMES + shown + 8, y: y + 14 },
        inWords(figure[side], figure),
      ),
    );
  });
  return svg;
}

function rowOf({ status, durationMs, credential, place, request, url, error }) {
  const row = element('tr');
  const time = new Date().toLocaleTimeString();
  const took = `${durationMs.toFixed(1)} ms`;
  const known = credential ? `${credential}, ${place}` : '';
  for (const text of [time, status || '', took, known, request || url])
    row.append(element('td', text));
  const isFailure = error && error.name !== 'NotModifiedError';
  row.classList.toggle('failed', Boolean(isFailure));
  return row;
}

function inWords(value, { unit }) {
  const digits = value < 10 && !Number.isInteger(value) ? 1 : 0;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`;
}

function element(name, text = '') {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function drawn(name, attributes, text = '') {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes))
    made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
