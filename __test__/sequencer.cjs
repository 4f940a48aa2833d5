// Starts first what takes longest, so that at the end no worker waits for another one's long file.
const { default: TestSequencer } = require('@jest/test-sequencer');
const path = require('node:path');

/**
 * What takes long though its file is small, the longest first. Jest goes by what a file took the last
 * time, which a clean clone does not know, and else by its size.
 */
const SLOW = [
  'parity/trees',
  'hostile-archives',
  'faults',
  'hostile-answers',
  'authentication',
  'throttling',
  'default-chain',
  'proxies',
  'parity/reads',
  'parity/globs',
  'parity/urls',
  'parity/configs',
  'parity/credentials',
  'replicas',
  'event-loop',
  'demo',
  'backend',
].map(name => path.join(__dirname, `${name}.test.ts`));

module.exports = class LongestFirst extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const areKnown = sorted.some(test => this.time(test) !== undefined);
    return areKnown ? sorted : sorted.sort((a, b) => rank(a) - rank(b));
  }
};

function rank({ path: file }) {
  const at = SLOW.indexOf(file);
  return at < 0 ? SLOW.length : at;
}
