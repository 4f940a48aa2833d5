// Which folder of the repository may import from which, and what does so all the same.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** What the files of a folder may not import from. */
const FORBIDDEN = {
  ts: ['testing', '__test__', 'benches', 'examples', 'scripts'],
  testing: ['__test__', 'benches', 'examples'],
  benches: ['__test__', 'examples'],
  examples: ['__test__', 'benches'],
  __test__: ['benches', 'examples'],
  scripts: ['__test__', 'benches', 'examples'],
};

const IMPORT = /(?:from|import|require)\s*\(?\s*['"](\.[^'"]*)['"]/g;

/** What is wrong with the imports between folders, in words. */
export function wrongFolders(root) {
  return Object.entries(FORBIDDEN).flatMap(([folder, forbidden]) =>
    filesOf(root, folder).flatMap(file => {
      const code = readFileSync(path.join(root, file), 'utf8');
      const imports = [...code.matchAll(IMPORT)].map(([, to]) =>
        path.join(path.dirname(file), to),
      );
      return imports
        .filter(to => forbidden.includes(to.split(path.sep)[0]))
        .map(to => `${file} imports ${to}`);
    }),
  );
}

function filesOf(root, folder) {
  const names = readdirSync(path.join(root, folder), { recursive: true });
  const code = names.filter(name => /\.[cm]?[jt]s$/.test(name));
  return code.map(name => path.join(folder, name));
}
