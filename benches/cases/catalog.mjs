// The reads of a catalog that refreshes: each of its locations once more, with the etag that it has.
import { newReader } from '../../testing/measuring/host.mjs';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

/** How many entities the catalog processes at once. */
const AT_ONCE = 10;

export const cases = [1000, 35_000].map(locations => ({
  group: 'catalog',
  name: `a refresh of ${locations.toLocaleString('en')} locations, nothing changed`,
  contenders: ['native', 'upstream'],
  rounds: 2,
  needs: 'canned',
  options: { locations },
}));

/** Reads all locations once, and then, measured, once more. */
export async function prepare({ contender, options: { locations }, server }) {
  const { host, origin } = new URL(server.origins.plain);
  const azure = [{ host, plainHttp: 'allow' }];
  const workingDirectory = temporaryFolder('bench');
  const reader = await newReader(contender, { azure, workingDirectory });
  const etags = Array(locations);
  const readAll = async () => {
    let next = 0;
    const worker = async () => {
      while (next < locations) await read(reader, origin, etags, next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return { units: locations };
  };
  await readAll();
  return readAll;
}

/** What `UrlReaderProcessor` of `@backstage/plugin-catalog-backend` asks for. */
async function read(reader, origin, etags, n) {
  const url = `${origin}/c/p/_git/r${n % 100}?path=/1600/services/s${n}/catalog-info.yaml`;
  try {
    const { files, etag } = await reader.search(url, { etag: etags[n] });
    if (files.length !== 1) throw new Error(`no file at ${url}`);
    await files[0].content();
    etags[n] = etag;
  } catch (error) {
    if (error.name !== 'NotModifiedError') throw error;
  }
}
