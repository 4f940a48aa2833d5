// Writes into docs/certificates.md the table of certificates and TLS settings that the tests hold Node and this package to.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { register } from 'tsx/cjs/api';
import { fail, inRoot } from './lib/commands.mjs';

const start =
  '<!-- The table of certificates: npm run certificates writes it. -->';
const end = '<!-- End of the table of certificates. -->';
const file = inRoot('docs/certificates.md');

register();
const require = createRequire(import.meta.url);
const { ROWS } = require('../testing/certificates/rows.ts');
const { tableOf } = require('../testing/certificates/table.ts');

const text = readFileSync(file, 'utf8');
const [from, to] = [text.indexOf(start), text.indexOf(end)];
if (from < 0 || to < from) {
  fail(`docs/certificates.md has no place for the table: ${start} … ${end}`);
}
const table = tableOf(ROWS);
writeFileSync(
  file,
  `${text.slice(0, from)}${start}\n\n${table}\n\n${text.slice(to)}`,
);
console.log('docs/certificates.md written');
