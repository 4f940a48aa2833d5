// Runs jest, here or in a copy of the project, and closes its output with a plain count.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { root, section, tool, tryRun } from './commands.mjs';

/** Runs jest with these arguments and gives its exit code. */
export function jest(args, folder = root) {
  section(`jest, Node ${process.version}`);
  const results = path.join(folder, 'temp/jest-results.json');
  rmSync(results, { force: true });
  const output = ['--json', `--outputFile=${results}`];
  const command = tool('jest', [...output, ...args], folder);
  const code = tryRun(...command, { cwd: folder });
  printCounts(results);
  return code;
}

/** The plain count that closes the output, where jest ran any test. */
function printCounts(results) {
  if (!existsSync(results)) {
    return;
  }
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } =
    JSON.parse(readFileSync(results, 'utf8'));
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  console.log(`\n${numPassedTests} passed, ${failed} failed`);
}
