// What is measured of a process, and how it is printed.

/** Does some work, and tells what it took of this process: time, CPU of all threads, event loop. */
export async function measure(work) {
  const cpu = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const startedAt = performance.now();
  const result = await work();
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const { active } = performance.eventLoopUtilization(loop);
  const cpuMs = (user + system) / 1000;
  return { result, figures: { ms, cpuMs, loopMs: active } };
}

export function median(numbers) {
  return percentile(numbers, 50);
}

/** The number that so many percent of all are below. */
export function percentile(numbers, percent) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length * percent) / 100)];
}

/** The figures of two subjects beside each other; where there are several of each, the medians. */
export function beside(native, upstream) {
  const line = name => {
    const [ours, theirs] = [native, upstream].map(all =>
      median(all.map(figures => figures[name])),
    );
    const ratio = ours > 0 ? ` (${(theirs / ours).toFixed(1)}x)` : '';
    return `${name} ${rounded(ours)} against ${rounded(theirs)}${ratio}`;
  };
  return Object.keys(native[0]).map(line).join(', ');
}

function rounded(number) {
  return number.toFixed(number < 10 && !Number.isInteger(number) ? 1 : 0);
}
