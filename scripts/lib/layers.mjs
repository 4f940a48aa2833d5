// The layers of the core, as docs/architecture.md has them, and what is not as it says.
import { arrowsOf, circlesOf, filesNaming } from './arrows.mjs';

/** Each may use those after it, and what stands below all of them. */
const LAYERS = ['bindings', 'doctor', 'reader', 'rest', 'http', 'credentials'];

/** What is wrong with the arrows of a crate, in words: circles, arrows that lead up, and Node in the core. */
export function wrongArrows(root) {
  const arrows = arrowsOf(root);
  const circles = circlesOf(arrows).map(
    circle => `a circle: ${circle.join(', ')}`,
  );
  const all = [...arrows].flatMap(([from, uses]) =>
    [...uses].map(([to, names]) => ({ from, to, names: [...names] })),
  );
  const up = all
    .filter(({ from, to }) => leadsUp(layerOf(from), layerOf(to)))
    .map(({ from, to, names }) => `${from} uses ${to}: ${names.join(', ')}`);
  const ofNode = filesNaming(root, 'napi')
    .filter(file => layerOf(file) !== LAYERS.indexOf('bindings'))
    .map(file => `${file} names napi, which only bindings may`);
  return [...circles, ...up, ...ofNode];
}

/** The position of a file's layer; below all of them for what belongs to none. */
function layerOf(file) {
  const position = LAYERS.indexOf(file.split(/[/.]/)[0]);
  return position < 0 ? LAYERS.length : position;
}

function leadsUp(from, to) {
  return to < from;
}
