// What a case comes to: medians with their spread, and ratios of what was measured in the same round.
import { median } from '../../testing/measuring/figures.mjs';

/** What one of a case's units takes of a figure, in microseconds. */
export function perUnit(name) {
  return it =>
    it[name] === undefined || it[name] === null
      ? undefined
      : (it[name] * 1000) / it.units;
}

/** A figure as it is. */
export function plain(name) {
  return it => it[name];
}

/** Median, least and most of a figure, or `undefined` where it was not measured. */
export function spread(measurements, figure) {
  const all = measurements.map(figure).filter(it => Number.isFinite(it));
  if (all.length === 0) return undefined;
  return {
    median: median(all),
    least: Math.min(...all),
    most: Math.max(...all),
  };
}

/** How many times as much of a figure one takes as another, round by round. */
export function ratio(ones, others, figure) {
  const pairs = ones.flatMap(one => {
    const other = others.find(({ round }) => round === one.round);
    return other ? [{ value: figure(one) / figure(other) }] : [];
  });
  return spread(pairs, it => it.value);
}
