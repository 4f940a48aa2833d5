// Exits with 7 while many reads are under way.
import { readerOf } from '../../testing/processReader.mjs';

const [url] = process.argv.slice(2);
const reader = readerOf(url);
for (let i = 0; i < 50; i += 1) {
  reader.readUrl(url).catch(() => {});
}
setTimeout(() => process.exit(7), 100);
