// Writes crafted zips into a folder, one a file, for the fuzzer to begin with: `tsx archive-seeds.ts FOLDER`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  unicodePathField,
  zip,
  type ZipEntry,
} from '../../testing/azure-devops/zip';

const LINK = 0o120777;
const FILE = 0o100644;

const entry = (name: string, content = 'content', mode = FILE): ZipEntry => ({
  path: name,
  content: Buffer.from(content),
  mode,
});

const link = (name: string, target: string) => entry(name, target, LINK);

const cut = (bytes: Buffer, by: number) => bytes.subarray(0, bytes.length - by);

const plain = zip([
  entry('README.md'),
  entry('docs/index.md', 'docs\n'.repeat(50)),
]);

const SEEDS: Record<string, Buffer> = {
  empty: zip([]),
  plain,
  executable: zip([entry('run.sh', '#!/bin/sh\n', 0o100755)]),
  'link-inside': zip([entry('a/b', 'b'), link('a/l', 'b'), link('m', 'a/l')]),
  'link-outside': zip([link('l', '../../../etc/passwd'), entry('l/x')]),
  'link-of-dots': zip([link('././././l', '../../../../etc/passwd')]),
  'link-of-slashes': zip([link('p/////l', '../../../../etc/passwd')]),
  'link-then-file': zip([link('d', '/tmp'), entry('d/x')]),
  absolute: zip([entry('/etc/x'), entry('C:/x'), entry('sub//etc/x')]),
  upwards: zip([entry('../x'), entry('a/../../x'), entry('a\\..\\..\\x')]),
  twice: zip([entry('a', '1'), entry('a', '2'), entry('A', '3')]),
  'file-and-folder': zip([entry('a'), entry('a/b'), entry('a/b/c')]),
  deep: zip([entry(`${'a/'.repeat(300)}f`), entry(`${'b'.repeat(300)}/f`)]),
  zeros: zip([entry('zeros', '\0'.repeat(1_000_000))]),
  names: zip([
    { ...entry('a'), name: Buffer.from([0x61, 0xff]) },
    { ...entry('b'), name: Buffer.from([0x61, 0xfe]) },
    {
      ...entry('c'),
      name: Buffer.from('plain'),
      fields: unicodePathField(Buffer.from('plain'), 'ünï/cødé'),
    },
  ]),
  'cut-short': cut(plain, 30),
  'without-directory': cut(plain, 120),
  'bytes-before': Buffer.concat([Buffer.from('before'), plain]),
  'two-ends': Buffer.concat([plain, zip([entry('other')])]),
};

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const [name, bytes] of Object.entries(SEEDS)) {
  writeFileSync(path.join(folder, name), bytes);
}
