#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import type { BenchOptions } from './bench';
import type { SourceOptions } from './configuration';
import type { DoctorOptions } from './doctor';
import { ExitCode, UsageError } from './ExitCode';
import type { LsOptions } from './ls';
import { Terminal } from './Terminal';
import type { TreeOptions } from './tree';

/** Options that every command has. */
interface CommonOptions {
  json?: boolean;
  color?: boolean;
}

/** What a command is run with. */
export interface Run<Options> {
  terminal: Terminal;
  options: Options;
  /** Ends what is under way, at Ctrl-C. */
  signal: AbortSignal;
}

/** Runs a command and gives the exit code. */
type Action<Options> = (run: Run<Options>, args: string[]) => Promise<number>;

const EXAMPLE = 'https://dev.azure.com/org/project/_git/repo';

function program(): Command {
  const own = new Command('backstage-azure-devops-native')
    .description(
      'Reads Azure DevOps as your Backstage backend does, and says why where it cannot.',
    )
    .version(
      (require('../../package.json') as { version: string }).version,
      '-V, --version',
      'print the version',
    )
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show the help of a command')
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
Start with:
  $ npx backstage-azure-devops-native doctor
  $ npx backstage-azure-devops-native doctor '${EXAMPLE}?path=/catalog-info.yaml'

In the folder of a Backstage app its app-config is read. Anywhere else, name a host, and where its token is:
  $ npx backstage-azure-devops-native doctor --host dev.azure.com --token-env MY_TOKEN

Exit codes: 0 everything is good, 1 something is wrong, 2 the command was not used as it can be.`,
    );
  addDoctor(own);
  addRead(own);
  addLs(own);
  addTree(own);
  addTranslate(own);
  addBench(own);
  own.commands.forEach(command => command.exitOverride());
  return own.exitOverride();
}

function addDoctor(own: Command): void {
  withSource(own.command('doctor [urls...]'))
    .summary('find out what is wrong, and what to do about it')
    .description(
      'Looks at the configuration, at every host, organization and credential in it, and at the URLs that are given: whether each can be read, with which credential, and if not, why not and what to do.',
    )
    .addOption(
      new Option('--timeout <seconds>', 'the longest that one check may take')
        .default(15)
        .argParser(seconds),
    )
    .addHelpText(
      'after',
      examples(
        'doctor',
        `doctor '${EXAMPLE}?path=/catalog-info.yaml'`,
        'doctor --config app-config.yaml --config app-config.production.yaml',
        'doctor --json | jq .isHealthy',
      ),
    )
    .action(
      run<DoctorOptions>(async (...args) =>
        (require('./doctor') as typeof import('./doctor')).doctor(...args),
      ),
    );
}

function addRead(own: Command): void {
  withSource(own.command('read <url>'))
    .summary('print a file')
    .description('Prints the content of a file, byte for byte.')
    .addHelpText(
      'after',
      examples(`read '${EXAMPLE}?path=/catalog-info.yaml' | head`),
    )
    .action(
      run(async (...args) =>
        (require('./read') as typeof import('./read')).read(...args),
      ),
    );
}

function addLs(own: Command): void {
  withSource(own.command('ls <url>'))
    .summary('list a folder, or what matches a pattern')
    .description(
      "Lists what is in a folder, or the files that match the pattern in the URL's path.",
    )
    .option('-l, --long', 'with type, mode, size and id')
    .addHelpText(
      'after',
      examples(`ls '${EXAMPLE}?path=/docs'`, `ls '${EXAMPLE}?path=/**/*.yaml'`),
    )
    .action(
      run<LsOptions>(async (...args) =>
        (require('./ls') as typeof import('./ls')).ls(...args),
      ),
    );
}

function addTree(own: Command): void {
  withSource(own.command('tree <url>'))
    .summary('write a repository, or a folder of one, to disk')
    .description(
      'Downloads a repository, or a folder of one, into a folder that is empty or not there yet. The folder appears when all of it is there; a download that was ended starts from the beginning.',
    )
    .requiredOption('-o, --output <dir>', 'the folder to write to')
    .addHelpText('after', examples(`tree '${EXAMPLE}?path=/docs' -o docs`))
    .action(
      run<TreeOptions>(async (...args) =>
        (require('./tree') as typeof import('./tree')).tree(...args),
      ),
    );
}

function addTranslate(own: Command): void {
  withOutput(own.command('translate <url>'))
    .summary('show what a URL names, and its REST URLs, without any request')
    .description(
      'Shows what a URL names (organization, project, repository, path, version) and the REST URLs that it is read by. Nothing is sent.',
    )
    .addHelpText(
      'after',
      examples(`translate '${EXAMPLE}?path=/README.md&version=GTv1'`),
    )
    .action(
      run(async (...args) =>
        (require('./translate') as typeof import('./translate')).translate(
          ...args,
        ),
      ),
    );
}

function addBench(own: Command): void {
  withSource(own.command('bench <url>'))
    .summary('measure reads of your own repository, beside the built-in reader')
    .description(
      'Reads files and folders of a repository with this package and, where it is installed, with the reader that is built into Backstage, in turns, and shows how they compare. It sends few requests, and rests between them.',
    )
    .addOption(
      new Option('--rounds <number>', 'how often each is measured')
        .default(5)
        .argParser(rounds),
    )
    .addHelpText('after', examples(`bench '${EXAMPLE}?path=/docs'`))
    .action(
      run<BenchOptions>(async (...args) =>
        (require('./bench') as typeof import('./bench')).bench(...args),
      ),
    );
}

function withSource(command: Command): Command {
  return withOutput(command)
    .option(
      '--config <file>',
      'read this app-config in place of the default ones; may be given again',
      (file: string, files: string[] = []) => [...files, file],
    )
    .option('--host <host>', 'read this host, without any app-config')
    .option(
      '--token-env <name>',
      'the environment variable with a personal access token for it',
    );
}

function withOutput(command: Command): Command {
  return command
    .option('--json', 'print JSON, as docs/doctor.md describes it')
    .option('--no-color', 'without colours; so does NO_COLOR');
}

function examples(...lines: string[]): string {
  const shown = lines.map(
    line => `  $ npx backstage-azure-devops-native ${line}`,
  );
  return `\nExamples:\n${shown.join('\n')}`;
}

/** A number of the command line; anything else is wrong use. */
function numberWithin(text: string, least: number, most: number): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= least && number <= most) return number;
  throw new UsageError(
    `${JSON.stringify(text)} is no number from ${least} to ${most}`,
  );
}

function seconds(text: string): number {
  return numberWithin(text, 1, 600);
}

function rounds(text: string): number {
  return Math.round(numberWithin(text, 1, 50));
}

/** What commander calls: the arguments, the options, and the command. */
function run<Options extends SourceOptions>(
  action: Action<Options>,
): (...all: unknown[]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const options = command.opts<Options & CommonOptions>();
    const terminal = new Terminal({
      json: options.json ?? false,
      // Only where the option was given: without it commander says true.
      color: options.color === false ? false : undefined,
    });
    const signal = endings();
    try {
      const code = await action({ terminal, options, signal }, command.args);
      process.exitCode = signal.aborted ? ExitCode.INTERRUPTED : code;
    } catch (error) {
      process.exitCode = signal.aborted
        ? ExitCode.INTERRUPTED
        : tell(terminal, error);
    }
  };
}

/**
 * Ends what is under way at the first Ctrl-C, so that it can remove what it left half done; a second one ends
 * the process. So does a pipe that nobody reads any more, which is no failure.
 */
function endings(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      controller.abort(new Error('Interrupted'));
      process.once(name, () => process.exit(ExitCode.INTERRUPTED));
    });
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? ExitCode.GOOD);
    process.stderr.write(`error: standard output: ${error.message}\n`);
    process.exit(ExitCode.WRONG);
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => {});
  return controller.signal;
}

function tell(terminal: Terminal, error: unknown): number {
  const { name, message } =
    error instanceof Error ? error : new Error(`${error}`);
  if (terminal.json) terminal.printJson({ error: { name, message } });
  else terminal.note(`${terminal.errorColors.red('error')}: ${message}`);
  return error instanceof UsageError ? ExitCode.USAGE : ExitCode.WRONG;
}

async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`error: ${error.message}\n`);
      process.exitCode = ExitCode.USAGE;
      return;
    }
    if (!(error instanceof CommanderError)) throw error;
    // It has said why by itself.
    process.exitCode = error.exitCode === 0 ? ExitCode.GOOD : ExitCode.USAGE;
  }
}

void main();
