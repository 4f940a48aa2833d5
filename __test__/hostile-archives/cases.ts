/** Archives as nobody makes them in good faith, and what is in them. */
import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { craft, type Crafted, type Ending } from './craft';

/** A file that an archive holds: its canonical path and its content. */
export type Held = [path: string, content: Buffer];

export interface Case {
  name: string;
  bytes: Buffer;
  /** All that a reader may find in it. */
  held: Held[];
  /** Whether the names may be others: they have no checksum. */
  isMutated?: boolean;
}

const LINK = 0o120777;

/** Bytes that cannot be deflated to less, always the same. */
export function noise(length: number, seed = 'noise'): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

/** Below `d`, so that each is in the tree of that folder as well. */
const OK: Crafted = { name: 'd/ok', data: 'ok' };

function named(...names: Array<string | Buffer>): Crafted[] {
  return names.map((name, n) => ({ name, data: `content ${n}` }));
}

/** With these names they are crafted; where the second is missing, it is what is held. */
const ENTRIES: Record<string, Crafted[]> = {
  plain: [OK, { name: 'd/e/f', data: 'f' }, { name: 'g', data: 'g' }],
  'no files': [],
  'folders only': named('d/', 'd/e/', './'),
  'a folder with content': [OK, ...named('d/x/')],
  'dots in names': named('d/./a', './d/b', 'd/././././c'),
  'empty names': named('d//a', 'd////b'),
  backslashes: named('d\\a', 'd\\e\\b'),
  'a dot at the end': [OK, ...named('d/.')],
  'no name': [OK, ...named('')],
  'a name of a dot': [OK, ...named('.')],
  'two dots': [OK, ...named('../x')],
  'two dots within': [OK, ...named('d/../../x')],
  'two dots at the end': [OK, ...named('d/..')],
  'two dots behind a backslash': [OK, ...named('d\\..\\..\\x')],
  'an absolute name': [OK, ...named('/etc/x')],
  'a server': [OK, ...named('\\\\server\\share\\x')],
  'a drive': [OK, ...named('C:/x')],
  'a drive without a slash': [OK, ...named('C:x')],
  'a drive behind a dot': [OK, ...named('./C:/x')],
  'a drive below a folder': [OK, ...named('d/C:/x')],
  'a path after a folder': named('d//etc/x'),
  'a NUL': [OK, ...named('d/a\0b')],
  'control characters': named('d/a\nb', 'd/\x1b[31mc', 'd/\x07', 'd/\x7f'),
  'marks of direction': named('d/\u202eexe.txt', 'd/\u2066a'),
  devices: named('d/NUL', 'd/con', 'd/aux.txt', 'd/COM1'),
  streams: named('d/ab:c', 'd/f:g:$DATA'),
  'dots and spaces at the end': named('d/a.', 'd/b ', 'd/c...'),
  'dots of another kind': named('d/...', 'd/..a', 'd/a..', 'd/. .'),
  'the name of a folder of ours': named('.backstage-0', 'd/.backstage-0/x'),
  'what git has': named('.git/config', 'd/.git/hooks/post-checkout'),
  'a long name': [OK, ...named(`d/${'x'.repeat(256)}`)],
  'the longest name': named(`d/${'x'.repeat(255)}`),
  'a long path': [OK, ...named(`d/${'xyz/'.repeat(2000)}x`)],
  'a deep path': [OK, ...named(`d/${'x/'.repeat(300)}x`)],
  'as deep as may be': named(`d/${'x/'.repeat(250)}x`),
  'one name twice': named('d/a', 'd/a'),
  'one path twice': named('d/a', './d/a'),
  'one path by a backslash': named('d/a', 'd\\a'),
  'names that differ in case': named('d/a', 'd/A', 'd/é', 'd/É'),
  'names that differ in form': named('d/\u00e9', 'd/e\u0301'),
  'no UTF-8': named(Buffer.from('d/a\xff', 'latin1')),
  'no UTF-8, twice': named(
    Buffer.from('d/a\xff', 'latin1'),
    Buffer.from('d/a\xfe', 'latin1'),
  ),
  'half a character': named(Buffer.from('d/\xed\xa0\x80', 'latin1')),
  'a file, then a folder': named('d/a', 'd/a/b'),
  'a folder, then a file': named('d/a/b', 'd/a'),
  'a file, then a deep folder': named('d/a', 'd/a/b/c/d'),
  'a link and what is below it': [
    { name: 'd/l', data: '..', mode: LINK },
    ...named('d/l/x'),
  ],
  'a link, then a file': [
    { name: 'd/l', data: '/etc/passwd', mode: LINK },
    ...named('d/l'),
  ],
  'a file, then a link': [
    ...named('d/l'),
    { name: 'd/l', data: '../../outside', mode: LINK },
  ],
  'an encrypted content': [OK, { ...OK, name: 'd/x', flags: 0x0801 }],
  'another compression': [OK, { ...OK, name: 'd/x', method: 12 }],
  'a wrong checksum': [OK, { name: 'd/x', data: 'x', crc: 1 }],
  'a wrong checksum of a large content': [
    OK,
    { name: 'd/x', data: noise(3 * 1024 * 1024), crc: 1 },
  ],
  'a wrong checksum of a stored content': [
    OK,
    { name: 'd/x', data: noise(3 * 1024 * 1024), crc: 1, method: 0 },
  ],
  'fewer bytes than it says': [OK, { name: 'd/x', data: 'x', size: 1000 }],
  'more bytes than it says': [OK, { name: 'd/x', data: 'xyz', size: 1 }],
  'far fewer than it says': [OK, { name: 'd/x', data: 'x', size: 2 ** 31 }],
  'far more than it says': [
    OK,
    { name: 'd/x', data: Buffer.alloc(30_000_000), size: 10 },
  ],
  'a stored content of another size': [
    OK,
    { name: 'd/x', data: 'xyz', method: 0, size: 2 },
  ],
  'deflated said to be stored': [
    OK,
    { name: 'd/x', data: 'xyz', method: 0, body: deflateRawSync('xyz') },
  ],
  'stored said to be deflated': [
    OK,
    { name: 'd/x', data: 'xyz', body: Buffer.from('xyz') },
  ],
  'half of what was deflated': [
    OK,
    {
      name: 'd/x',
      data: noise(10_000),
      body: deflateRawSync(noise(10_000)).subarray(0, 5000),
    },
  ],
  'nothing of what was deflated': [
    OK,
    { name: 'd/x', data: 'xyz', body: Buffer.alloc(0) },
  ],
  'rubbish behind what was deflated': [
    OK,
    {
      name: 'd/x',
      data: 'xyz',
      body: Buffer.concat([deflateRawSync('xyz'), noise(100)]),
    },
  ],
  'what inflates to nothing': [
    OK,
    {
      name: 'd/x',
      data: '',
      body: Buffer.concat([
        Buffer.from('000000ffff'.repeat(400_000), 'hex'),
        deflateRawSync(''),
      ]),
    },
  ],
  'a bomb': [OK, { name: 'd/x', data: Buffer.alloc(50_000_000) }],
  'a content in many places': [
    { name: 'd/0', data: noise(100_000) },
    ...Array.from({ length: 20 }, (_, n) => ({
      name: `d/${n + 1}`,
      data: noise(100_000),
      at: 0,
    })),
  ],
  'a content in two places': [OK, { ...OK, name: 'd/x', at: 0 }],
  'an empty content': [OK, { name: 'd/x', data: '' }],
  'many files': Array.from({ length: 3000 }, (_, n) => ({
    name: `d/${n % 10}/${n}`,
    data: String(n),
  })),
};

