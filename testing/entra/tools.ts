import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a developer's tool does when it is asked for a token. */
export type Tool =
  | { token: string; expiresInSeconds?: number }
  | { fails: 'not logged in' | 'silently' }
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

/** Leaves its process id in a file beside it. */
const HANG = 'sleep 600 & echo $! >> "$(dirname "$0")/pids"; wait';

/** https://learn.microsoft.com/cli/azure/account#az-account-get-access-token */
function azure(tool: Tool): string {
  if ('hangs' in tool) return HANG;
  if ('fails' in tool) {
    if (tool.fails === 'silently') return 'exit 1';
    return `echo "WARNING: You have 2 updates available." >&2; echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`;
  }
  const text = JSON.stringify({
    accessToken: tool.token,
    expiresOn: '<date>',
    expires_on: '<unix>',
    subscription: '00000000-0000-0000-0000-000000000001',
    tenant: '00000000-0000-0000-0000-000000000002',
    tokenType: 'Bearer',
  }).replace('"<unix>"', '<unix>');
  return print(text, {
    '<date>': inSeconds(tool, '+%Y-%m-%d %H:%M:%S.000000'),
    '<unix>': inSeconds(tool, '+%s'),
  });
}

/** https://learn.microsoft.com/azure/developer/azure-developer-cli/reference#azd-auth-token */
function azureDeveloper(tool: Tool): string {
  if ('hangs' in tool) return HANG;
  if ('fails' in tool) {
    if (tool.fails === 'silently') return 'exit 1';
    const message = '\nERROR: not logged in, run `azd auth login` to login\n';
    const timestamp = new Date().toISOString();
    const said = { type: 'consoleMessage', timestamp, data: { message } };
    return `${print(JSON.stringify(said))} >&2; exit 1`;
  }
  const text = JSON.stringify({ token: tool.token, expiresOn: '<utc>' });
  return print(text, { '<utc>': inSeconds(tool, '+%Y-%m-%dT%H:%M:%SZ') });
}

/** What prints when a token that is given now expires. */
function inSeconds(
  { expiresInSeconds = 3600 }: { expiresInSeconds?: number },
  format: string,
): string {
  return `$(TZ=UTC date -d '+${expiresInSeconds} seconds' '${format}')`;
}

/** A command that prints the text, with commands' output in the place of some words. */
function print(text: string, outputs: Record<string, string> = {}): string {
  const words = Object.entries(outputs).reduce(
    (quoted, [word, command]) => quoted.replace(word, `'"${command}"'`),
    text.replaceAll("'", `'\\''`),
  );
  return `printf '%s\\n' '${words}'`;
}

function lines(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}
