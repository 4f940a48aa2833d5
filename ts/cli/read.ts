import { isUtf8 } from 'node:buffer';
import { pipeline } from 'node:stream/promises';
import type { SourceOptions } from './configuration';
import { ExitCode } from './ExitCode';
import type { Run } from './main';
import type { ReadOutput } from './output';
import { readerOf } from './readerOf';

/** Prints the content of a file, byte for byte. */
export async function read(
  run: Run<SourceOptions>,
  [url]: string[],
): Promise<number> {
  const { terminal, signal } = run;
  const { reader } = await readerOf(run, url);
  const response = await terminal.while('Reading', async () =>
    reader.readUrl(url, { signal }),
  );
  if (!terminal.json) {
    // Not ended: it is the process's own.
    await pipeline(response.stream!(), process.stdout, { end: false, signal });
    return ExitCode.GOOD;
  }
  const content = await response.buffer();
  const encoding = isUtf8(content) ? 'utf8' : 'base64';
  terminal.printJson({
    url,
    etag: response.etag,
    lastModifiedAt: response.lastModifiedAt?.toISOString(),
    size: content.length,
    encoding,
    content: content.toString(encoding),
  } satisfies ReadOutput);
  return ExitCode.GOOD;
}
