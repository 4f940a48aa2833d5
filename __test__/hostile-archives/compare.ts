/**
 * Uses each hostile archive in each way, through this package and through Backstage's own reader, and
 * counts what came of it.
 *
 *   npx tsx __test__/hostile-archives/compare.ts [mutations] [--each]
 */
import { rmSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { here, upstream, type Package } from '../../testing/packages';
import { ArchiveServer } from './ArchiveServer';
import { craftedCases, mutatedCase, type Case } from './cases';
import { USES, use, type Result, type Use } from './uses';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

/** What takes longer never ends. */
const PATIENCE_MS = 5_000;

type Outcome = Result['is'] | 'uncaught exception' | 'no end';

let uncaught = () => {};
process.on('uncaughtException', () => uncaught());
process.on('unhandledRejection', () => uncaught());

async function main([mutations = '300', ...flags]: string[]): Promise<void> {
  const server = new ArchiveServer();
  await server.start();
  const sets: Array<[name: string, cases: Case[]]> = [
    ['crafted', craftedCases()],
    [
      'mutated',
      Array.from({ length: Number(mutations) }, (_, n) => mutatedCase(n)),
    ],
  ];
  for (const [name, cases] of sets) {
    for (const [by, from] of Object.entries({ here, upstream })) {
      const counts = new Map<Outcome, number>();
      for (const one of cases) {
        for (const how of USES) {
          const { outcome, why } = await outcomeOf(server, from, one, how);
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
          if (flags.includes('--each') || (by === 'here' && !isSound(outcome)))
            console.log([by, one.name, how, outcome, why].join(' | '));
        }
      }
      const total = cases.length * USES.length;
      console.log(name, by, total, Object.fromEntries(counts));
    }
  }
  process.exit();
}

function isSound(outcome: Outcome): boolean {
  return outcome === 'right' || outcome === 'refused';
}

async function outcomeOf(
  server: ArchiveServer,
  from: Package,
  one: Case,
  how: Use,
): Promise<{ outcome: Outcome; why?: string }> {
  const directory = temporaryFolder('compare');
  const thrown = new Promise<{ outcome: Outcome }>(resolve => {
    uncaught = () => resolve({ outcome: 'uncaught exception' });
  });
  const url = server.urlOf(one.bytes);
  const used = use(from, url, how, one, directory).then(result => ({
    outcome: result.is,
    why: Object.values(result)[1],
  }));
  const late = setTimeout(PATIENCE_MS).then(() => ({
    outcome: 'no end' as const,
  }));
  const outcome = await Promise.race([used, thrown, late]);
  rmSync(directory, { recursive: true, force: true });
  return outcome;
}

void main(process.argv.slice(2));
