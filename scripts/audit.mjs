// Asks the databases of known vulnerabilities about every crate and npm package that is shipped; where one cannot be asked that is a failure of its own.
import { spawnSync } from 'node:child_process';
import { cargoDeny } from './lib/cargo-deny.mjs';
import { fail, inRoot, section } from './lib/commands.mjs';

const failed = [];

if (cargoDeny('advisories') !== 0) {
  failed.push(
    'cargo deny check advisories: a crate has an advisory, or the database of RustSec (github.com) was not reached, as the lines above say',
  );
}
failed.push(...npmAudit());
if (failed.length > 0) {
  fail(`nothing is known to be sound:\n- ${failed.join('\n- ')}`);
}

/** npm reports in the same way that something is vulnerable and that nothing could be asked. */
function npmAudit() {
  section('npm audit --omit=dev');
  const { status, stdout } = spawnSync(
    'npm',
    ['audit', '--omit=dev', '--json'],
    {
      cwd: inRoot(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: process.platform === 'win32',
    },
  );
  const { vulnerabilities, metadata, error, message } = parsed(stdout);
  // A registry that does not know the question may answer that there is nothing, about nothing.
  if (!vulnerabilities || !(metadata?.dependencies?.total > 0)) {
    const reason = error?.summary || message || `npm exited with ${status}`;
    return [`npm audit: the registry did not answer: ${reason}`];
  }
  const names = Object.keys(vulnerabilities);
  console.log(`${names.length} vulnerable packages`);
  return names.length > 0 || status !== 0
    ? [`npm audit: ${names.join(', ')}`]
    : [];
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
