// Runs programs for the other scripts: from the project's root, with their output shown, and stopping at the first failure.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)),
  '../..',
);

const windows = process.platform === 'win32';

/** A path below the project's root. */
export function inRoot(...parts) {
  return path.join(root, ...parts);
}

/** Prints a heading, so that a long log can be searched by eye. */
export function section(title) {
  console.log(`\n=== ${title}`);
}

/** Ends the script with a message for a person, not a stack trace. */
export function fail(message) {
  console.error(`\nerror: ${message}`);
  process.exit(1);
}

/** Runs a program and gives its exit code; a signal counts as a failure. */
export function tryRun(program, args, options = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    ...options,
  });
  if (result.error) {
    fail(`cannot run ${program}: ${result.error.message}`);
  }
  return result.status ?? 1;
}

/** Runs a program that has to succeed. */
export function run(program, args, options = {}) {
  const code = tryRun(program, args, options);
  if (code !== 0) {
    fail(`${[path.basename(program), ...args].join(' ')} exited with ${code}`);
  }
}

/** Runs a program that has to succeed and gives what it wrote to stdout. */
export function output(program, args, options = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  if (result.error || result.status !== 0) {
    const reason = result.error?.message ?? `exited with ${result.status}`;
    fail(`${[path.basename(program), ...args].join(' ')}: ${reason}`);
  }
  return result.stdout;
}

/** Runs npm; on Windows that is a batch file, which needs a shell. */
export function npm(args, options = {}) {
  run('npm', args, { shell: windows, ...options });
}

/** Like `npm`, but gives what it wrote to stdout. */
export function npmOutput(args, options = {}) {
  return output('npm', args, { shell: windows, ...options });
}

/** The JavaScript file behind a development tool such as `tsc`, as it is installed in a folder. */
function toolFile(name, folder) {
  const files = {
    'api-extractor': '@microsoft/api-extractor/bin/api-extractor',
    jest: 'jest/bin/jest.js',
    napi: '@napi-rs/cli/dist/cli.js',
    prettier: 'prettier/bin/prettier.cjs',
    tsc: 'typescript/bin/tsc',
  };
  const file = path.join(folder, 'node_modules', files[name]);
  return existsSync(file) ? file : fail(`${name} is not installed: npm ci`);
}

/** The command line of a development tool, run by this very Node. */
export function tool(name, args, folder = root) {
  return [process.execPath, [toolFile(name, folder), ...args]];
}
