import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

/** A file in a zip. */
export interface ZipEntry {
  path: string;
  content: Buffer;
  /** The mode of git, kept where the client is said to be Unix. */
  mode?: number;
  /** The bytes of its name where they are not its path in UTF-8, and are not marked as such. */
  name?: Buffer;
  /** The extra fields that the directory has for it. */
  fields?: Buffer;
}

/** What was deflated before: contents are kept by their repository, and are asked for again. */
const deflated = new WeakMap<Buffer, Buffer>();

/** Makes a zip as Azure DevOps does: deflated, names in UTF-8, directories not listed. */
export function zip(entries: ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = entry.name ?? Buffer.from(entry.path);
    const body = deflate(entry.content);
    const head = header(entry, name, body);
    files.push(Buffer.concat([signature(0x04034b50), head, name, body]));
    directory.push(centralHeader(entry, head, name, offset));
    offset += files.at(-1)!.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([
    ...files,
    central,
    end(entries.length, central.length, offset),
  ]);
}

/** Reads a zip as it was written: names are neither changed nor judged. */
export function unzip(bytes: Buffer): ZipEntry[] {
  const last = bytes.lastIndexOf(signature(0x06054b50));
  const entries: ZipEntry[] = [];
  let at = bytes.readUInt32LE(last + 16);
  while (entries.length < bytes.readUInt16LE(last + 10)) {
    const [name, extra, comment] = [28, 30, 32].map(field =>
      bytes.readUInt16LE(at + field),
    );
    const fields = bytes.subarray(at + 46 + name, at + 46 + name + extra);
    const entry = entryAt(bytes, at, name);
    entries.push({ ...entry, path: unicodePath(fields) ?? entry.path });
    at += 46 + name + extra + comment;
  }
  return entries;
}

/** What the Info-ZIP Unicode Path Extra Field says. */
function unicodePath(fields: Buffer): string | undefined {
  for (let at = 0; at + 4 <= fields.length;) {
    const end = at + 4 + fields.readUInt16LE(at + 2);
    if (fields.readUInt16LE(at) === 0x7075)
      return fields.toString('utf8', at + 9, end);
    at = end;
  }
  return undefined;
}

/** The Info-ZIP Unicode Path Extra Field, by which an entry of this name has another. */
export function unicodePathField(
  name: Buffer,
  path: string | Buffer,
  version = 1,
): Buffer {
  const text = Buffer.from(path);
  const head = Buffer.alloc(9);
  head.writeUInt16LE(0x7075, 0);
  head.writeUInt16LE(5 + text.length, 2);
  head.writeUInt8(version, 4);
  head.writeUInt32LE(crc32(name), 5);
  return Buffer.concat([head, text]);
}

function entryAt(bytes: Buffer, at: number, nameLength: number): ZipEntry {
  const name = bytes.subarray(at + 46, at + 46 + nameLength);
  const isUtf8 = (bytes.readUInt16LE(at + 8) & 0x0800) !== 0;
  const local = bytes.readUInt32LE(at + 42);
  const lengths = [26, 28].map(field => bytes.readUInt16LE(local + field));
  const start = local + 30 + lengths[0] + lengths[1];
  const body = bytes.subarray(start, start + bytes.readUInt32LE(at + 20));
  const isDeflated = bytes.readUInt16LE(at + 10) === 8;
  const content = isDeflated ? inflateRawSync(body) : Buffer.from(body);
  if (crc32(content) !== bytes.readUInt32LE(at + 16)) {
    throw new Error(`The checksum of ${name} is another one`);
  }
  return {
    path: name.toString(isUtf8 ? 'utf8' : 'latin1'),
    content,
    mode: bytes.readUInt32LE(at + 38) >>> 16,
  };
}

function deflate(content: Buffer): Buffer {
  const body = deflated.get(content) ?? deflateRawSync(content);
  deflated.set(content, body);
  return body;
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The fields that stand before a file and in the directory alike. */
function header(entry: ZipEntry, name: Buffer, body: Buffer): Buffer {
  const head = Buffer.alloc(26);
  head.writeUInt16LE(20, 0);
  head.writeUInt16LE(entry.name ? 0 : 0x0800, 2);
  head.writeUInt16LE(8, 4);
  head.writeUInt16LE(0x21, 8);
  head.writeUInt32LE(crc32(entry.content), 10);
  head.writeUInt32LE(body.length, 14);
  head.writeUInt32LE(entry.content.length, 18);
  head.writeUInt16LE(name.length, 22);
  return head;
}

function centralHeader(
  entry: ZipEntry,
  head: Buffer,
  name: Buffer,
  offset: number,
): Buffer {
  const version = Buffer.alloc(2);
  version.writeUInt16LE(entry.mode === undefined ? 20 : 0x0314);
  const fields = entry.fields ?? Buffer.alloc(0);
  const lengths = Buffer.alloc(2);
  lengths.writeUInt16LE(fields.length);
  const start = [signature(0x02014b50), version, head.subarray(0, 24), lengths];
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE((entry.mode ?? 0) * 0x10000, 6);
  tail.writeUInt32LE(offset, 10);
  return Buffer.concat([...start, tail, name, fields]);
}

function end(count: number, size: number, offset: number): Buffer {
  const bytes = Buffer.alloc(22);
  bytes.writeUInt32LE(0x06054b50);
  bytes.writeUInt16LE(count, 8);
  bytes.writeUInt16LE(count, 10);
  bytes.writeUInt32LE(size, 12);
  bytes.writeUInt32LE(offset, 16);
  return bytes;
}
