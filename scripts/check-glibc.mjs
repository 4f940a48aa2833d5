// Checks that an addon asks for no glibc symbol newer than 2.17, so that it loads on every Linux that Node itself runs on; reads the ELF file by itself.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { fail } from './lib/commands.mjs';

export const oldestGlibc = '2.17';

const SHT_GNU_VERNEED = 0x6ffffffe;

/** Fails unless the addon runs with the oldest glibc that is supported. */
export function checkGlibc(file) {
  const versions = requiredGlibcVersions(readFileSync(file));
  const tooNew = versions.filter(version => !runsWithOldest(version));
  if (versions.length === 0) {
    fail(`${file} names no glibc version: was it linked against glibc?`);
  }
  if (tooNew.length > 0) {
    fail(
      `${file} needs ${tooNew.join(', ')}; at most ${oldestGlibc} is allowed`,
    );
  }
  console.log(
    `${file} needs no more than ${oldestGlibc}: ${versions.join(', ')}`,
  );
}

function runsWithOldest(version) {
  const numbers = version.match(/^GLIBC_(\d+)\.(\d+)(?:\.\d+)?$/);
  const [major, minor] = oldestGlibc.split('.').map(Number);
  // A name without numbers (GLIBC_ABI_DT_RELR) is a feature of later releases.
  return !!numbers && +numbers[1] === major && +numbers[2] <= minor;
}

/** The names `GLIBC_…` in the version needs of a 64-bit little-endian ELF file. */
export function requiredGlibcVersions(elf) {
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) {
    fail('not a 64-bit little-endian ELF file');
  }
  const sections = readSections(elf);
  const needs = sections.find(section => section.type === SHT_GNU_VERNEED);
  if (!needs) {
    return [];
  }
  const strings = sections[needs.link].offset;
  const names = readVersionNames(elf, needs.offset, strings);
  return [...new Set(names)]
    .filter(name => name.startsWith('GLIBC_'))
    .sort(new Intl.Collator('en', { numeric: true }).compare);
}

function readSections(elf) {
  const table = Number(elf.readBigUInt64LE(0x28));
  const entrySize = elf.readUInt16LE(0x3a);
  const count = elf.readUInt16LE(0x3c);
  return Array.from({ length: count }, (_, index) => {
    const header = table + index * entrySize;
    return {
      type: elf.readUInt32LE(header + 0x04),
      offset: Number(elf.readBigUInt64LE(header + 0x18)),
      link: elf.readUInt32LE(header + 0x28),
    };
  });
}

/** Walks the list of libraries (Verneed) and of the versions of each (Vernaux). */
function readVersionNames(elf, start, strings) {
  return chain(elf, start, 0x0c).flatMap(library =>
    chain(elf, library + elf.readUInt32LE(library + 0x08), 0x0c).map(version =>
      readString(elf, strings + elf.readUInt32LE(version + 0x08)),
    ),
  );
}

/** The offsets of a linked list whose elements say how far the next one is. */
function chain(elf, first, nextField) {
  const offsets = [first];
  for (;;) {
    const last = offsets[offsets.length - 1];
    const next = elf.readUInt32LE(last + nextField);
    if (next === 0) {
      return offsets;
    }
    offsets.push(last + next);
  }
}

function readString(elf, offset) {
  return elf.toString('latin1', offset, elf.indexOf(0, offset));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.argv.slice(2).forEach(checkGlibc);
}
