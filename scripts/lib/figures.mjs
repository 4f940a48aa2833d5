// The committed figures of the guard: how many instructions each job takes, and which functions take most of them.

/** By how much a job may differ from its figure; counts of one binary differ by less than a tenth of that. */
export const MOST = 0.05;

/** How many functions of a job are kept, and the least share of the job that one has. */
const FUNCTIONS = 15;
const SHARE = 0.02;

/** What a figure holds of a count: the job as a whole, and its largest functions, by themselves and with what they call. */
export function figureOf({ instructions, own, within }) {
  const least = instructions * SHARE;
  return {
    instructions,
    own: largest(own, least),
    within: largest(within, least),
  };
}

function largest(counts, least) {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const kept = sorted.filter(([, count]) => count >= least);
  return Object.fromEntries(kept.slice(0, FUNCTIONS));
}

/** What is wrong with the counts of jobs beside their figures, in words, and what is better than it was. */
export function compare(figures, counts) {
  const [slower, faster] = [[], []];
  for (const [job, count] of Object.entries(counts)) {
    const figure = figures[job];
    const change = figure && count.instructions / figure.instructions - 1;
    if (!figure) slower.push(`${job}: has no figure`);
    else if (change > MOST) slower.push(grown(job, figure, count, change));
    else if (change < -MOST) faster.push(summary(job, figure, count, change));
  }
  const gone = Object.keys(figures).filter(job => !counts[job]);
  slower.push(...gone.map(job => `${job}: has a figure, and is not counted`));
  return { slower, faster };
}

function grown(job, figure, count, change) {
  const lines = [
    summary(job, figure, count, change),
    ...most(figure.within, count.within, 'with what it calls'),
    ...most(figure.own, count.own, 'by itself'),
  ];
  return lines.join('\n    ');
}

function summary(job, figure, count, change) {
  const percent = `${Math.abs(change * 100).toFixed(1)} %`;
  const word = change > 0 ? 'more' : 'fewer';
  const [now, before] = [count.instructions, figure.instructions].map(written);
  return `${job}: ${now} instructions, ${percent} ${word} than ${before}`;
}

/** The functions that grew most; one that is not among the figures had no more than the least of them. */
function most(before, now, how) {
  const least = Math.min(...Object.values(before), Infinity);
  const known = Number.isFinite(least) ? least : 0;
  return [...now]
    .map(([name, count]) => [name, count - (before[name] ?? known)])
    .filter(([, growth]) => growth > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([name, growth]) => `+${written(growth)} ${how}: ${name}`);
}

/** A number with its thousands apart. */
export function written(number) {
  return Math.round(number).toLocaleString('en');
}
