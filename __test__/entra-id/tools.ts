import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a developer's tool does when it is asked for a token. */
export type Tool =
  | { token: string; expiresInSeconds?: number }
  | { fails: 'not logged in' }
  | { hangs: true }
  | { prints: string };

/** The tools that were written. */
export interface Tools {
  /** Every call, as `az account get-access-token …`, oldest first. */
  calls(): string[];
}

type Granted = Extract<Tool, { token: string }>;

/** Writes an `az` and an `azd` that print what the real ones print, and fail as they fail. */
export function writeTools(
  directory: string,
  tools: { az?: Tool; azd?: Tool },
): Tools {
  const log = path.join(directory, 'calls.log');
  const write = (name: string, does: string) =>
    writeFileSync(
      path.join(directory, name),
      `#!/bin/sh\necho "${name} $*" >> ${quoted(log)}\n${does}\n`,
      { mode: 0o755 },
    );
  if (tools.az) write('az', script(tools.az, azGrants, azRefuses));
  if (tools.azd) write('azd', script(tools.azd, azdGrants, azdRefuses));
  return {
    calls: () =>
      existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [],
  };
}

function script(
  tool: Tool,
  grants: (tool: Granted) => object,
  refuses: () => string,
): string {
  if ('token' in tool) return print(JSON.stringify(grants(tool)));
  if ('fails' in tool) return `${print(refuses())} >&2\nexit 1`;
  return 'hangs' in tool ? 'exec sleep 600' : print(tool.prints);
}

/** https://learn.microsoft.com/cli/azure/account#az-account-get-access-token */
function azGrants(tool: Granted): object {
  const expiresAt = expiryOf(tool);
  return {
    accessToken: tool.token,
    expiresOn: localTime(expiresAt),
    expires_on: Math.floor(expiresAt.getTime() / 1000),
    subscription: '00000000-0000-0000-0000-000000000001',
    tenant: '00000000-0000-0000-0000-000000000002',
    tokenType: 'Bearer',
  };
}

function azRefuses(): string {
  return "ERROR: Please run 'az login' to setup account.";
}

/** https://learn.microsoft.com/azure/developer/azure-developer-cli/reference#azd-auth-token */
function azdGrants(tool: Granted): object {
  const expiresOn = expiryOf(tool).toISOString().replace(/\.\d+/, '');
  return { token: tool.token, expiresOn };
}

function azdRefuses(): string {
  const message = '\nERROR: not logged in, run `azd auth login` to login\n';
  const timestamp = new Date().toISOString();
  return JSON.stringify({
    type: 'consoleMessage',
    timestamp,
    data: { message },
  });
}

function expiryOf({ expiresInSeconds = 3600 }: Granted): Date {
  return new Date(Date.now() + expiresInSeconds * 1000);
}

/** As `az` writes it: in the machine's time zone, which it does not name. */
function localTime(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().replace(/T(.*)\..*/, ' $1.000000');
}

function print(text: string): string {
  return `printf '%s\\n' ${quoted(text)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
