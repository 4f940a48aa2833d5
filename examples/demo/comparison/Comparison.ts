/** What was measured of one claim, on both sides, on the same server. */
export interface Claim {
  /** What is claimed, in a few words. */
  title: string;
  /** What was done. */
  what: string;
  /** What is counted or timed, less being better in each. */
  figures: Figure[];
}

/** One thing that was counted or timed on both sides. */
export interface Figure {
  name: string;
  unit: 'ms' | 'KB' | 'requests' | 'reads';
  builtIn: number;
  here: number;
}

/** All that was measured, and what this package says where a credential is refused. */
export interface Comparison {
  claims: Claim[];
  refused: string;
}

/** A figure with its unit, as both the terminal and the page show it. */
export function inWords(value: number, unit: Figure['unit']): string {
  const digits = value < 10 && !Number.isInteger(value) ? 1 : 0;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`;
}
