// Reads which file of a crate uses which other, with re-exports followed to the file that defines the name.
//
// No tool is used for it: those that know modules bring half a compiler for the answer, and this needs only
// what stands in `use` and in paths.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What a file has that does more than declare and re-export modules. */
const DEFINES = /\b(?:fn|struct|enum|trait|impl|static|const|macro_rules!)\b/;

/**
 * The arrows of a crate: for each file the files that it uses, each with the names that are used of it.
 *
 * @returns {Map<string, Map<string, Set<string>>>}
 */
export function arrowsOf(root) {
  const modules = readModules(root);
  return new Map(
    [...modules.values()].map(module => [module.file, usesOf(module, modules)]),
  );
}

/** The files of a crate whose code, and not only a comment, has a word. */
export function filesNaming(root, word) {
  const named = new RegExp(`\\b${word}\\b`);
  return [...readModules(root).values()]
    .filter(({ code, uses }) =>
      [code, ...uses.map(({ segments }) => segments.join('::'))].some(text =>
        named.test(text),
      ),
    )
    .map(({ file }) => file);
}

/** The circles among arrows: the groups of files each of which leads to all others. */
export function circlesOf(arrows) {
  const files = [...arrows.keys()];
  const reach = new Map(files.map(file => [file, reachedFrom(file, arrows)]));
  const isIn = (one, other) => reach.get(one)?.has(other);
  const circles = files
    .filter(file => isIn(file, file))
    .map(file => files.filter(it => isIn(file, it) && isIn(it, file)));
  return circles.filter(
    ([first], index) => circles.findIndex(it => it[0] === first) === index,
  );
}

function reachedFrom(file, arrows) {
  const reached = new Set();
  const next = [...(arrows.get(file)?.keys() ?? [])];
  while (next.length > 0) {
    const other = next.pop();
    if (reached.has(other)) continue;
    reached.add(other);
    next.push(...(arrows.get(other)?.keys() ?? []));
  }
  return reached;
}

/** The modules of a crate by their paths (`http::limiter::policy`), the crate itself by ''. */
function readModules(root) {
  const files = readdirSync(root, { recursive: true });
  const rust = files.filter(name => name.endsWith('.rs')).sort();
  return new Map(
    rust.map(file => {
      const code = readFileSync(path.join(root, file), 'utf8');
      const module = moduleOf(file, withoutTests(withoutWords(code)));
      return [module.path.join('::'), module];
    }),
  );
}

function moduleOf(file, code) {
  const name = file.replace(/(^|\/)(mod|lib)\.rs$|\.rs$/, '');
  const uses = code.matchAll(/(\bpub(?:\([^)]*\))?\s+)?\buse\s+([^;]*);/g);
  return {
    file,
    path: name.split(path.sep).filter(Boolean),
    code: code.replace(/\buse\s[^;]*;/g, ''),
    uses: [...uses].flatMap(([, isPublic, tree]) =>
      expanded(tree).map(use => ({ ...use, isPublic: Boolean(isPublic) })),
    ),
  };
}

/** The code without comments, and with nothing in its texts. */
function withoutWords(code) {
  return code.replace(
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|r(#*)"[\s\S]*?"\1|"(?:[^"\\]|\\[\s\S])*"/g,
    found => (found.startsWith('/') ? '' : '""'),
  );
}

/** The code without what only tests have, which stands at the end. */
function withoutTests(code) {
  return code.replace(
    /#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))?\s+)?mod \w+ \{[\s\S]*$/,
    '',
  );
}

/** The paths of a `use`, each with the name that it has from then on. */
function expanded(tree, before = []) {
  const text = tree.trim();
  const brace = text.indexOf('{');
  if (brace < 0) {
    const [whole, alias] = text.split(/\s+as\s+/);
    const segments = [...before, ...whole.split('::').map(it => it.trim())];
    if (segments.at(-1) === 'self') segments.pop();
    return [{ segments, name: alias?.trim() ?? segments.at(-1) }];
  }
  const start = text.slice(0, brace).split('::');
  const folder = [...before, ...start.map(it => it.trim()).filter(Boolean)];
  const inside = text.slice(brace + 1, text.lastIndexOf('}'));
  return parts(inside).flatMap(part => expanded(part, folder));
}

/** The parts of a list between commas, those in braces kept together. */
function parts(list) {
  const found = [''];
  let depth = 0;
  for (const character of list) {
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (character === ',' && depth === 0) found.push('');
    else found[found.length - 1] += character;
  }
  return found.filter(part => part.trim());
}

/** The files that a module uses: by its imports, and by the paths in its code. */
function usesOf(module, modules) {
  const uses = new Map();
  const add = segments => {
    const found = resolve(segments, module, modules);
    if (!found?.name || found.module === module) return;
    const { file } = found.module;
    uses.set(file, (uses.get(file) ?? new Set()).add(found.name));
  };
  const onlyReexports = !DEFINES.test(module.code);
  const imported = new Map();
  for (const { segments, name, isPublic } of module.uses) {
    imported.set(name, segments);
    if (!(isPublic && onlyReexports)) add(segments);
  }
  for (const [text] of module.code.matchAll(/\b[A-Za-z_]\w*(?:::\w+)+/g)) {
    const [first, ...rest] = text.split('::');
    const known = imported.get(first);
    add(known ? [...known, ...rest] : [first, ...rest]);
  }
  return uses;
}

/** The module that defines what a path names, as seen from a module; without a name for a module itself. */
function resolve(segments, from, modules, depth = 0) {
  let [at, rest] = start(segments, from, modules);
  if (!at || depth > 20) return undefined;
  while (rest.length > 0) {
    const [name, ...further] = rest;
    const child = modules.get([...at.path, name].join('::'));
    const exported = at.uses.find(use => use.isPublic && use.name === name);
    if (!child && exported) {
      const whole = [...exported.segments, ...further];
      return resolve(whole, at, modules, depth + 1) ?? { module: at, name };
    }
    if (!child) return { module: at, name };
    [at, rest] = [child, further];
  }
  return { module: at, name: undefined };
}

/** Where a path starts, and what is left of it; nowhere for other crates and what has been imported. */
function start(segments, from, modules) {
  const parent = module => modules.get(module.path.slice(0, -1).join('::'));
  let [at, left] = [undefined, segments];
  if (left[0] === 'crate') [at, left] = [modules.get(''), left.slice(1)];
  if (left[0] === 'self') [at, left] = [from, left.slice(1)];
  while (left[0] === 'super') [at, left] = [parent(at ?? from), left.slice(1)];
  return at || !modules.has([...from.path, left[0]].join('::'))
    ? [at, left]
    : [from, left];
}
