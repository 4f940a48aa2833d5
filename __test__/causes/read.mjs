// Reads a URL with so many retries, and prints what came of it as JSON.
import { readerOf } from '../../testing/processReader.mjs';

const [, , url, maxRetries] = process.argv;
const retry = { maxRetries: Number(maxRetries) };

try {
  const answer = await readerOf(url, { retry }).readUrl(url);
  console.log(JSON.stringify({ content: String(await answer.buffer()) }));
} catch ({ message }) {
  console.log(JSON.stringify({ message }));
}
process.exit();
