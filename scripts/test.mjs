// The first command on a clean clone: installs, builds, and runs the jest tests with the arguments given.
import { build } from './build.mjs';
import { jest } from './lib/jest.mjs';

await build();
process.exitCode = jest(process.argv.slice(2));
