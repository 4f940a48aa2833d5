// Builds what is needed and runs the demo with the arguments given, as if it had been started directly.
import { spawn } from 'node:child_process';
import { build } from './build.mjs';
import { inRoot } from './lib/commands.mjs';

// The binary that is published takes longer to build, and is not needed to see what the package does.
await build({ profile: 'quick' });

const demo = inRoot('examples/demo/demo.ts');
const child = spawn(
  process.execPath,
  ['--import', 'tsx', demo, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);

// Ctrl-C on a terminal reaches the demo by itself; twice would be one too many.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));

child.on('exit', (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exitCode = code;
  }
});
