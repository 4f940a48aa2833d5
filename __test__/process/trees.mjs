// Reads a tree as one identity after the other, whose personal access tokens are given.
import { readerOf } from '../../testing/processReader.mjs';

const [url, ...tokens] = process.argv.slice(2);
for (const personalAccessToken of tokens) {
  const kind = 'PersonalAccessToken';
  const credentials = [{ kind, personalAccessToken }];
  const tree = await readerOf(url, { credentials }).readTree(url);
  await tree.files();
}
