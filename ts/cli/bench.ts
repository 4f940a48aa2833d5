import { setTimeout as wait } from 'node:timers/promises';
import { ConfigReader, type Config } from '@backstage/config';
import { builtInReader, type BuiltInReader } from './builtInReader';
import { casesOf, type Case, type CaseReader } from './benchCases';
import { loadConfiguration, type SourceOptions } from './configuration';
import { ExitCode } from './ExitCode';
import type { Run } from './main';
import type { BenchCase, BenchFigures, BenchOutput } from './output';
import { readerIn } from './readerOf';

/** The options of `bench`. */
export interface BenchOptions extends SourceOptions {
  /** How often each is measured. */
  rounds: number;
}

/** Between two measurements, so that a server is not kept busy. */
const REST_MS = 200;

/** What takes longer is measured once. */
const LONG_MS = 20_000;

/** What takes longer is ended. */
const MOST_MS = 120_000;

/** What our reader keeps would flatter its figures. */
const KEEPS_NOTHING = {
  backend: {
    reading: { azureDevOps: { cache: { memoryBytes: 0, diskBytes: 0 } } },
  },
};

/** One reader in a case: how long its rounds took. */
interface Contender {
  /** What it is called. */
  name: string;
  reader: CaseReader;
  rounds: Array<{ ms: number; cpuMs: number }>;
  /** Why it is not measured any more. */
  ended?: string;
}

/** Measures reads of a repository, beside the reader that is built into Backstage. */
export async function bench(
  run: Run<BenchOptions>,
  [url]: string[],
): Promise<number> {
  const { terminal, options, signal } = run;
  const { config } = await loadConfiguration(options);
  const own = readerIn(keepingNothing(config), terminal, url);
  const builtIn = builtInReader(config);
  const cases = await casesOf(own, url, signal);
  const output: BenchOutput = {
    url,
    builtInVersion: builtIn?.version,
    cases: [],
  };
  for (const one of cases) {
    const measured = await terminal.while(`Measuring ${one.name}`, async () =>
      measure(one, own.reader, builtIn, options.rounds, signal),
    );
    output.cases.push(measured);
  }
  if (terminal.json) terminal.printJson(output);
  else print(run, output);
  return output.cases.some(({ native }) => native.rounds === 0)
    ? ExitCode.WRONG
    : ExitCode.GOOD;
}

function keepingNothing(config: Config): Config {
  return ConfigReader.fromConfigs([
    { context: 'the configuration', data: config.get() ?? {} },
    { context: 'bench', data: KEEPS_NOTHING },
  ]);
}

/** Measures a case with both readers in turns, after a round that makes their connections. */
async function measure(
  one: Case,
  own: CaseReader,
  builtIn: BuiltInReader | undefined,
  rounds: number,
  signal: AbortSignal,
): Promise<BenchCase> {
  const ours = contender('this package', own);
  const theirs = builtIn && contender('the built-in reader', builtIn.reader);
  const contenders = theirs ? [ours, theirs] : [ours];
  for (let round = one.isWarm ? 0 : 1; round <= rounds; round += 1) {
    // Whoever is first in one round is last in the next.
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const next of order) {
      if (isDone(next)) continue;
      await measureOnce(one, next, round === 0, signal);
      await wait(REST_MS, undefined, { signal });
    }
  }
  const native = figures(ours);
  const other = theirs && figures(theirs);
  const isCompared = native.rounds > 0 && other && other.rounds > 0;
  const note = [ours.ended, theirs?.ended].filter(Boolean).join('; ');
  return {
    name: one.name,
    native,
    builtIn: other && other.rounds > 0 ? other : undefined,
    ratio: isCompared ? round2(other.medianMs / native.medianMs) : undefined,
    ...(note && { note }),
  };
}

function contender(name: string, reader: CaseReader): Contender {
  return { name, reader, rounds: [] };
}

function isDone({ ended, rounds }: Contender): boolean {
  return ended !== undefined || rounds.some(({ ms }) => ms > LONG_MS);
}

async function measureOnce(
  one: Case,
  contender: Contender,
  isWarmUp: boolean,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(MOST_MS)]);
  const cpu = process.cpuUsage();
  const began = performance.now();
  try {
    await one.read(contender.reader, limit);
  } catch (error) {
    signal.throwIfAborted();
    const { name } = contender;
    contender.ended = limit.aborted
      ? `${name} was ended after ${MOST_MS / 1000} s`
      : `${name} failed: ${(error as Error).message}`;
    return;
  }
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  if (!isWarmUp) contender.rounds.push({ ms, cpuMs: (user + system) / 1000 });
}

function figures({ rounds }: Contender): BenchFigures {
  const times = rounds.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    rounds: times.length,
    medianMs: round2(median(times)),
    minMs: round2(times.at(0) ?? 0),
    maxMs: round2(times.at(-1) ?? 0),
    cpuMs: round2(
      median(rounds.map(({ cpuMs }) => cpuMs).sort((a, b) => a - b)),
    ),
  };
}

function median(sorted: number[]): number {
  const middle = sorted.length / 2;
  if (sorted.length === 0) return 0;
  return Number.isInteger(middle)
    ? (sorted[middle - 1] + sorted[middle]) / 2
    : sorted[Math.floor(middle)];
}

function round2(number: number): number {
  return Math.round(number * 100) / 100;
}

function print({ terminal }: Run<BenchOptions>, output: BenchOutput): void {
  const { bold, dim } = terminal.colors;
  terminal.print(bold(output.url));
  terminal.print(
    output.builtInVersion
      ? dim(
          `beside the reader of @backstage/backend-defaults ${output.builtInVersion}, in turns; this package keeps nothing meanwhile`,
        )
      : dim(
          'the built-in reader is not here (@backstage/backend-defaults), so there is nothing to compare with',
        ),
  );
  for (const { name, ratio, native, builtIn, note } of output.cases) {
    const times = ratio === undefined ? '' : bold(`${ratio}× as fast`);
    terminal.print();
    terminal.print(`${name}  ${times}`);
    terminal.print(`  this package     ${inWords(native)}`);
    if (builtIn) terminal.print(`  built-in reader  ${inWords(builtIn)}`);
    if (note) terminal.print(`  ${note}`);
  }
}

function inWords({ rounds, medianMs, minMs, maxMs, cpuMs }: BenchFigures) {
  if (rounds === 0) return 'no figures';
  return `${medianMs} ms (${minMs} to ${maxMs}, ${rounds} rounds), CPU ${cpuMs} ms`;
}
