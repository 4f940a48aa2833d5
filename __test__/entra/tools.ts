import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a developer's tool does when it is asked for a token. */
export type Tool =
  | { token: string; expiresInSeconds?: number }
  | { fails: 'not logged in' }
  | { hangs: true };

/** The tools that were written. */
export interface Tools {
  /** The arguments of every call. */
  calls(): string[];
}

/** Writes an `az` and an `azd` that print what the real ones print, and fail as they fail. */
export function writeTools(
  directory: string,
  tools: { az?: Tool; azd?: Tool },
): Tools {
  const log = path.join(directory, 'calls');
  if (tools.az) write('az', azure(tools.az));
  if (tools.azd) write('azd', azureDeveloper(tools.azd));
  return { calls: () => (existsSync(log) ? lines(log) : []) };

  function write(name: string, does: string): void {
    const script = `#!/bin/sh\necho "$0 $*" >> '${log}'\n${does}\n`;
    writeFileSync(path.join(directory, name), script, { mode: 0o755 });
  }
}

/** https://learn.microsoft.com/cli/azure/account#az-account-get-access-token */
function azure(tool: Tool): string {
  if ('hangs' in tool) return 'sleep 600';
  if ('fails' in tool) {
    return `echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`;
  }
  const expiresAt = expiryOf(tool);
  return print({
    accessToken: tool.token,
    expiresOn: expiresAt.toISOString().replace(/T(.*)Z/, ' $1000'),
    expires_on: Math.floor(expiresAt.getTime() / 1000),
    subscription: '00000000-0000-0000-0000-000000000001',
    tenant: '00000000-0000-0000-0000-000000000002',
    tokenType: 'Bearer',
  });
}

/** https://learn.microsoft.com/azure/developer/azure-developer-cli/reference#azd-auth-token */
function azureDeveloper(tool: Tool): string {
  if ('hangs' in tool) return 'sleep 600';
  if ('fails' in tool) {
    const message = '\nERROR: not logged in, run `azd auth login` to login\n';
    const timestamp = new Date().toISOString();
    const said = { type: 'consoleMessage', timestamp, data: { message } };
    return `${print(said)} >&2; exit 1`;
  }
  const expiresOn = expiryOf(tool).toISOString().replace(/\.\d+/, '');
  return print({ token: tool.token, expiresOn });
}

function expiryOf({ expiresInSeconds = 3600 }: { expiresInSeconds?: number }) {
  return new Date(Date.now() + expiresInSeconds * 1000);
}

function print(value: object): string {
  const text = JSON.stringify(value).replaceAll("'", `'\\''`);
  return `printf '%s\\n' '${text}'`;
}

function lines(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}
