import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { unzip } from '../testing/azure-devops/zip';
import { limitCache, limitReads, NOTHING } from '../testing/limits';
import { ArchiveServer } from './hostile-archives/ArchiveServer';
import { craft, type Crafted } from './hostile-archives/craft';
import { craftedCases, mutatedCase, type Case } from './hostile-archives/cases';
import { below, leadingOutside } from './hostile-archives/inside';
import { USES, use } from './hostile-archives/uses';
import { here } from '../testing/packages';
import { seed } from './parity/seed';
import { reader } from '../testing/reader';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const LINK = 0o120777;
const LIMITS = 'backend.reading.azureDevOps.limits';

const server = new ArchiveServer();
let workingDirectory: string;

beforeAll(async () => {
  limitCache(NOTHING);
  await server.start();
});

afterAll(() => server.stop());

beforeEach(() => {
  limitReads();
  workingDirectory = temporaryFolder('hostile');
});

afterAll(() => limitReads());

describe('a link', () => {
  it.each([
    ['././././././././docs.md', '../../../../../../../etc/passwd', ''],
    ['p/////l', '../../../../../etc/passwd', ''],
    ['p/./././l', '../../../secret', ''],
    ['.\\.\\.\\l', '../../secret', ''],
    ['././d', '../outb', ''],
    ['sub/././n', '../../secret', '/sub'],
    ['sub//n', '../secret', '/sub'],
    ['d/../l', '../secret', ''],
    ['d/l', 's/../../../secret', ''],
    ['d/l', './.././../secret', ''],
  ])('%j to %j leads nowhere else', async (name, data, folder) => {
    const archive = craft([
      { name, data, mode: LINK },
      { name: `${folder.slice(1)}/ok`.replace(/^\//, ''), data: 'ok' },
    ]);
    const targetDir = path.join(workingDirectory, 'target');
    writeFileSync(path.join(workingDirectory, 'secret'), 'secret');
    // Twice, for the second time might write through what the first has made.
    for (const _time of [1, 2]) {
      const tree = await read(archive, folder);
      await tree.dir({ targetDir }).catch(() => {});
    }
    if (existsSync(targetDir)) expect(leadingOutside(targetDir)).toEqual([]);
    expect(below(workingDirectory).filter(isOutside)).toEqual(['secret']);
  });

  const isOutside = (own: string) => !/^target(\/|$)/.test(own);

  it('stays a link where it leads inside, however its name is spelled', async () => {
    const archive = craft([
      { name: './docs//deep/./l', data: '../../a', mode: LINK },
      { name: 'a', data: 'a' },
    ]);
    const dir = await (await read(archive)).dir();
    expect(below(dir).sort()).toEqual([
      'a',
      'docs',
      'docs/deep',
      'docs/deep/l',
    ]);
    expect(readFileSync(path.join(dir, 'docs/deep/l'), 'utf8')).toBe('a');
  });
});

describe('a path', () => {
  it.each([
    ['sub//etc/x', '/sub', ['etc/x']],
    ['./sub/.//x', '/sub', ['x']],
    ['sub\\.\\x', '/sub', ['x']],
    ['.//a/./b', '', ['a/b']],
  ])('%j has one form', async (name, folder, expected) => {
    const archive = craft([{ name, data: 'x' }]);
    const filter = jest.fn(() => true);
    const files = await (await read(archive, folder, { filter })).files();
    expect(files.map(file => file.path)).toEqual(expected);
    expect(filter.mock.calls.map(([own]: unknown[]) => own)).toEqual(expected);
    const dir = await (await read(archive, folder)).dir();
    expect(below(dir)).toEqual(expect.arrayContaining(expected));
    if (!folder) return;
    const packed = await buffer(await (await read(archive, folder)).archive());
    expect(unzip(packed).map(file => file.path)).toEqual(expected);
  });

  it.each([
    ['sub/C:/x', '/sub', /absolute path below sub: C:\/x$/],
    ['sub//c:\\x', '/sub', /absolute path below sub: c:\/x$/],
    ['./C:/x', '', /absolute path: \.\/C:\/x$/],
    ['\\\\server\\x', '', /absolute path: \/\/server\/x$/],
    ['', '', /file without a name: ""/],
    ['a/.', '', /file without a name: "a\/\."$/],
  ])('%j leads nowhere else', async (name, folder, message) => {
    const archive = craft([{ name, data: 'x' }]);
    for (const use of ['files', 'dir'] as const) {
      const tree = await read(archive, folder);
      await expect(tree[use]()).rejects.toThrow(message);
    }
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('leads nowhere else in an archive, where a drive is cut off', async () => {
    const names = ['sub/w:../x', 'sub/w:C:/y', 'sub/w:./z'];
    const archive = craft(names.map(name => ({ name, data: 'x' })));
    const packed = await buffer(await (await read(archive, '/sub')).archive());
    expect(unzip(packed).map(file => file.path)).toEqual(['x', 'y', 'z']);
  });

  it('and others, whatever they are made of, lead nowhere else', async () => {
    const part = fc.constantFrom('', '.', 'a', 'b', 'a', '..', 'C:', 'c:d');
    const joined = (separators: string[]) =>
      fc
        .array(fc.tuple(part, fc.constantFrom(...separators)), {
          minLength: 1,
          maxLength: 7,
        })
        .map(parts => parts.flat().slice(0, -1).join(''));
    const targetPart = fc.constantFrom('..', '..', '.', '', 'a', 'b', 'c:d');
    const target = fc
      .array(targetPart, { minLength: 1, maxLength: 6 })
      .map(parts => parts.join('/'));
    // Below `a` more often than not, so that few archives are refused for one name.
    const name = fc
      .tuple(
        fc.constantFrom('a/', './a//', '', 'a/b/'),
        joined(['/', '/', '\\']),
      )
      .map(([start, rest]) => start + rest);
    const entry = fc.record({
      name,
      data: target,
      mode: fc.constantFrom(LINK, LINK, 0o100644),
    });
    const entries = fc.array(entry, { minLength: 1, maxLength: 6 });
    let written = 0;
    const property = fc.asyncProperty(
      entries,
      fc.constantFrom('', '/a'),
      async (all, folder) => {
        const archive = craft(all);
        const files = await (
          await read(archive, folder)
        )
          .files()
          .catch(() => []);
        for (const file of files) expect(file.path).toMatch(RELATIVE);
        const own = temporaryFolder('own', workingDirectory);
        const targetDir = path.join(own, 'target');
        await (await read(archive, folder)).dir({ targetDir }).catch(() => {});
        expect(readdirSync(own).filter(it => it !== 'target')).toEqual([]);
        if (!existsSync(targetDir)) return;
        written += 1;
        expect(leadingOutside(targetDir)).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 400 });
    expect(written).toBeGreaterThan(20);
  });

  /** Names between single slashes, none of them empty, `.` or `..`; no drive before a slash. */
  const RELATIVE = /^(?![A-Za-z]:\/)((?!\.{1,2}(\/|$))[^/\\]+(\/|$))+$(?<!\/)/;
});

describe('two names that become one', () => {
  const utf8 = (name: string) => ({
    name: Buffer.from(name, 'latin1'),
    data: name,
  });

  it.each([
    ['no UTF-8', [utf8('a\xff'), utf8('a\xfe')], /a\\xff and a\\xfe$/],
    [
      'no UTF-8, and its replacement',
      [utf8('a\xff'), { name: 'a\ufffd', data: 'x' }],
      /a\\xff and a\ufffd$/,
    ],
    ['dots', [{ name: './a' }, { name: 'a' }], /, a: \.\/a and a$/],
    [
      'nothing',
      [{ name: 'd/a' }, { name: 'd//a' }],
      /, d\/a: d\/\/a and d\/a$/,
    ],
    ['backslashes', [{ name: 'd\\a' }, { name: 'd/a' }], /: d\\a and d\/a$/],
  ])('for there is %s in them, are told', async (_what, entries, message) => {
    for (const use of ['files', 'dir'] as const) {
      const tree = await read(craft(entries));
      await expect(tree[use]()).rejects.toThrow(message);
    }
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('are both there where they differ', async () => {
    const archive = craft([utf8('a\xff'), utf8('b\xfe')]);
    const files = await (await read(archive)).files();
    expect(files.map(file => file.path)).toEqual(['a\ufffd', 'b\ufffd']);
    const dir = await (await read(archive)).dir();
    expect(below(dir).sort()).toEqual(['a\ufffd', 'b\ufffd']);
  });

  it.each([
    [['a', 'a/b'], /, a could not be written: .*place of a\/b/],
    [['d/a/b/c', 'd/a'], /d\/a could not be written: .*place of d\/a\/b\/c/],
  ])('as file and folder in %j are told', async (names, message) => {
    const entries = names.map(name => ({ name, data: name }));
    const tree = await read(craft(entries));
    await expect(tree.dir()).rejects.toThrow(message);
    expect(readdirSync(workingDirectory)).toEqual([]);
    const files = await (await read(craft(entries))).files();
    expect(files.map(file => file.path)).toEqual(names);
  });

  it('are told in the archive of a folder, where drives are cut off', async () => {
    const names = ['d/ab:x', 'd/x'];
    const archive = craft(names.map(name => ({ name, data: name })));
    const stream = await (await read(archive, '/d')).archive();
    await expect(buffer(stream)).rejects.toThrow(/both x and ab:x/);
  });
});

describe('an archive', () => {
  const files = (count: number, data = 'x') =>
    Array.from({ length: count }, (_, n) => ({ name: `${n}`, data }));

  it.each([
    ['archiveEntries', 10, files(11), 'the archive has more than 10 entries'],
    [
      'archiveEntries',
      10,
      [{ name: 'a/b/c/d/e/f/g/h/i/j/k' }],
      'with the folders that its paths need, has more than 10 entries',
    ],
    ['pathBytes', 9, [{ name: 'long/names' }], 'long/names in the archive has'],
    ['pathDepth', 3, [{ name: 'a/b//c/./d' }], 'a/b/c/d in the archive has'],
    [
      'inflatedBytes',
      99,
      files(2, 'x'.repeat(50)),
      'what the archive holds has more than 99 bytes',
    ],
    [
      'fileBytes',
      99,
      [{ name: 'large', data: 'x'.repeat(100) }],
      'large has more than 99 bytes',
    ],
    ['jsonBytes', 99, files(60), 'the list of the files in the archive has'],
  ])('has a limit, %s', async (key, most, entries, message) => {
    const archive = craft(entries);
    expect(below(await (await read(archive)).dir()).length).toBeGreaterThan(0);
    workingDirectory = temporaryFolder('hostile');
    limitReads({ [key]: most });
    const tree = await read(archive);
    const outcome = await tree.dir().catch(error => error);
    expect(outcome.message).toContain(message);
    expect(outcome.message).toContain(`${LIMITS}.${key}`);
    expect(outcome.message).toMatch(/^Failed to read tree from http/);
    expect(readdirSync(workingDirectory)).toEqual([]);
    limitReads({ [key]: most * 100 });
    await (await read(archive)).dir();
  });

  it('has a limit for one of its contents, which others do not mind', async () => {
    const entries = [{ name: 'large', data: 'x'.repeat(100) }, { name: 'a' }];
    limitReads({ fileBytes: 99 });
    const [large, small] = await (await read(craft(entries))).files();
    await expect(large.content()).rejects.toThrow(`${LIMITS}.fileBytes`);
    expect((await small.content()).length).toBe(0);
  });

  it.each([
    ['depth', `000/${'a/'.repeat(1900)}f`, 'pathDepth'],
    ['length', `0000/${'a/'.repeat(32_700)}f`, 'pathBytes'],
  ])('has paths of a %s that has a default', async (_what, name, key) => {
    const tree = await read(craft([{ name }]));
    const outcome = await tree.dir().catch(error => error);
    expect(outcome.message).toContain(`${LIMITS}.${key}`);
    expect(outcome.message.length).toBeLessThan(5000);
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it.each([
    [0, 'x'.repeat(40_000_000), 50_000_000],
    [1, 'y', 2 ** 30],
  ])('is not larger than it says (%s)', async (_number, data, size) => {
    const archive = craft([{ name: 'a', data, size }]);
    await expect((await read(archive)).dir()).rejects.toThrow(
      /archive is damaged: a /,
    );
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('that has one content in many places is refused', async () => {
    const bomb = { name: '0', data: Buffer.alloc(1024 * 1024) };
    const rest = Array.from({ length: 500 }, (_, n) => ({
      ...bomb,
      name: `${n + 1}`,
      at: 0,
    }));
    const tree = await read(craft([bomb, ...rest]));
    await expect(tree.dir()).rejects.toThrow(/larger than there is room for/);
  });
});

describe('deep paths', () => {
  // Disks take their own time to make and remove folders.
  const inMemory = '/dev/shm';

  beforeEach(() => {
    if (existsSync(inMemory)) {
      workingDirectory = temporaryFolder('hostile', inMemory);
    }
  });

  afterEach(() => execFileSync('rm', ['-r', workingDirectory]));

  const RAISED = { pathDepth: 3000, pathBytes: 70_000 };
  const deep = (count: number, depth: number) =>
    Array.from({ length: count }, (_, n) => ({
      name: `${String(n).padStart(3, '0')}/${'a/'.repeat(depth)}f`,
      data: 'f',
    }));

  it('take the time of their parts, to make and to remove', async () => {
    limitReads(RAISED);
    const last = { name: 'last', data: 'last', crc: 1 };
    const tree = await read(craft([...deep(40, 1900), last]));
    const started = Date.now();
    await expect(tree.dir()).rejects.toThrow(/last does not match/);
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('are written', async () => {
    limitReads(RAISED);
    const [entry] = deep(1, 1900);
    const dir = await (await read(craft([entry]))).dir();
    expect(readFileSync(path.join(dir, entry.name), 'utf8')).toBe('f');
  });

  it('are no longer made once they are not wanted', async () => {
    limitReads(RAISED);
    const controller = new AbortController();
    const { signal } = controller;
    const tree = await read(craft(deep(40, 1900)), '', { signal });
    const ended = expect(tree.dir()).rejects.toThrow('enough');
    await setTimeout(100);
    const aborted = Date.now();
    controller.abort(new Error('enough'));
    await ended;
    expect(Date.now() - aborted).toBeLessThan(1500);
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('have folders once, in whatever order they come', async () => {
    limitReads(RAISED);
    const shared = 'a/'.repeat(300);
    const names = Array.from({ length: 60 }, (_, n) =>
      n % 2 ? `${shared}${n}/f` : `b/${shared}${n}/f`,
    );
    const combed = Array.from(
      { length: 60 },
      (_, n) => `c/${'a/'.repeat(60 - n)}f`,
    );
    const all = [...names, ...combed];
    const archive = craft(all.map(name => ({ name, data: name })));
    const dir = await (await read(archive)).dir();
    for (const name of all) {
      expect(readFileSync(path.join(dir, name), 'utf8')).toBe(name);
    }
  });

  it('that the system cannot open are refused by name, and nothing stays', async () => {
    limitReads(RAISED);
    const name = `0000/${'a/'.repeat(2900)}f`;
    const targetDir = path.join(workingDirectory, 'made', 'for', 'it');
    for (const options of [undefined, { targetDir }]) {
      const tree = await read(craft([{ name }, { name: 'ok', data: 'ok' }]));
      await expect(tree.dir(options)).rejects.toThrow(
        /0000\/a\/.* could not be written: .*the system opens none of more than/,
      );
      expect(readdirSync(workingDirectory)).toEqual([]);
    }
  });
});

describe('a folder that could not be written', () => {
  const wrong = (name: string, data: Buffer | string): Crafted => ({
    name,
    data,
    crc: 1,
  });
  const megabytes = (count: number) => randomBytes(count * 1024 * 1024);

  it.each([
    ['a content is damaged', [wrong('d/bad', 'bad')], /d\/bad does not match/],
    [
      'a large content is damaged',
      [wrong('d/bad', megabytes(5))],
      /d\/bad does not match its checksum/,
    ],
    [
      'a name is too long',
      [{ name: `d/${'x'.repeat(300)}` }],
      /d\/x{300} could not be written: .*name too long/i,
    ],
    [
      'a folder is too long',
      [{ name: `d/${'x'.repeat(300)}/y` }],
      /x\/y could not be written: .*name too long/i,
    ],
  ])('because %s is as it was', async (_what, bad, message) => {
    const good = Array.from({ length: 50 }, (_, n) => ({
      name: `d/${n}/new`,
      data: 'new',
    }));
    const archive = craft([...good, ...bad, { name: 'kept', data: 'new' }]);
    const targetDir = path.join(workingDirectory, 'target');
    mkdirSync(path.join(targetDir, 'd/1'), { recursive: true });
    writeFileSync(path.join(targetDir, 'd/1/new'), 'old');
    writeFileSync(path.join(targetDir, 'd/1/other'), 'other');
    writeFileSync(path.join(targetDir, 'kept'), 'old');
    const before = contents(targetDir);
    const into = await read(archive);
    await expect(into.dir({ targetDir })).rejects.toThrow(message);
    expect(contents(targetDir)).toEqual(before);
    const made = path.join(workingDirectory, 'made', 'for', 'it');
    const fresh = await read(archive);
    await expect(fresh.dir({ targetDir: made })).rejects.toThrow(message);
    await expect((await read(archive)).dir()).rejects.toThrow(message);
    expect(readdirSync(workingDirectory)).toEqual(['target']);
  });

  it.each([
    [
      'a folder',
      'd/a/b',
      'd/a',
      /d\/a could not be written: .*there is a folder/,
    ],
    ['a file', 'd/a', 'd/a/b', /d\/a could not be written: .*there is a file/],
  ])(
    'because %s is in the way is as it was',
    async (_what, was, name, message) => {
      const targetDir = path.join(workingDirectory, 'target');
      mkdirSync(path.dirname(path.join(targetDir, was)), { recursive: true });
      writeFileSync(path.join(targetDir, was), 'old');
      const before = contents(targetDir);
      const tree = await read(
        craft([
          { name: 'new', data: 'new' },
          { name, data: 'new' },
        ]),
      );
      await expect(tree.dir({ targetDir })).rejects.toThrow(message);
      expect(contents(targetDir)).toEqual(before);
    },
  );

  it('because it was no longer wanted has each file as it was, or as it is to be', async () => {
    const names = Array.from({ length: 300 }, (_, n) => `d${n % 20}/${n}`);
    const [old, fresh] = ['old', 'new'].map(what => what.repeat(1000));
    const archive = craft(names.map(name => ({ name, data: fresh })));
    const targetDir = path.join(workingDirectory, 'target');
    const had = names.filter((_, n) => n % 3);
    for (let ms = 0; ms < 60; ms += 2) {
      execFileSync('rm', ['-rf', targetDir]);
      for (const name of had) {
        mkdirSync(path.dirname(path.join(targetDir, name)), {
          recursive: true,
        });
        writeFileSync(path.join(targetDir, name), old);
      }
      const controller = new AbortController();
      const { signal } = controller;
      const tree = await read(archive, '', { signal });
      const done = tree.dir({ targetDir }).then(
        () => true,
        () => false,
      );
      await setTimeout(ms);
      controller.abort(new Error('enough'));
      const isDone = await done;
      const after = contents(targetDir);
      const expected = isDone ? names : had;
      expect(Object.keys(after).sort()).toEqual([...expected].sort());
      for (const content of Object.values(after)) {
        expect([old, fresh]).toContain(content);
      }
    }
  });

  it('has what it had, and a link for the folder that it was to have', async () => {
    const targetDir = path.join(workingDirectory, 'target');
    mkdirSync(targetDir);
    symlinkSync('elsewhere', path.join(targetDir, 'd'));
    mkdirSync(path.join(targetDir, 'e'));
    writeFileSync(path.join(targetDir, 'e/f'), 'old');
    const tree = await read(
      craft([{ name: 'd/a', data: 'new' }, wrong('e/f', 'new')]),
    );
    await expect(tree.dir({ targetDir })).rejects.toThrow(
      /e\/f does not match/,
    );
    expect(below(targetDir).sort()).toEqual(['d', 'e', 'e/f']);
  });

  it('on a disk that is full has nothing new', async () => {
    const disk = smallDisk(8);
    if (!disk) return;
    try {
      const old = { name: 'old', data: randomBytes(1024 * 1024) };
      const targetDir = path.join(disk, 'target');
      await (await read(craft([old]))).dir({ targetDir });
      const more = { name: 'new', data: randomBytes(3 * 1024 * 1024) };
      const archive = craft([
        { ...old, data: randomBytes(1024 * 1024) },
        more,
        { ...more, name: 'd/new' },
        { ...more, name: 'e/new' },
      ]);
      const tree = await read(archive);
      await expect(tree.dir({ targetDir })).rejects.toThrow(
        /(new|old) could not be written: No space left/,
      );
      expect(below(targetDir)).toEqual(['old']);
      expect(readFileSync(path.join(targetDir, 'old'))).toEqual(old.data);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

describe('an archive that nobody made in good faith', () => {
  const used = async (cases: Case[]) => {
    const counts = { right: 0, refused: 0 };
    const unsound: string[] = [];
    for (const one of cases) {
      for (const how of USES) {
        const directory = temporaryFolder('use', workingDirectory);
        const url = server.urlOf(one.bytes);
        const result = await use(here, url, how, one, directory);
        if (result.is === 'right' || result.is === 'refused') {
          counts[result.is] += 1;
        } else {
          unsound.push(`${one.name}, ${how}: ${JSON.stringify(result)}`);
        }
        rmSync(directory, { recursive: true });
      }
    }
    expect(unsound).toEqual([]);
    return counts;
  };

  it('is read right or refused, in each way', async () => {
    const { right, refused } = await used(craftedCases());
    expect(right).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(300);
  });

  it('is read right or refused where a few of its bytes are others', async () => {
    const first = fc.sample(fc.nat(1_000_000), { numRuns: 1, seed })[0];
    const cases = Array.from({ length: 60 }, (_, n) => mutatedCase(first + n));
    const { right, refused } = await used(cases);
    expect(right).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });
});

describe('a folder in which there is something already', () => {
  it('is written over as a whole, also where files are read-only', async () => {
    const targetDir = path.join(workingDirectory, 'target');
    mkdirSync(path.join(targetDir, 'd'), { recursive: true });
    writeFileSync(path.join(targetDir, 'd/a'), 'old');
    chmodSync(path.join(targetDir, 'd/a'), 0o444);
    writeFileSync(path.join(targetDir, 'd/other'), 'other');
    const names = ['d/a', 'd/b', 'e/a'];
    const archive = craft(names.map(name => ({ name, data: name })));
    await (await read(archive)).dir({ targetDir });
    expect(contents(targetDir)).toEqual({
      'd/a': 'd/a',
      'd/b': 'd/b',
      'd/other': 'other',
      'e/a': 'e/a',
    });
  });

  it('has all of several that are written to it at once', async () => {
    const targetDir = path.join(workingDirectory, 'target');
    const archiveOf = (from: number) =>
      craft(
        Array.from({ length: 100 }, (_, n) => ({
          name: `d${n % 3}/e${n % 7}/${n + from}`,
          data: String((n + from) % 100 === 0 ? from : n + from).repeat(2000),
        })),
      );
    const starts = [0, 50, 100, 150];
    const trees = await Promise.all(starts.map(from => read(archiveOf(from))));
    await Promise.all(trees.map(tree => tree.dir({ targetDir })));
    const all = contents(targetDir);
    const expected = starts.flatMap(from =>
      Array.from({ length: 100 }, (_, n) => `d${n % 3}/e${n % 7}/${n + from}`),
    );
    expect(Object.keys(all).sort()).toEqual([...new Set(expected)].sort());
  });
});

interface Options {
  filter?: () => boolean;
  signal?: AbortSignal;
}

/** The tree of a repository with this archive, or of a folder in it. */
async function read(archive: Buffer, folder = '', options: Options = {}) {
  const url = server.urlOf(archive, folder);
  const credentials = [{ personalAccessToken: 'p' }];
  const own = reader({ of: server.host, credentials, workingDirectory });
  return own.readTree(url, options);
}

function contents(directory: string): Record<string, string> {
  const entries = below(directory).map(own => [own, path.join(directory, own)]);
  const files = entries.filter(([, file]) => !isFolder(file));
  return Object.fromEntries(
    files.map(([own, file]) => [own, readFileSync(file, 'latin1')]),
  );
}

function isFolder(file: string): boolean {
  try {
    readdirSync(file);
    return true;
  } catch {
    return false;
  }
}

/** A disk with room for so many megabytes, where one can be had. */
function smallDisk(megabytes: number): string | undefined {
  const disk = temporaryFolder('disk');
  const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk];
  try {
    execFileSync('mount', options, { stdio: 'ignore' });
    return disk;
  } catch {
    return undefined;
  }
}
