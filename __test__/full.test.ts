import { standIn } from '../testing/azure-devops';
import { ArchiveServer } from './full/ArchiveServer';
import { runReader, whyNoSmallDisk, type Task } from './full/runReader';

const MIB = 1024 * 1024;

const azure = standIn();
let server: ArchiveServer;
let count = 0;

beforeAll(async () => {
  server = await ArchiveServer.start();
});

afterAll(() => server.close());

beforeEach(() => {
  count += 1;
  server.closes = false;
});

/** What is read: so many trees, of so many MiB each, of a host at an address of this machine. */
type Reads = Partial<Task> & {
  scenario: string;
  count: number;
  size?: number;
  address?: string;
};

/** Reads archives that nobody has read before. */
function reads({
  size = 1,
  address = '127.0.0.1',
  count: trees,
  ...rest
}: Reads) {
  const host = `${address}:${server.port}`;
  const urls = server.urls(host, `t${count}n`, trees, size);
  const names = urls.map(url => url.slice(url.lastIndexOf('/') + 1));
  const result = runReader({ host, urls, ...rest });
  return { names, result };
}

const noDisk = whyNoSmallDisk();
if (noDisk) console.warn(`No small file system can be made here: ${noDisk}`);
const onSmallDisk = noDisk ? describe.skip : describe;

onSmallDisk('in a working directory of 100 MB', () => {
  it.each(['archives', 'folders', 'sequence'])(
    'however many trees of 20 MB are read, as %s, none of them fails',
    async scenario => {
      const task = { scenario, count: 12, size: 20, disk: 100 };
      const { names, result } = reads(task);
      const { found, left = [] } = await result;
      expect(found).toEqual(
        scenario === 'archives' ? names.map(() => true) : names,
      );
      expect(left).toEqual([]);
    },
  );

  it('a folder of 40 MB is written, though archives that are kept take its room', async () => {
    const task = { scenario: 'folders', count: 4, size: 40, disk: 100 };
    const { names, result } = reads(task);
    expect((await result).found).toEqual(names);
  });

  it('archives that are kept leave as much free as they take, and the log says so once', async () => {
    const task = { scenario: 'archives', count: 12, size: 10, disk: 100 };
    const { open, lines } = await reads(task).result;
    expect(open!.bytes).toBeLessThanOrEqual(50 * MIB);
    expect(open!.bytes).toBeGreaterThanOrEqual(20 * MIB);
    const told = lines.filter(({ event }) => event === 'disk nearly full');
    expect(told).toHaveLength(1);
    expect(told[0].message).toContain('azureDevOps.cache.diskBytes');
    expect(told[0].message).toContain('backend.workingDirectory');
  });

  it('which is full of something else, the failure says where, how much is free, and what to set', async () => {
    const task = { scenario: 'strangers', count: 2, size: 20, strange: 95 };
    const { found } = await reads({ ...task, disk: 100 }).result;
    for (const failure of found) {
      expect(failure).toMatch(
        /^Error: Failed to read tree from http.*no archive could be stored in \/.*full-.*: No space left on device.*: \d MiB are free there.*backend\.workingDirectory/,
      );
    }
    expect(found).toHaveLength(2);
  });
});

onSmallDisk('in a working directory that may have few files', () => {
  it.each(['archives', 'folders'])('trees are read, as %s', async scenario => {
    const task = { scenario, count: 12, size: 1, disk: 100, inodes: 8 };
    const { names, result } = reads(task);
    const expected = scenario === 'archives' ? names.map(() => true) : names;
    expect((await result).found).toEqual(expected);
  });

  it('a folder is made for a tree whose archive is kept', async () => {
    const host = `127.0.0.1:${server.port}`;
    const few = server.urls(host, `t${count}n`, 4, 1);
    const urls = [...few, ...few, ...few];
    const task = { scenario: 'archivesThenFolders', disk: 100, inodes: 8 };
    const { found } = await runReader({ host, urls, ...task });
    expect(found).not.toContainEqual(expect.stringContaining('rror'));
  });
});

describe('a process that may open 256 files', () => {
  const few = { files: 256 };

  it.each(['127.0.0.1', 'localhost'])(
    'connects to %s when something else has all of them open, by closing archives that it keeps',
    async address => {
      server.closes = true;
      const scenario = 'descriptors';
      const { names, result } = reads({ scenario, count: 80, address, ...few });
      expect((await result).found).toEqual(names);
    },
  );

  it('has as many trees as it likes, which are all read rightly', async () => {
    const { names, result } = reads({ scenario: 'trees', count: 600, ...few });
    const { failed, found, waiting, highest } = await result;
    expect(failed).toEqual([]);
    expect(found).toEqual([...names, ...names]);
    // A quarter for archives that are kept, and an eighth for trees that wait.
    expect(waiting!.unnamed).toBeLessThanOrEqual(64 + 32);
    expect(highest!.unnamed).toBeLessThanOrEqual(64 + 32 + 2);
  });

  it('holds few connections for trees that nobody uses yet, and reads them all', async () => {
    const { names, result } = reads({
      scenario: 'unread',
      count: 300,
      cache: { diskBytes: 0 },
      ...few,
    });
    const { failed, found, waiting } = await result;
    expect(failed).toEqual([]);
    expect(found).toEqual(names);
    expect(waiting!.sockets).toBeLessThanOrEqual(40);
  });

  it('has as many results of searches as it likes, whose contents are all right', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [
        n < 6 ? `s${n}/catalog.yaml` : `s${n}/other.txt`,
        `content ${n}`,
      ]),
    );
    const names = { organization: 'full', project: 'p', repository: 'r' };
    const hosted = await azure.addRepository({ ...names, files });
    azure.anonymous.add('full');
    const url = hosted.webUrl({ at: 'server', path: '/*/catalog.yaml' });
    const { failed, found, waiting } = await runReader({
      scenario: 'searches',
      host: azure.host,
      urls: Array.from({ length: 300 }, () => url),
      cache: { memoryBytes: 0, diskBytes: 0 },
      ...few,
    });
    const contents = [0, 1, 2, 3, 4, 5].map(n => `content ${n}`).join(' ');
    expect(failed).toEqual([]);
    expect(found).toEqual(Array.from({ length: 300 }, () => contents));
    expect(waiting!.unnamed).toBeLessThanOrEqual(32);
  });
});

it('trees that were read and are not used hold a bounded part of the disk', async () => {
  const task = { scenario: 'sequence', count: 120, size: 20 };
  const { names, result } = reads({ ...task, cache: { diskBytes: 0 } });
  const { found, highest } = await result;
  expect(found).toEqual(names);
  expect(highest!.bytes).toBeLessThanOrEqual(800 * MIB);
});