const TARGETS: Array<[path: string, target: string]> = [
  ['l', '../outside'],
  ['l', '/etc/passwd'],
  ['./l', '../outside'],
  ['././././l', '../../../outside'],
  ['d/l', '../../outside'],
  ['d//l', '../../outside'],
  ['d/./l', '../../outside'],
  ['d/././.\\l', '../../../outside'],
  ['d/l', './../../outside'],
  ['d/l', '..//../outside'],
  ['d/l', 'e/../../../outside'],
  ['d/l', 'ok/../../../outside'],
  ['d/l', '..'],
  ['d/l', '.'],
  ['d/l', 'l'],
  ['d/l', ''],
  ['d/l', 'a\0b'],
  ['d/l', '..\\..\\outside'],
  ['d/l', 'C:\\x'],
  ['d/l', '../'.repeat(1300)],
  ['d/l', 'x'.repeat(5000)],
];

const ENDINGS: Record<string, Ending> = {
  'fewer entries than it says': { count: 5 },
  'more entries than it says': { count: 1 },
  'none, it says': { count: 0 },
  'something before it': { prefix: noise(1000) },
  'something behind it': { comment: noise(1000) },
};

/** Where a path leads; undefined where it names nothing inside. */
function canonical({ name }: Crafted): string | undefined {
  const text = Buffer.from(name).toString().replaceAll('\\', '/');
  if (/^\/|\0/.test(text) || /(^|\/)(\.\.|\.)?$/.test(text)) return undefined;
  const parts = text.split('/').filter(part => part !== '' && part !== '.');
  const path = parts.join('/');
  const isOutside = parts.includes('..') || /^[a-z]:/i.test(path);
  return isOutside ? undefined : path;
}

