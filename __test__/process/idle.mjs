// Reads once, and has nothing more to do: the connection that is kept must not keep the process.
import { readerOf } from '../../testing/processReader.mjs';

const [url] = process.argv.slice(2);
console.log(String(await readerOf(url).read(url)));
