// Zips of many files, as Azure DevOps sends them for a tree.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { text } from '../../testing/measuring/text.mjs';

/** How many contents there are, of which each file has one: a gigabyte of different ones takes a minute to make. */
const CONTENTS = 64;

const FIRST = Buffer.from('PK');

/** The name of a zip of so many files of so many MiB together. */
export function zipName({ files, mebibytes }) {
  return `t${files}-${mebibytes}`;
}

/** Makes a zip in a folder, unless it is there. */
export function makeZip(folder, zip) {
  const file = path.join(folder, `${zipName(zip)}.zip`);
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true });
  const size = Math.ceil((zip.mebibytes * 2 ** 20) / zip.files);
  const contents = Array.from(
    { length: Math.min(CONTENTS, zip.files) },
    (_, n) => packed(Buffer.from(text(n, size))),
  );
  const output = openSync(`${file}.part`, 'w');
  for (const piece of pieces(names(zip.files), contents))
    writeSync(output, piece);
  closeSync(output);
  renameSync(`${file}.part`, file);
}

/** A zip with empty files of these names. */
export function zipOfNames(all) {
  return Buffer.concat([...pieces(all, [packed(Buffer.alloc(0))])]);
}

function names(count) {
  return Array.from(
    { length: count },
    (_, n) => `repo/services/s${n % 1000}/src/${n}.ts`,
  );
}

function packed(content) {
  const data = deflateRawSync(content, { level: 6 });
  return { crc: crc32(content), data, size: content.length };
}

/** The files one after the other, then the directory, whose end says in 64 bits how many there are. */
function* pieces(all, contents) {
  const central = [];
  let offset = 0;
  for (const [n, name] of all.entries()) {
    const file = { name: Buffer.from(name), ...contents[n % contents.length] };
    const head = localHead(file);
    yield Buffer.concat([head, file.name, file.data]);
    central.push(centralHead(file, offset), file.name);
    offset += head.length + file.name.length + file.data.length;
  }
  const directory = Buffer.concat(central);
  yield directory;
  yield end(all.length, directory.length, offset);
}

function localHead(file) {
  const head = Buffer.alloc(30);
  FIRST.copy(head);
  head.writeUInt16LE(0x0403, 2);
  writeCommon(head, 4, file);
  return head;
}

function centralHead(file, offset) {
  const head = Buffer.alloc(46);
  FIRST.copy(head);
  head.writeUInt16LE(0x0201, 2);
  head.writeUInt16LE(20, 4);
  writeCommon(head, 6, file);
  head.writeUInt32LE(offset, 42);
  return head;
}

/** What both heads say alike: version, method, sums and sizes. */
function writeCommon(head, at, { name, crc, data, size }) {
  head.writeUInt16LE(20, at);
  head.writeUInt16LE(8, at + 4);
  head.writeUInt32LE(crc, at + 10);
  head.writeUInt32LE(data.length, at + 14);
  head.writeUInt32LE(size, at + 18);
  head.writeUInt16LE(name.length, at + 22);
}

function end(count, length, offset) {
  const bytes = Buffer.alloc(98);
  bytes.writeUInt32LE(0x06064b50, 0);
  bytes.writeBigUInt64LE(44n, 4);
  bytes.writeUInt16LE(45, 12);
  bytes.writeUInt16LE(45, 14);
  bytes.writeBigUInt64LE(BigInt(count), 24);
  bytes.writeBigUInt64LE(BigInt(count), 32);
  bytes.writeBigUInt64LE(BigInt(length), 40);
  bytes.writeBigUInt64LE(BigInt(offset), 48);
  bytes.writeUInt32LE(0x07064b50, 56);
  bytes.writeBigUInt64LE(BigInt(offset + length), 64);
  bytes.writeUInt32LE(1, 72);
  bytes.writeUInt32LE(0x06054b50, 76);
  bytes.fill(0xff, 84, 96);
  return bytes;
}
