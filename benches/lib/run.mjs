// Runs cases: each measurement in a process of its own, the contenders in turn, round after round.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Child } from '../../testing/measuring/child.mjs';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

/** What a measurement may take before it is given up. */
const PATIENCE_MS = 300_000;

/** Measures what of the cases is not yet among the results. */
export async function runCases(
  cases,
  { results, hosts, node, rounds, isQuick },
) {
  for (const one of cases) {
    console.log(`\n${one.name}`);
    const count = isQuick ? 1 : (rounds ?? one.rounds ?? 3);
    const contenders = one.contenders.filter(isThere);
    for (let round = 0; round < count; round += 1) {
      for (const contender of contenders) {
        const key = { case: one.name, contender, round };
        if (round >= (one.most?.[contender] ?? count) || results.has(key))
          continue;
        const figures = await figuresOf(one, {
          contender,
          round,
          hosts,
          node,
          isQuick,
        });
        results.add({ ...key, ...figures });
        console.log(`  ${contender.padEnd(9)} ${inShort(figures)}`);
      }
    }
  }
}

function isThere(contender) {
  return contender !== 'wrk' || !spawnSync('wrk', ['-v']).error;
}

/** One measurement; what goes wrong is one of its figures, so that the others are made all the same. */
async function figuresOf(one, { contender, round, hosts, node, isQuick }) {
  const host = await hosts.of(one);
  const child = new Child(WORKER, {
    execPath: node,
    execArgv: ['--expose-gc', ...(one.execArgv ?? [])],
    env: host.env,
  });
  const patience = setTimeout(() => child.kill(), PATIENCE_MS);
  try {
    const { file, options, delayEveryMs, settles } = one;
    const asked = isQuick ? { ...options, ...one.quick } : options;
    const server = host.server;
    await child.ask('prepare', {
      file,
      contender,
      round,
      options: asked,
      server,
    });
    if (one.change) await host.change(one.change);
    await host.counts();
    const figures = await child.ask('run', { delayEveryMs, settles });
    const counts = await host.counts();
    await child.end();
    return { ...wanted(figures, one), ...counts };
  } catch (error) {
    child.kill();
    return { error: error.message };
  } finally {
    clearTimeout(patience);
  }
}

/** The figures that a case shows; all, where it does not say so. */
function wanted(figures, { figures: names }) {
  if (!names) return figures;
  const kept = Object.entries(figures).filter(
    ([name]) => name === 'units' || names.includes(name),
  );
  return Object.fromEntries(kept);
}

function inShort({ error, units, ms, cpuMs, loopMs, peakMiB }) {
  if (error) return `FAILED: ${error.split('\n')[0]}`;
  const each = all =>
    all === undefined ? '-' : ((all * 1000) / units).toFixed(1);
  return `${each(ms)} µs each, CPU ${each(cpuMs)}, event loop ${each(loopMs)}; ${units} in ${ms.toFixed(0)} ms, peak ${peakMiB?.toFixed(1) ?? '-'} MiB`;
}
