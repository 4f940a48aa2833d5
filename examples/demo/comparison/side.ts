/** One side of the comparison: a process that reads with the built-in reader, or with this package. */
import type { UrlReaderService } from '@backstage/backend-plugin-api';
import { temporaryFolder } from '../../../testing/temporaryFolder.cjs';

const AT_ONCE = 30;

const [subject, given] = process.argv.slice(2);
const { url, token, matches } = JSON.parse(given) as {
  url: string;
  token: string;
  matches: number;
};

async function main() {
  const { answer } = await import('../../../testing/measuring/child.mjs');
  const { measure } = await import('../../../testing/measuring/figures.mjs');
  const { leadFetchThroughProxy, newReader } =
    await import('../../../testing/measuring/host.mjs');
  const { catalogPaths } =
    await import('../../../testing/measuring/monorepo.mjs');
  await leadFetchThroughProxy();
  const workingDirectory = temporaryFolder('demo');
  const readerOf = async (own: string): Promise<UrlReaderService> =>
    newReader(subject, { token: own, workingDirectory });
  const reader = await readerOf(token);
  const files = (catalogPaths(matches) as string[]).map(
    file => `${url}?path=/${file}`,
  );
  const etags = new Map<string, string | undefined>();
  const timed = async <T>(work: () => Promise<T>) => {
    const { result, figures } = await measure(work);
    return { ...figures, result };
  };

  /** Reads as the catalog does: by `search`, with the etag that it had before. */
  const refresh = async () => {
    for (const file of files) {
      try {
        const { etag } = await reader.search(file, { etag: etags.get(file) });
        etags.set(file, etag);
      } catch (error) {
        if ((error as Error).name !== 'NotModifiedError') throw error;
      }
    }
  };

  answer({
    begin: refresh,
    search: async () =>
      timed(async () => {
        const pattern = '/services/*/catalog-info.yaml';
        const found = await reader.search(`${url}?path=${pattern}`);
        for (const file of found.files) await file.content();
      }),
    tree: async () => timed(async () => (await reader.readTree(url)).dir()),
    unchanged: async () => timed(refresh),
    limited: async () => {
      const { result, ...figures } = await timed(async () =>
        failuresOf(reader, files),
      );
      return { ...figures, failures: result };
    },
    refused: async () => {
      const other = await readerOf('a-token-that-has-expired');
      const reading = other.readUrl(files[0]);
      return reading.then(
        () => '',
        (error: Error) => `${error.name}: ${error.message}`,
      );
    },
  });
}

/** How many of many reads at once fail. */
async function failuresOf(
  reader: UrlReaderService,
  files: string[],
): Promise<number> {
  const left = [...files];
  let failures = 0;
  const worker = async () => {
    for (let file = left.pop(); file; file = left.pop()) {
      await reader.readUrl(file).then(
        async response => response.buffer(),
        () => (failures += 1),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return failures;
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
