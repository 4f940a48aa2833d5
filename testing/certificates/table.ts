/** The rows as documentation has them. */
import type { Row } from './rows';

const HEAD = ['a server with', 'Node 20', 'Node 24', 'here'];

/** A table in Markdown, its columns as wide as they need. */
export function tableOf(rows: Row[]): string {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) =>
    Math.max(...cells.map(line => line[column]!.length)),
  );
  const [head, ...body] = cells.map(line => inLine(line, widths));
  const rule = inLine(
    widths.map(width => '-'.repeat(width)),
    widths,
  );
  return [head, rule, ...body].join('\n');
}

function cellsOf({ name, node, refused }: Row): string[] {
  const [older, newer] = typeof node === 'boolean' ? [node, node] : node;
  return [name, ...[older, newer, !refused].map(inWords)];
}

function inWords(isAccepted: boolean): string {
  return isAccepted ? 'accepted' : 'refused';
}

function inLine(cells: string[], widths: number[]): string {
  const padded = cells.map((cell, column) => cell.padEnd(widths[column]!));
  return `| ${padded.join(' | ')} |`;
}
