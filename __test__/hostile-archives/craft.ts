import { crc32, deflateRawSync } from 'node:zlib';

/** An entry as a zip may have it that nobody made in good faith. */
export interface Crafted {
  name: string | Buffer;
  data?: string | Buffer;
  /** The mode of Unix. */
  mode?: number;
  /** What stands in the zip in the place of the deflated data. */
  body?: Buffer;
  method?: number;
  flags?: number;
  /** What is said of the data, and is not so. */
  crc?: number;
  size?: number;
  /** The entry whose place in the zip it says it has. */
  at?: number;
}

/** What is said of a zip as a whole, and is not so. */
export interface Ending {
  count?: number;
  prefix?: Buffer;
  comment?: Buffer;
}

const UTF_8 = 0x0800;
const UNIX = 0x0314;

/** Makes a zip of whatever is said. */
export function craft(entries: Crafted[], ending: Ending = {}): Buffer {
  const prefix = ending.prefix ?? Buffer.alloc(0);
  const made = entries.map(fields);
  const offsets: number[] = [];
  const files: Buffer[] = [prefix];
  let offset = prefix.length;
  for (const { at, name, head, body } of made) {
    offsets.push(at === undefined ? offset : offsets[at]);
    if (at !== undefined) continue;
    const file = Buffer.concat([u32(0x04034b50), head, u16(0), name, body]);
    files.push(file);
    offset += file.length;
  }
  const directory = made.map(({ head, name, mode }, index) =>
    Buffer.concat([
      ...[u32(0x02014b50), u16(UNIX), head, u16(0)],
      ...[u16(0), u16(0), u16(0), u32(mode * 0x10000), u32(offsets[index])],
      name,
    ]),
  );
  const central = Buffer.concat(directory);
  const count = u16(ending.count ?? entries.length);
  const comment = ending.comment ?? Buffer.alloc(0);
  return Buffer.concat([
    ...files,
    central,
    ...[u32(0x06054b50), u16(0), u16(0), count, count],
    ...[u32(central.length), u32(offset), u16(comment.length), comment],
  ]);
}

/** What stands before a file, up to its name, and in the directory alike. */
function fields(entry: Crafted) {
  const data = Buffer.from(entry.data ?? '');
  const name = Buffer.from(entry.name);
  const method = entry.method ?? 8;
  const body = entry.body ?? (method === 8 ? deflateRawSync(data) : data);
  const head = Buffer.concat([
    ...[u16(20), u16(entry.flags ?? UTF_8), u16(method), u16(0), u16(0x21)],
    ...[u32(entry.crc ?? crc32(data)), u32(body.length)],
    ...[u32(entry.size ?? data.length), u16(name.length)],
  ]);
  return { at: entry.at, name, head, body, mode: entry.mode ?? 0o100644 };
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value % 0x10000);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value % 2 ** 32);
  return bytes;
}
