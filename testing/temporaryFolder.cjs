// Temporary folders for tests, benchmarks and the demo. CommonJS, because the benchmarks run uncompiled.
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

/** @type {string[]} */
const folders = [];

/**
 * An empty folder of its own, which is removed when the process ends.
 *
 * @param {string} name - What its name begins with.
 * @param {string} [parent] - By default the system's folder for temporary files.
 * @returns {string}
 */
function temporaryFolder(name, parent = tmpdir()) {
  const folder = mkdtempSync(path.join(parent, `${name}-`));
  folders.push(folder);
  return folder;
}

process.once('exit', () => {
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
});

module.exports = { temporaryFolder };
