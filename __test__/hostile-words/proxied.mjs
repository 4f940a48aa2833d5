// Reads through the proxy that the environment names, and prints why that fails.
import { inspect } from 'node:util';
import { readerOf } from '../../testing/processReader.mjs';

const url = 'http://server.example/org/project/_git/repo?path=/a.md';
const credentials = [
  { kind: 'PersonalAccessToken', personalAccessToken: 'token-of-a-server' },
];

try {
  await readerOf(url, { credentials }).readUrl(url);
} catch (error) {
  console.log(inspect(error, { depth: null, showHidden: true }));
}
