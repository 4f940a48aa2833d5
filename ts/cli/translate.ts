import { AzureUrl } from '../AzureUrl';
import { ExitCode } from './ExitCode';
import type { Run } from './main';
import type { TranslateOutput } from './output';

/** Shows what a URL names and how it would be asked for; nothing is sent. */
export async function translate(
  { terminal }: Run<object>,
  [url]: string[],
): Promise<number> {
  const output = translated(url);
  if (terminal.json) terminal.printJson(output);
  else printTable(terminal, output);
  return ExitCode.GOOD;
}

const TYPES = { GB: 'branch', GT: 'tag', GC: 'commit' } as const;

function translated(url: string): TranslateOutput {
  const own = AzureUrl.fromRepoUrl(url);
  const path = own.getPath();
  return {
    url: own.toRepoUrl(),
    host: new URL(url).host,
    organization: own.getOwner(),
    project: own.getProject(),
    repository: own.getRepo(),
    path,
    ref: own.getRef(),
    refType: TYPES[own.getPrefix() as keyof typeof TYPES],
    file: path ? own.toFileUrl() : undefined,
    archive: own.toArchiveUrl(),
    commits: own.toCommitsUrl(),
  };
}

function printTable(
  terminal: Run<object>['terminal'],
  output: TranslateOutput,
): void {
  const { refType, ref, ...rest } = output;
  const version =
    ref === undefined ? 'the default branch' : `${refType} ${ref}`;
  const { file, archive, commits, ...parts } = rest;
  const rows = Object.entries({ ...parts, version, file, archive, commits });
  for (const [name, value] of rows) {
    if (value === undefined) continue;
    terminal.print(`${terminal.colors.dim(name.padEnd(13))} ${value}`);
  }
}
