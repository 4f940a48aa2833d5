// What the package can be imported as: its main entry, and those that a backend adds by a line of their own.

/** The entries by the name of their types, each with the module that it is, below ts/ and dist/. */
const modules = {
  index: 'index',
  status: 'status/index',
};

/** Each with its files, from the root of the project. */
export const entries = Object.entries(modules).map(([name, module]) => ({
  name,
  /** The declarations that the compiler emits for it. */
  declarations: `temp/types/${module}.d.ts`,
  /** The rollup of its types that the sources give, and the one that is committed. */
  rolledUpTypes: `temp/${name}.d.ts`,
  committedTypes: `${name}.d.ts`,
  /** What `require` loads, what `import` loads, and the types of that. */
  required: `dist/${module}.js`,
  imported: `dist/${name}.mjs`,
  importedTypes: `dist/${name}.d.mts`,
}));
