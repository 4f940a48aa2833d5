// Loads the binary as on each of the machines given, and prints for each what was asked for and what came of it: `node load.cjs ADDON MACHINES`.
const Module = require('node:module');

const [addon, machines] = process.argv.slice(2);
const { loadAddon } = require(addon);

const outcomes = JSON.parse(machines).map(([platform, arch, glibc]) => {
  const asked = [];
  const { _resolveFilename: resolve } = Module;
  Module._resolveFilename = function record(request, ...rest) {
    asked.push(request);
    return resolve.call(this, request, ...rest);
  };
  Object.defineProperty(process, 'platform', { value: platform });
  Object.defineProperty(process, 'arch', { value: arch });
  process.report.getReport = () => ({ header: { glibcVersionRuntime: glibc } });
  try {
    return { asked, loaded: loadAddon() };
  } catch (error) {
    return { asked, error: error.message };
  } finally {
    Module._resolveFilename = resolve;
  }
});
console.log(JSON.stringify(outcomes));