function caseOf(name: string, entries: Crafted[], ending?: Ending): Case {
  const held = entries.flatMap((entry): Held[] => {
    const path = canonical(entry);
    return path === undefined ? [] : [[path, Buffer.from(entry.data ?? '')]];
  });
  return { name, bytes: craft(entries, ending), held };
}

const THREE = [
  OK,
  { name: 'd/e/f', data: noise(300) },
  { name: 'g', data: 'g'.repeat(300), mode: 0o100755 },
];

/** What was thought of. */
export function craftedCases(): Case[] {
  const whole = caseOf('three files', THREE);
  const { length } = whole.bytes;
  const cuts = Array.from({ length: 24 }, (_, n) =>
    Math.floor((length * n) / 24),
  );
  return [
    ...Object.entries(ENTRIES).map(([name, all]) => caseOf(name, all)),
    ...TARGETS.map(([name, data]) =>
      caseOf(`a link from ${name} to ${data.slice(0, 40)}`, [
        OK,
        { name, data, mode: LINK },
      ]),
    ),
    ...Object.entries(ENDINGS).map(([name, end]) => caseOf(name, THREE, end)),
    ...cuts.map(at => ({
      ...whole,
      name: `the first ${at} bytes`,
      bytes: whole.bytes.subarray(0, at),
    })),
    { name: 'rubbish', bytes: noise(10_000), held: [] },
    { name: 'zeros', bytes: Buffer.alloc(10_000), held: [] },
    {
      ...whole,
      name: 'twice the same',
      bytes: Buffer.concat([whole.bytes, whole.bytes]),
    },
  ];
}

/** The same archives with a few bytes changed: the numbers choose where, and to what. */
export function mutatedCase(seed: number): Case {
  const base = caseOf(`mutation ${seed}`, [
    ...THREE,
    { name: 'd/l', data: 'ok', mode: LINK },
  ]);
  const chance = noise(64, `mutation ${seed}`);
  const bytes = Buffer.from(base.bytes);
  for (let n = 0; n <= chance[0] % 4; n += 1) {
    const at = chance.readUInt32LE(4 + n * 8) % bytes.length;
    bytes[at] = chance[8 + n * 8];
  }
  return { ...base, bytes, isMutated: true };
}
