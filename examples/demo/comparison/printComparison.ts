import { heading, printTable } from '../account';
import { inWords, type Comparison, type Figure } from './Comparison';

/** Prints what both sides took, a line for each figure, and how this package tells of a refusal. */
export function printComparison({ claims, refused }: Comparison): void {
  heading('The same server, read by the built-in reader and by this package');
  const rows = claims.flatMap(({ title, what, figures }) =>
    figures.map((figure, index) => [
      index === 0 ? title : '',
      figure.name,
      inWords(figure.builtIn, figure.unit),
      inWords(figure.here, figure.unit),
      ratio(figure),
      index === 0 ? what : '',
    ]),
  );
  const columns = ['CLAIM', 'FIGURE', 'BUILT-IN', 'HERE', 'LESS', 'HOW'];
  printTable([columns, ...rows]);
  console.log(
    `\n  A credential that is refused, as the caller is told:\n\n    ${refused}`,
  );
}

/** How many times less it is here; nothing where one of them is zero. */
function ratio({ builtIn, here }: Figure): string {
  return builtIn > 0 && here > 0 ? `${(builtIn / here).toFixed(1)}x` : '';
}
