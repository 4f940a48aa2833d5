import type { UrlReaderServiceReadTreeResponse } from '@backstage/backend-plugin-api';
import {
  AzureUrlReader,
  type AzureDevOpsCredentialsProvider,
} from 'backstage-azure-devops-native';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { lstat, mkdir, readFile, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { DEFAULT_TOKEN, standIn, type Hosted } from '../testing/azure-devops';
import {
  unicodePathField,
  unzip,
  zip,
  type ZipEntry,
} from '../testing/azure-devops/zip';
import { limitCache, NOTHING } from '../testing/limits';
import { namedElsewhere } from '../testing/namedElsewhere';
import { until } from '../testing/until';
import { upstreamFactory } from '../testing/upstreamFactory';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { reader, upstreamReader } from '../testing/reader';
import { contentsOf } from '../testing/contentsOf';

const azure = standIn();
const HOSTS = ['server', 'dev.azure.com'] as const;

const FILES = {
  'README.md': 'read me\n',
  '.hidden/.file': 'dot',
  'docs/index.md': '# Docs\n',
  'docs/deep/er/and/deeper.md': 'deep',
  'docs/ünï cødé/ß.md': 'unicode',
  'docs/empty': '',
  'docs/large.bin': Buffer.alloc(9 * 1024 * 1024, 'large '),
  'docs/noise.bin': Buffer.from(
    Array.from({ length: 100_000 }, (_, n) => (n * n * 31) % 251),
  ),
  'docs2/other.md': 'other',
  "docs/it's $ome 'odd' #name & more;.txt": 'odd',
};

let hosted: Hosted;
let workingDirectory: string;

beforeAll(async () => {
  limitCache(NOTHING);
  hosted = await azure.addRepository({
    organization: 'read-tree',
    project: 'p',
    repository: 'r',
    files: FILES,
  });
  await hosted.git.tag('v1');
});

beforeEach(() => {
  azure.reset();
  workingDirectory = temporaryFolder('read-tree');
});

describe.each(HOSTS)('a tree at %s', at => {
  it.each([undefined, '/', '/docs', '/docs/deep'])(
    'below %s has the files that upstream finds',
    async folder => {
      const url = hosted.webUrl({ path: folder, at });
      const filter = (name: string) => !name.endsWith('empty');
      for (const options of [{}, { filter }]) {
        const ours = await readerOf(url).readTree(url, options);
        const theirs = await upstreamOf(url).readTree(url, options);
        expect(ours.etag).toBe(theirs.etag);
        const files = await ours.files();
        const expected = await await theirs.files().catch(() => undefined);
        expect(files.map(file => file.path)).toEqual(
          expected?.map(file => file.path),
        );
        await expectContents(files, folder);
      }
    },
  );

  it('is refused where it is a file', async () => {
    const url = hosted.webUrl({ path: '/docs/index.md', at });
    const refusal = {
      name: 'InputError',
      message: expect.stringMatching(
        /^Failed to read tree from .*, it is a file and not a folder/,
      ),
    };
    for (const use of ['files', 'dir', 'archive'] as const) {
      const tree = await readerOf(url).readTree(url);
      await expect(tree[use]()).rejects.toMatchObject(refusal);
    }
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('becomes the folder that upstream makes of it', async () => {
    const url = hosted.webUrl({ path: '/docs', at });
    const ours = await (await readerOf(url).readTree(url)).dir();
    const theirs = await (await upstreamOf(url).readTree(url)).dir();
    expect(path.dirname(ours)).toBe(workingDirectory);
    expect(await contentsOf(ours)).toEqual(await contentsOf(theirs));
    expect(readdirSync(workingDirectory)).toHaveLength(2);
  });

  it('becomes a zip of the folder, which upstream can read', async () => {
    const url = hosted.webUrl({ path: '/docs', at });
    const filter = (name: string) => name.endsWith('.md');
    const tree = await readerOf(url).readTree(url, { filter });
    const bytes = await buffer(await tree.archive());
    const files = await unzipped(bytes);
    expect(Object.keys(files).sort()).toEqual([
      'deep/er/and/deeper.md',
      'index.md',
      'ünï cødé/ß.md',
    ]);
    expect(files['index.md'].toString()).toBe('# Docs\n');
  });

  it('becomes a zip of the folder, in which links are files', async () => {
    const link = { content: '../../../etc/passwd', mode: 0o120777 };
    const url = await served(
      [
        { path: 'docs/out', ...link },
        { path: 'docs/long', content: 'long/'.repeat(900), mode: 0o120777 },
        { path: 'docs/run', content: 'run', mode: 0o100755 },
      ],
      undefined,
      { at, path: '/docs' },
    );
    const tree = await readerOf(url).readTree(url);
    const entries = unzip(await buffer(await tree.archive()));
    const modes = entries.map(({ path: name, mode }) => [name, mode]);
    expect(Object.fromEntries(modes)).toEqual({
      out: 0o100644,
      long: 0o100644,
      run: 0o100755,
    });
  });

  it.each([
    ['made on DOS', 0, 0],
    ['of a file that is read-only on Windows', 10, 0x21],
    ['made on Unix, with no modes', 3, 0],
    ['made on Unix, with no permissions', 3, 0o100000 * 0x10000],
    ['of what is no file on Unix', 3, 0o010755 * 0x10000],
    ['made on a system that is not known', 99, 0],
    ['made on Windows, of a file that OneDrive keeps', 0, 0x00080020],
  ])(
    'becomes a zip of plain files from one %s',
    async (_what, system, attributes) => {
      const url = await served(
        [{ path: 'docs/a', content: 'a' }],
        bytes =>
          eachRecord(bytes, place => {
            bytes.writeUInt8(system, place + 5);
            bytes.writeUInt32LE(attributes, place + 38);
          }),
        { at, path: '/docs' },
      );
      const archive = await (await readerOf(url).readTree(url)).archive();
      const [entry] = unzip(await buffer(archive));
      expect(entry).toMatchObject({ path: 'a', mode: 0o100644 });
      const dir = await (await readerOf(url).readTree(url)).dir();
      const { mode } = await lstat(path.join(dir, 'a'));
      expect(mode & 0o111).toBe(0);
      expect(await contentsOf(dir)).toEqual({ a: 'a' });
    },
  );

  it.each([
    ['as Unix says it', 3, 0o100755],
    ['without saying that it is a file', 3, 0o755],
    ['as DOS says it of files from Unix', 0, 0o100755],
  ])(
    'becomes a zip in which a file may be executed, %s',
    async (_what, system, mode) => {
      const url = await served(
        [{ path: 'docs/run', content: 'run', mode }],
        bytes =>
          eachRecord(bytes, place => bytes.writeUInt8(system, place + 5)),
        { at, path: '/docs' },
      );
      const archive = await (await readerOf(url).readTree(url)).archive();
      const [entry] = unzip(await buffer(archive));
      expect(entry).toMatchObject({ path: 'run', mode: 0o100755 });
      const dir = await (await readerOf(url).readTree(url)).dir();
      const { mode: own } = await lstat(path.join(dir, 'run'));
      expect(own & 0o111).not.toBe(0);
    },
  );

  it('becomes the zip that Azure DevOps sends, without a folder', async () => {
    const url = hosted.webUrl({ at });
    const tree = await readerOf(url).readTree(url, { filter: () => false });
    const files = await unzipped(await buffer(await tree.archive()));
    expect(Object.keys(files).sort()).toEqual(Object.keys(FILES).sort());
  });

  it('is read at its tag, at one commit, and not again', async () => {
    const url = hosted.webUrl({ at, version: 'GTv1' });
    const { etag } = await readerOf(url).readTree(url);
    expect(etag).toMatch(/^[0-9a-f]{40}$/);
    const [commits, archive] = azure.requests.map(request => request.url);
    expect(commits).toContain('searchCriteria.%24top=1');
    expect(archive).toContain(`version=${etag}`);
    azure.clearRequests();
    await expect(readerOf(url).readTree(url, { etag })).rejects.toMatchObject({
      name: 'NotModifiedError',
    });
    expect(azure.requests).toHaveLength(1);
  });

  it('is read once', async () => {
    const url = hosted.webUrl({ path: '/docs2', at });
    const tree = await readerOf(url).readTree(url);
    await tree.files();
    for (const again of [
      () => tree.files(),
      () => tree.dir(),
      () => tree.archive(),
    ]) {
      await expect(again()).rejects.toThrow('Response has already been read');
    }
  });
});

describe('a tree on disk', () => {
  it('has executable files, and links that stay inside', async () => {
    const url = await served([
      { path: 'bin/run', content: '#!/bin/sh\n', mode: 0o100755 },
      { path: 'bin/data', content: 'data', mode: 0o100644 },
      { path: 'bin/again', content: 'run', mode: 0o120000 },
      { path: 'up', content: 'bin/../bin/run', mode: 0o120000 },
      { path: 'out', content: '../../etc/passwd', mode: 0o120000 },
      { path: 'absolute', content: '/etc/passwd', mode: 0o120000 },
    ]);
    const dir = await (await readerOf(url).readTree(url)).dir();
    const mode = async (name: string) =>
      (await lstat(path.join(dir, name))).mode & 0o111;
    expect(await mode('bin/run')).not.toBe(0);
    expect(await mode('bin/data')).toBe(0);
    expect(await readlink(path.join(dir, 'bin/again'))).toBe('run');
    for (const name of ['up', 'out', 'absolute']) {
      expect((await lstat(path.join(dir, name))).isFile()).toBe(true);
    }
  });

  it('has executable files and links of a zip that was made elsewhere', async () => {
    const url = await served(
      [
        { path: 'run', content: '#!/bin/sh\n', mode: 0o100755 },
        { path: 'link', content: 'run', mode: 0o120777 },
      ],
      // Both say that they were made on DOS.
      bytes => eachRecord(bytes, at => bytes.writeUInt8(0, at + 5)),
    );
    const dir = await (await readerOf(url).readTree(url)).dir();
    expect((await lstat(path.join(dir, 'run'))).mode & 0o111).not.toBe(0);
    expect(await readlink(path.join(dir, 'link'))).toBe('run');
  });

  it('is not made where the filter keeps nothing', async () => {
    const targetDir = path.join(workingDirectory, 'target');
    const url = hosted.webUrl();
    const filter = () => false;
    for (const reader of [readerOf(url), upstreamOf(url)]) {
      const tree = await reader.readTree(url, { filter });
      expect(await tree.dir({ targetDir })).toBe(targetDir);
      expect(readdirSync(workingDirectory)).toEqual([]);
    }
  });

  it('leads nowhere else, whatever lies there already', async () => {
    const outside = temporaryFolder('outside');
    const targetDir = path.join(workingDirectory, 'target');
    await mkdir(targetDir);
    symlinkSync(outside, path.join(targetDir, 'docs'));
    const url = await served([{ path: 'docs/a', content: 'a' }]);
    const tree = await readerOf(url).readTree(url);
    await tree.dir({ targetDir });
    expect(readdirSync(outside)).toEqual([]);
    expect(await contentsOf(targetDir)).toEqual({ 'docs/a': 'a' });
  });

  it('leads nowhere else by links of another time', async () => {
    const targetDir = path.join(workingDirectory, 'target');
    const link = { mode: 0o120000 };
    for (const entries of [
      [{ path: 'x', content: '.', ...link }],
      [{ path: 'x/y/out', content: '../../secret', ...link }],
    ]) {
      const url = await served(entries);
      await (await readerOf(url).readTree(url)).dir({ targetDir });
    }
    await writeFile(path.join(workingDirectory, 'secret'), 'secret');
    const out = path.join(targetDir, 'x', 'y', 'out');
    await expect(readFile(out, 'utf8')).rejects.toThrow('ENOENT');
  });

  it('is as the archive says, whatever was there before', async () => {
    const targetDir = path.join(workingDirectory, 'target');
    for (const entries of [
      [
        { path: 'a', content: 'b', mode: 0o120000 },
        { path: 'b', content: 'b', mode: 0o100644 },
      ],
      [
        { path: 'a', content: 'a', mode: 0o100644 },
        { path: 'b', content: 'b', mode: 0o100755 },
      ],
    ]) {
      const url = await served(entries);
      await (await readerOf(url).readTree(url)).dir({ targetDir });
    }
    expect(await contentsOf(targetDir)).toEqual({ a: 'a', b: 'b' });
    const { mode } = await lstat(path.join(targetDir, 'b'));
    expect(mode & 0o111).not.toBe(0);
  });

  it('has the last of two files with one name', async () => {
    const entries = ['first', 'second, which is longer', 'third'].map(
      content => ({ path: 'a', content }),
    );
    const url = await served(entries);
    const dir = await (await readerOf(url).readTree(url)).dir();
    expect(await contentsOf(dir)).toEqual({ a: 'third' });
  });

  it('goes to the folder that is asked for, over what is there', async () => {
    const targetDir = path.join(workingDirectory, 'a', 'b');
    await mkdir(targetDir, { recursive: true });
    await writeFile(path.join(targetDir, 'other.md'), 'longer than before');
    const url = hosted.webUrl({ path: '/docs2' });
    const tree = await readerOf(url).readTree(url);
    expect(await tree.dir({ targetDir })).toBe(targetDir);
    expect(await contentsOf(targetDir)).toEqual({ 'other.md': 'other' });
  });
});

describe('the names in an archive that was made elsewhere', () => {
  const named = (name: string | Buffer, path: string | Buffer) => ({
    path: String(name),
    content: String(path),
    name: Buffer.from(name),
    fields: unicodePathField(Buffer.from(name), path),
  });

  it('are those in UTF-8 that it has beside others', async () => {
    const entries = [
      named('docs/?.md', 'docs/ß.md'),
      named('?/b', 'docs/ü/한.md'),
      named('docs/x', 'other/x'),
      named('docs/gone', 'docs/folder/'),
      {
        path: 'docs/plain',
        content: 'docs/plain',
        name: Buffer.from('docs/plain'),
      },
    ];
    const url = await served(entries, undefined, { path: '/docs' });
    const expected = {
      'ß.md': 'docs/ß.md',
      'ü/한.md': 'docs/ü/한.md',
      plain: 'docs/plain',
    };
    const names = Object.keys(expected);
    const filter = jest.fn(() => true);
    const files = await (await readerOf(url).readTree(url, { filter })).files();
    expect(files.map(file => file.path)).toEqual(names);
    expect(filter.mock.calls.map(([name]: unknown[]) => name)).toEqual(names);
    const dir = await (await readerOf(url).readTree(url)).dir();
    expect(await contentsOf(dir)).toEqual(
      Object.fromEntries(
        Object.entries(expected).map(([name, text]) => [
          name,
          Buffer.from(text).toString('latin1'),
        ]),
      ),
    );
    const archive = await (await readerOf(url).readTree(url)).archive();
    const packed = unzip(await buffer(archive));
    expect(packed.map(({ path: name }) => name)).toEqual(names);
  });

  it.each(['ü/a:ß', 'ü:\x01', 'ü', 'a'])(
    'stay what they are when the zip of a folder is read again: %j',
    async name => {
      const entry = named('docs/?', `docs/${name}`);
      const url = await served([entry], undefined, { path: '/docs' });
      const archive = await (await readerOf(url).readTree(url)).archive();
      const again = await servedBytes(await buffer(archive));
      for (const reader of [readerOf(again), upstreamOf(again)]) {
        expect(await namesOrRefusal(reader, again)).toEqual([name]);
      }
    },
  );

  it.each(['../evil', '/etc/evil', 'docs/../../evil', 'c:\\evil', '..\\evil'])(
    'do not lead outside as %s',
    async name => {
      const url = await served([named('fine', name)]);
      for (const reader of [readerOf(url), upstreamOf(url)]) {
        const tree = await reader.readTree(url);
        await expect(tree.dir()).rejects.toThrow(/path/);
      }
      expect(filesBelow(workingDirectory).join()).not.toContain('evil');
    },
  );

  it('do not count where others take their place', async () => {
    const url = await served([named('../evil', 'fine')]);
    const dir = await (await readerOf(url).readTree(url)).dir();
    expect(await contentsOf(dir)).toEqual({ fine: 'fine' });
  });

  it('are one where it is the same in the end', async () => {
    const url = await served([
      { path: 'ß', content: 'first' },
      { ...named('?', 'ß'), content: 'last' },
    ]);
    const dir = await (await readerOf(url).readTree(url)).dir();
    expect(await readFile(path.join(dir, 'ß'), 'utf8')).toBe('last');
  });

  it.each([
    ['of another version', unicodePathField(Buffer.from('a'), 'b', 2)],
    ['of another name', unicodePathField(Buffer.from('A'), 'b')],
    ['that is empty', unicodePathField(Buffer.from('a'), '')],
    [
      'that is no UTF-8',
      unicodePathField(Buffer.from('a'), Buffer.from([0xff, 0x62])),
    ],
    ['that is too short', Buffer.from([0x75, 0x70, 3, 0, 1, 2, 3])],
    ['that is cut off', unicodePathField(Buffer.from('a'), 'b').subarray(0, 9)],
    ['that has not even a length', Buffer.from([0x75])],
    [
      'behind one that is cut off',
      Buffer.concat([
        Buffer.from([1, 2, 255, 0]),
        unicodePathField(Buffer.from('a'), 'b'),
      ]),
    ],
  ])('are not those of a field %s', async (_what, fields) => {
    const name = Buffer.from('a');
    const url = await served([{ path: 'a', content: 'a', name, fields }]);
    const files = await (await readerOf(url).readTree(url)).files();
    expect(files.map(file => file.path)).toEqual(['a']);
  });

  it('are those that upstream finds', async () => {
    const property = fc.asyncProperty(namedElsewhere, async entry => {
      // A name that is one dot would be the folder itself, and is refused here.
      fc.pre(String(entry.name ?? entry.path) !== '.');
      const url = await servedBytes(zip([entry]));
      const [here, there] = [readerOf(url), upstreamOf(url)];
      expect(await namesOrRefusal(here, url)).toEqual(
        await namesOrRefusal(there, url),
      );
    });
    await fc.assert(property, { numRuns: 60 });
  }, 60_000);
});

describe('an archive that is not as it should be', () => {
  const good = { path: 'a.txt', content: 'a'.repeat(1000) };

  it.each([
    [
      'leads outside',
      [good, { path: '../evil', content: 'x' }],
      /leads outside: \.\.\/evil/,
    ],
    [
      'is absolute',
      [{ path: '/etc/evil', content: 'x' }],
      /absolute path: \/etc\/evil/,
    ],
  ])('because it %s is refused whole', async (_what, entries, message) => {
    const url = await served(entries);
    const tree = await readerOf(url).readTree(url);
    await expect(tree.dir()).rejects.toThrow(message);
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it.each([
    ['has less room than its entries take', [good, good], 0],
    ['ends before an entry does', [good], 1 << 30],
  ])('because it %s is told', async (_what, entries, more) => {
    const url = await served(entries, bytes => {
      const directory = bytes.readUInt32LE(bytes.length - 6);
      // The second entry is where the first is; or the only one is larger than it says.
      if (more) bytes.writeUInt32LE(more, directory + 20);
      return more ? bytes : overlapping(bytes, directory);
    });
    const tree = await readerOf(url).readTree(url);
    await expect(tree.files()).rejects.toThrow(
      /archive is damaged: a\.txt is larger than there is room for/,
    );
  });

  it.each([
    ['no zip', (bytes: Buffer) => Buffer.from(`PK${bytes.length}`)],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 10)],
    ['empty', () => Buffer.alloc(0)],
  ])('because it is %s is told', async (_what, damage) => {
    const url = await served([good], damage);
    const tree = await readerOf(url).readTree(url);
    await expect(tree.files()).rejects.toThrow(
      /^Failed to read tree from .*the archive is damaged/,
    );
  });

  it('because it has not as many entries as it says is told', async () => {
    for (const count of [1, 3]) {
      const url = await served([good, { ...good, path: 'b' }], bytes => {
        bytes.writeUInt16LE(count, bytes.length - 12);
        bytes.writeUInt16LE(count, bytes.length - 14);
        return bytes;
      });
      const tree = await readerOf(url).readTree(url);
      await expect(tree.files()).rejects.toThrow(
        new RegExp(`archive is damaged: it has 2 entries, and says ${count}`),
      );
    }
  });

  it.each([
    ['encrypted', 8, 0x0801, 'is encrypted'],
    ['compressed in another way', 10, 12, 'is compressed with'],
  ])(
    'because of a file that is %s is told to who wants that file',
    async (_what, field, value, message) => {
      const entries = [good, { path: 'b.txt', content: 'b' }];
      const url = await served(entries, bytes => {
        let isFirst = true;
        return eachRecord(bytes, at => {
          if (isFirst) bytes.writeUInt16LE(value, at + field);
          isFirst = false;
        });
      });
      const filter = (name: string) => name === 'b.txt';
      const some = await readerOf(url).readTree(url, { filter });
      expect(await contentsOf(await some.dir())).toEqual({ 'b.txt': 'b' });
      const all = await readerOf(url).readTree(url);
      await expect(all.dir()).rejects.toThrow(`a.txt ${message}`);
    },
  );

  it('because a content is damaged is told when it is read', async () => {
    const url = await served([good], bytes => {
      bytes[45] ^= 0xff;
      return bytes;
    });
    const [file] = await (await readerOf(url).readTree(url)).files();
    await expect(file.content()).rejects.toThrow(/archive is damaged: a\.txt/);
    const tree = await readerOf(url).readTree(url);
    await expect(tree.dir()).rejects.toThrow(/archive is damaged: a\.txt/);
    // Nobody would learn of a folder that was made for it.
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('is a sign-in page', async () => {
    const url = hosted.webUrl();
    azure.misbehave({
      match: request => /format=zip|items/.test(request.url),
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8' },
      body: '<html>Sign in</html>',
    });
    await expect(readerOf(url).readTree(url)).rejects.toMatchObject({
      name: 'AuthenticationError',
      message: expect.stringMatching(
        /^Failed to read tree from .*, 200 OK.*page \(HTML\) in place of an archive.*personal access token/,
      ),
    });
  });
});

describe('a tree that is not there', () => {
  it('is not found, as upstream says it', async () => {
    const url = hosted.webUrl({ version: 'GBnone' });
    const theirs = await upstreamOf(url)
      .readTree(url)
      .catch(error => error);
    await expect(readerOf(url).readTree(url)).rejects.toMatchObject({
      name: 'NotFoundError',
      message: expect.stringMatching(
        new RegExp(
          `^${escaped(theirs.message)}\\. It was asked for as .*\\. Azure DevOps said: TF`,
        ),
      ),
    });
  });

  it('of an empty repository is told', async () => {
    const empty = await azure.addRepository({
      organization: 'read-tree',
      project: 'p',
      repository: 'empty',
    });
    azure.misbehave({
      match: request => request.url.includes('/commits'),
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"count":0,"value":[]}',
    });
    const url = empty.webUrl();
    await expect(readerOf(url).readTree(url)).rejects.toMatchObject({
      name: 'NotFoundError',
      message: expect.stringContaining('the repository has no commits'),
    });
  });
});

describe('reading a tree', () => {
  it('ends when a filter throws, with what it threw', async () => {
    const url = hosted.webUrl();
    const filter = () => {
      throw new RangeError('no');
    };
    for (const use of ['files', 'dir'] as const) {
      const tree = await readerOf(url).readTree(url, { filter });
      await expect(tree[use]()).rejects.toThrow(RangeError);
    }
  });

  it('asks the filter with paths and sizes', async () => {
    const url = hosted.webUrl({ path: '/docs2' });
    const filter = jest.fn(() => true);
    const tree = await readerOf(url).readTree(url, { filter });
    await tree.dir();
    expect(filter.mock.calls).toEqual([['other.md', { size: 5 }]]);
  });

  it.each(['commits', 'items'])(
    'ends with its signal while %s is asked for',
    async part => {
      azure.misbehave({
        match: request => request.url.includes(`/${part}`),
        delayMs: 5_000,
      });
      const url = hosted.webUrl();
      const signal = AbortSignal.timeout(200);
      await expect(readerOf(url).readTree(url, { signal })).rejects.toThrow(
        expect.objectContaining({ name: 'TimeoutError' }),
      );
    },
  );

  it('ends with its signal while the archive comes', async () => {
    azure.misbehave({
      match: request => request.url.includes('/items'),
      drip: { bytes: 10, everyMs: 50 },
    });
    const url = hosted.webUrl();
    const controller = new AbortController();
    const { signal } = controller;
    const tree = await readerOf(url).readTree(url, { signal });
    setTimeout(() => controller.abort(new Error('enough')), 200);
    await expect(tree.dir()).rejects.toThrow('enough');
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it.each([
    ['a whole repository', '/'],
    ['a folder', '/docs'],
  ])('ends an archive of %s with its signal', async (_what, folder) => {
    const content = randomBytes(4 * 1024 * 1024);
    const large = await azure.addRepository({
      organization: 'read-tree',
      project: 'p',
      repository: `large${folder.length}`,
      files: { 'docs/a.bin': content, 'docs/b.bin': content },
    });
    const url = large.webUrl({ path: folder });
    const controller = new AbortController();
    const { signal } = controller;
    const tree = await readerOf(url).readTree(url, { signal });
    const archive = await tree.archive();
    const first = once(archive, 'readable');
    const outcome = expect(
      first.then(() => {
        controller.abort(new Error('enough'));
        return buffer(archive);
      }),
    );
    await outcome.rejects.toThrow('enough');
  });

  it('ends with its signal before the tree is used', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const url = hosted.webUrl();
    const tree = await readerOf(url).readTree(url, { signal });
    controller.abort(new Error('enough'));
    await expect(tree.files()).rejects.toThrow('enough');
  });

  it('lets go of the archive once the tree is used', async () => {
    const url = hosted.webUrl({ path: '/docs' });
    const uses = [
      async (tree: UrlReaderServiceReadTreeResponse) => tree.dir(),
      async (tree: UrlReaderServiceReadTreeResponse) =>
        buffer(await tree.archive()),
    ];
    for (const use of uses) {
      await use(await readerOf(url).readTree(url));
      expect(openFilesIn(workingDirectory)).toEqual([]);
    }
  });

  it('ends with its signal while files are written, and leaves none', async () => {
    const content = randomBytes(16 * 1024 * 1024);
    const large = await azure.addRepository({
      organization: 'read-tree',
      project: 'p',
      repository: 'extracted',
      files: Object.fromEntries(
        Array.from({ length: 8 }, (_, n) => [`${n}.bin`, content]),
      ),
    });
    const url = large.webUrl();
    const controller = new AbortController();
    const { signal } = controller;
    const tree = await readerOf(url).readTree(url, { signal });
    const ended = expect(tree.dir()).rejects.toThrow('enough');
    await until(() => filesBelow(workingDirectory).length > 1);
    controller.abort(new Error('enough'));
    await ended;
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('leaves out what the filter says nothing of', async () => {
    const url = hosted.webUrl();
    const filter = (name: string) =>
      name.endsWith('other.md') ? true : (undefined as never);
    const tree = await readerOf(url).readTree(url, { filter });
    expect((await tree.files()).map(file => file.path)).toEqual([
      'docs2/other.md',
    ]);
  });

  it('leaves nothing behind', async () => {
    const url = hosted.webUrl();
    const tree = await readerOf(url).readTree(url);
    const files = await tree.files();
    expect(readdirSync(workingDirectory)).toEqual([]);
    expect((await files[0].content()).length).toBeGreaterThan(0);
  });

  it('goes through a provider that is not ours', async () => {
    const url = hosted.webUrl({ path: '/docs2' });
    const getCredentials = jest.fn(async () => ({
      headers: { Authorization: `Bearer ${DEFAULT_TOKEN}` },
      token: DEFAULT_TOKEN,
      type: 'bearer' as const,
    }));
    const tree = await readerOf(url, { getCredentials }).readTree(url);
    expect(await tree.files()).toHaveLength(1);
    expect(getCredentials).toHaveBeenCalledWith({ url });
  });
});

/** What is open below a directory, with or without a name; nothing where the system does not say. */
function openFilesIn(directory: string): string[] {
  if (!existsSync('/proc/self/fd')) return [];
  const names = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return names.filter(name => name.startsWith(directory));
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true }).map(String);
}

/** Calls with the place of each entry's record in the directory of a zip. */
function eachRecord(bytes: Buffer, call: (at: number) => void): Buffer {
  let at = bytes.readUInt32LE(bytes.length - 6);
  while (bytes.readUInt32LE(at) === 0x02014b50) {
    const lengths = [28, 30, 32].map(field => bytes.readUInt16LE(at + field));
    call(at);
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return bytes;
}

/** The paths that a reader finds, if it takes the archive at all. */
async function namesOrRefusal(
  reader: Pick<AzureUrlReader, 'readTree'>,
  url: string,
): Promise<string[] | undefined> {
  const tree = await reader.readTree(url);
  const files = await tree.files().catch(() => undefined);
  return files?.map(file => file.path);
}

let repositories = 0;

/** A repository whose every archive has these entries, damaged if wished. */
async function served(
  entries: Array<Omit<ZipEntry, 'content'> & { content: string }>,
  damage = (bytes: Buffer) => bytes,
  where: Parameters<Hosted['webUrl']>[0] = {},
): Promise<string> {
  const all = entries.map((entry): ZipEntry => ({
    ...entry,
    content: Buffer.from(entry.content),
  }));
  return servedBytes(damage(zip(all)), where);
}

/** A repository whose every archive is these bytes. */
async function servedBytes(
  body: Buffer,
  where: Parameters<Hosted['webUrl']>[0] = {},
): Promise<string> {
  repositories += 1;
  const items = `/served${repositories}/items`;
  azure.misbehave({
    match: request => request.url.includes(items),
    status: 200,
    headers: { 'content-type': 'application/zip' },
    body,
  });
  const served = await azure.addRepository({
    organization: 'read-tree',
    project: 'p',
    repository: `served${repositories}`,
    files: { 'not-sent': '' },
  });
  return served.webUrl(where);
}

/** The same zip of two equal entries, without the bytes of the second. */
function overlapping(bytes: Buffer, directory: number): Buffer {
  const half = directory / 2;
  const central = bytes.subarray(directory);
  const second = (central.length - 22) / 2;
  central.writeUInt32LE(0, second + 42);
  central.writeUInt32LE(half, central.length - 6);
  return Buffer.concat([bytes.subarray(0, half), central]);
}

async function expectContents(
  files: Array<{ path: string; content(): Promise<Buffer> }>,
  folder = '',
): Promise<void> {
  const prefix = folder.replace(/^\/|\/$/g, '');
  for (const file of files) {
    const name = [prefix, file.path].filter(Boolean).join('/');
    const expected = Buffer.from(FILES[name as keyof typeof FILES]);
    expect((await file.content()).equals(expected)).toBe(true);
  }
}

/** What upstream's own reader of zips finds in one. */
async function unzipped(bytes: Buffer): Promise<Record<string, Buffer>> {
  const factory = upstreamFactory(workingDirectory);
  const { Readable } = await import('node:stream');
  const tree = await factory.fromZipArchive({
    stream: Readable.from([bytes]),
    etag: '',
  });
  const dir = await tree.dir();
  const contents = await contentsOf(dir);
  return Object.fromEntries(
    Object.entries(contents).map(([name, text]) => [
      name,
      Buffer.from(text, 'latin1'),
    ]),
  );
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

describe('a working directory', () => {
  const message =
    /not-there.*Check backend\.workingDirectory.* it must be a folder that is there/;

  it('that is not there is told by its path and its key', async () => {
    workingDirectory = path.join(workingDirectory, 'not-there');
    const url = hosted.webUrl({});
    const files = async () => (await readerOf(url).readTree(url)).files();
    await expect(files()).rejects.toThrow(message);
  });

  it('that is there no more is told so by dir() as well', async () => {
    workingDirectory = path.join(workingDirectory, 'not-there');
    mkdirSync(workingDirectory);
    const url = hosted.webUrl({});
    const tree = await readerOf(url).readTree(url);
    rmSync(workingDirectory, { recursive: true });
    await expect(tree.dir()).rejects.toThrow(message);
  });
});

function readerOf(
  url: string,
  credentialsProvider?: AzureDevOpsCredentialsProvider,
): AzureUrlReader {
  return reader({ of: url, credentialsProvider, workingDirectory });
}

function upstreamOf(url: string) {
  return upstreamReader({ of: url, workingDirectory });
}
