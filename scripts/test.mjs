// The first command on a clean clone: installs, builds, and runs the jest tests with the arguments given.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { build } from './build.mjs';
import { inRoot, section, tool, tryRun } from './lib/commands.mjs';

await build();

section(`jest, Node ${process.version}`);
const results = inRoot('temp/jest-results.json');
rmSync(results, { force: true });
process.exitCode = tryRun(
  ...tool('jest', [
    '--json',
    `--outputFile=${results}`,
    ...process.argv.slice(2),
  ]),
);
printCounts();

/** The plain count that closes the output, where jest ran any test. */
function printCounts() {
  if (!existsSync(results)) {
    return;
  }
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } =
    JSON.parse(readFileSync(results, 'utf8'));
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  console.log(`\n${numPassedTests} passed, ${failed} failed`);
}
