import type { Claim, Comparison, Figure } from './Comparison';

/** How large the repository is, and how much is read. */
export interface Size {
  files: number;
  megabytes: number;
  /** How many catalog files there are; two of three match the pattern. */
  matches: number;
  /** The budget that both exceed, in throughput units. */
  capacity: number;
}

const SIZE: Size = { files: 3_000, megabytes: 32, matches: 240, capacity: 120 };

/** What a side tells of a step: how long it took, and how long it kept the event loop. */
interface Took {
  ms: number;
  loopMs: number;
  failures?: number;
}

interface Account {
  requests: number;
  KB: number;
}

type Measured = Took & Account;

/** The steps that both sides take, one after the other. */
const STEPS = ['search', 'tree', 'unchanged', 'limited'] as const;

type Steps = Record<(typeof STEPS)[number], Measured> & { refused: string };

interface Asked {
  ask<T>(command: string, options?: unknown): Promise<T>;
  end(): Promise<void>;
}

/**
 * Reads the same repository through Backstage's built-in reader and through this package, each in a process
 * of its own, and counts and times what both take.
 */
export async function compare(size: Size = SIZE): Promise<Comparison> {
  const { Child } = await import('../../../testing/measuring/child.mjs');
  const { startStandIn } = await import('../../../testing/measuring/host.mjs');
  const standIn = startStandIn() as Asked;
  const host = await standIn.ask<Host>('host', size);
  const sideOf = async (subject: string) => {
    const side = new Child(require.resolve('./side.ts'), {
      args: [subject, JSON.stringify({ ...host, ...size })],
      env: host.env,
      execArgv: ['--import', 'tsx'],
    }) as Asked;
    const taken = await stepsOf(side, standIn, size);
    await side.end();
    return taken;
  };
  const builtIn = await sideOf('upstream');
  const here = await sideOf('native');
  await standIn.end();
  return {
    claims: claimsOf(builtIn, here, size),
    refused: here.refused,
  };
}

interface Host {
  url: string;
  token: string;
  env: Record<string, string>;
}

async function stepsOf(
  side: Asked,
  standIn: Asked,
  { capacity }: Size,
): Promise<Steps> {
  await side.ask('begin');
  const taken: Partial<Steps> = {};
  for (const step of STEPS) {
    await standIn.ask('clear');
    if (step === 'limited') {
      const unitsPerSecond = capacity / 4;
      await standIn.ask('limit', { capacity, unitsPerSecond });
    }
    const took = await side.ask<Took>(step);
    const account = await standIn.ask<Account>('account');
    if (step === 'limited') await standIn.ask('timeline');
    taken[step] = { ...took, ...account };
  }
  return { ...(taken as Steps), refused: await side.ask<string>('refused') };
}

function claimsOf(builtIn: Steps, here: Steps, size: Size): Claim[] {
  const both = (
    step: (typeof STEPS)[number],
    name: string,
    unit: Figure['unit'],
    of: (measured: Measured) => number,
  ): Figure => ({
    name,
    unit,
    builtIn: of(builtIn[step]),
    here: of(here[step]),
  });
  const time = (step: (typeof STEPS)[number]) =>
    both(step, 'time', 'ms', ({ ms }) => ms);
  const received = (step: (typeof STEPS)[number]) =>
    both(step, 'received', 'KB', ({ KB }) => KB);
  return [
    {
      title: 'A pattern over a monorepo',
      what: `search of /services/*/catalog-info.yaml among ${size.files} files`,
      figures: [received('search'), time('search')],
    },
    {
      title: 'A tree to a folder',
      what: `readTree and dir() of ${size.files} files, ${size.megabytes} MiB`,
      figures: [
        time('tree'),
        both('tree', 'event loop', 'ms', ({ loopMs }) => loopMs),
      ],
    },
    {
      title: 'A refresh in which nothing changed',
      what: `${size.matches} catalog files, read again as the catalog does`,
      figures: [received('unchanged'), time('unchanged')],
    },
    {
      title: 'More reads than Azure DevOps allows',
      what: `${size.matches} files, 30 at once, on a budget of ${size.capacity} units`,
      figures: [both('limited', 'failed', 'reads', took => took.failures ?? 0)],
    },
  ];
}
