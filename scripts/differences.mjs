// Writes into docs/differences.md the table of differences from Backstage's own reader, which the parity tests hold both to; --check only tells when it is behind.
import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import ts from 'typescript';
import { fail, inRoot } from './lib/commands.mjs';

const table = '__test__/parity/exceptions.ts';
const start =
  '<!-- The table of differences: npm run differences writes it. -->';
const end = '<!-- End of the table of differences. -->';

const check = process.argv.includes('--check');
const page = readFileSync(inRoot('docs/differences.md'), 'utf8');
const wanted = withTable(page, await markdown(rows()));
if (wanted === page) {
  console.log('the differences in docs/differences.md are up to date');
} else if (check) {
  fail(
    `docs/differences.md does not say what ${table} does: npm run differences`,
  );
} else {
  writeFileSync(inRoot('docs/differences.md'), wanted);
  console.log('docs/differences.md written');
}

/** The texts of the rows, read from the source: to run it would take a build. */
function rows() {
  const text = readFileSync(inRoot(table), 'utf8');
  const source = ts.createSourceFile(table, text, ts.ScriptTarget.Latest, true);
  const declared = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .find(({ name }) => name.getText() === 'EXCEPTIONS');
  if (!declared || !ts.isArrayLiteralExpression(declared.initializer)) {
    fail(`${table} has no list EXCEPTIONS`);
  }
  return declared.initializer.elements.map(textsOf);
}

function textsOf(row) {
  const texts = row.properties
    .filter(property => ts.isPropertyAssignment(property))
    .filter(({ initializer }) => ts.isStringLiteralLike(initializer))
    .map(({ name, initializer }) => [name.getText(), initializer.text]);
  const { where, upstream, here, versions } = Object.fromEntries(texts);
  if (!where || !upstream || !here) {
    fail(`a row of ${table} is not written out: ${row.getText()}`);
  }
  return [where, upstream, here, versionsInWords(versions)];
}

function versionsInWords(range) {
  const [, before] = range?.match(/^<(\d+\.\d+)\.0$/) ?? [];
  return before ? `before ${before}` : (range ?? 'all');
}

function markdown(body) {
  const head = ['where', 'built-in', 'here', 'versions of the built-in'];
  const lines = [head, head.map(() => '---'), ...body].map(
    cells =>
      `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
  return format(lines.join('\n'), { parser: 'markdown' });
}

/** The page with the table between the two marks. */
function withTable(text, written) {
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) {
    fail(`docs/differences.md has no place for the table: ${start} … ${end}`);
  }
  return `${text.slice(0, from)}${start}\n\n${written}\n${text.slice(to)}`;
}
