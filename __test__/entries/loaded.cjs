// Loads an entry of this package, by `require` or `import`, and prints what the package's own modules have loaded: `node loaded.cjs require ENTRY`.
const path = require('node:path');

const [how, entry] = process.argv.slice(2);
const dist = path.resolve(__dirname, '../../dist') + path.sep;

async function main() {
  await (how === 'import' ? import(entry) : require(entry));
  const own = Object.values(require.cache).filter(({ id }) =>
    id.startsWith(dist),
  );
  const loaded = own.flatMap(({ id, children }) => [
    id,
    ...children.map(child => child.id),
  ]);
  console.log(JSON.stringify([...new Set(loaded)]));
}

main();
