/** Generated entries of zips that were made elsewhere: names in other bytes, and fields that say them. */
import fc from 'fast-check';
import { unicodePathField, type ZipEntry } from './azure-devops/zip';

const name = fc
  .oneof(
    fc.constantFrom('a', 'ß', 'd/e', 'd\\e', 'a:b', '..a', '한/🚀', 'd/'),
    fc.constantFrom('../a', 'a/..', '/a', 'C:/a', '..\\a'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  )
  // It is refused here, and by upstream where it is written to.
  .filter(text => !text.includes('\0'));

const otherBytes = fc.uint8Array({ minLength: 1, maxLength: 8, min: 1 });

const field = fc.record({
  isOfName: fc.constantFrom(true, true, true, false),
  path: fc.oneof({ weight: 5, arbitrary: name }, fc.constant('')),
  version: fc.constantFrom(1, 1, 1, 0, 2),
});

/** Entries whose name is marked as UTF-8, or any bytes; with no, one or several fields. */
export const namedElsewhere: fc.Arbitrary<ZipEntry> = fc
  .record({
    path: name,
    bytes: fc.option(fc.oneof(otherBytes, name.map(Buffer.from))),
    fields: fc.array(field, { maxLength: 3 }),
  })
  .map(({ path, bytes, fields }): ZipEntry => {
    const own = Buffer.from(bytes ?? path);
    const all = fields.map(({ isOfName, path: text, version }) =>
      unicodePathField(isOfName ? own : Buffer.from('other'), text, version),
    );
    return {
      path,
      content: Buffer.from('content'),
      name: bytes ? own : undefined,
      fields: Buffer.concat(all),
    };
  });
