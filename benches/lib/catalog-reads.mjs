// The reads of a catalog without the catalog.
import { newReader } from '../../testing/measuring/host.mjs';

/** How many entities the catalog processes at once. */
const AT_ONCE = 10;

export class CatalogReads {
  #reader;
  #etags = new Map();
  #contents = new Map();

  /** Reads all locations once, as the catalog does when it starts. */
  static async start(subject, { urls, ...options }) {
    const reads = new CatalogReads();
    reads.#reader = await newReader(subject, options);
    for (const url of urls) reads.#etags.set(url, undefined);
    await reads.#readAll(urls);
    return reads;
  }

  /** Reads every location again, so many in each of some seconds, as the catalog does. */
  async refresh(seconds) {
    const urls = [...this.#etags.keys()];
    const startedAt = performance.now();
    for (let second = 0; second < seconds; second += 1) {
      const wait = second * 1000 - (performance.now() - startedAt);
      await new Promise(resolve => setTimeout(resolve, wait));
      await this.#readAll(urls.filter((_, n) => n % seconds === second));
    }
  }

  /** Makes sure that so many components are described so. */
  async expect(count, description) {
    const contents = [...this.#contents.values()];
    const found = contents.filter(content => content.includes(description));
    if (found.length !== count)
      throw new Error(`${found.length} files of ${count} are new`);
  }

  async #readAll(urls) {
    const left = [...urls];
    const worker = async () => {
      while (left.length > 0) await this.#read(left.shift());
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** What `UrlReaderProcessor` of `@backstage/plugin-catalog-backend` asks for. */
  async #read(url) {
    const etag = this.#etags.get(url);
    try {
      const response = await this.#reader.search(url, { etag });
      if (response.files.length !== 1) throw new Error(`no file at ${url}`);
      this.#contents.set(url, await response.files[0].content());
      this.#etags.set(url, response.etag);
    } catch (error) {
      if (error.name !== 'NotModifiedError') throw error;
    }
  }
}
