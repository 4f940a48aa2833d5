// A process that has little of something, and reads. Its argument says what, as JSON; it prints what
// came of it, as JSON.
import { ConfigReader } from '@backstage/config';
import { UrlReaders } from '@backstage/backend-defaults/urlReader';
import { AzureUrlReader } from 'backstage-azure-devops-native';
import {
  openSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';

const task = JSON.parse(process.argv[2]);
const { urls, workingDirectory, cache = {} } = task;
const lines = [];
const log = (message, fields) => lines.push({ message, ...fields });
const logger = { info: log, warn: log, error: log, debug: log };
logger.child = () => logger;

const config = new ConfigReader({
  backend: { workingDirectory, reading: { azureDevOps: { cache } } },
  integrations: { azure: [{ host: task.host, ...task.credentials }] },
});
const reader = UrlReaders.create({
  config,
  logger,
  factories: [task.upstream ? await upstreams() : AzureUrlReader.factory],
});

async function upstreams() {
  const { AzureUrlReader: Upstream } =
    await import('@backstage/backend-defaults/urlReader');
  return Upstream.factory;
}

/** What files without a name take, and how many connections and files of any kind are open. */
function open() {
  const open = { unnamed: 0, bytes: 0, sockets: 0, files: 0 };
  for (const fd of readdirSync('/proc/self/fd')) {
    const file = `/proc/self/fd/${fd}`;
    try {
      const to = readlinkSync(file);
      open.files += 1;
      if (to.startsWith('socket:')) open.sockets += 1;
      if (to.endsWith(' (deleted)') && to.startsWith(workingDirectory)) {
        open.unnamed += 1;
        open.bytes += statSync(file).blocks * 512;
      }
    } catch {
      // It was closed meanwhile.
    }
  }
  return open;
}

/** The most of each that was open. */
function most() {
  const highest = {};
  return {
    highest,
    look: () => {
      for (const [what, count] of Object.entries(open()))
        highest[what] = Math.max(highest[what] ?? 0, count);
    },
  };
}

const nameIn = async files => {
  const file = files.find(({ path: name }) => name === 'name.txt');
  return String(await file.content());
};

async function outcomes(each) {
  const found = [];
  for (const url of urls) {
    try {
      found.push(await each(url));
    } catch (error) {
      found.push(`${error}`);
    }
  }
  return found;
}

const SCENARIOS = {
  /** Reads each as an archive. */
  archives: async () => {
    const each = async url => {
      const tree = await reader.readTree(url);
      return (await buffer(await tree.archive())).length > 0;
    };
    return { found: await outcomes(each), open: open() };
  },

  /** Reads each as a folder, which is removed afterwards. */
  folders: async () => {
    const each = async url => {
      const dir = await (await reader.readTree(url)).dir();
      const name = await readFile(path.join(dir, 'name.txt'), 'utf8');
      await rm(dir, { recursive: true });
      return name;
    };
    return {
      found: await outcomes(each),
      left: readdirSync(workingDirectory),
    };
  },

  /** Reads a third as archives, which are kept then, and all as folders. */
  archivesThenFolders: async () => {
    const archive = async url =>
      buffer(await (await reader.readTree(url)).archive());
    await Promise.all(urls.slice(0, urls.length / 3).map(archive));
    return SCENARIOS.folders();
  },

  /** Reads each as an archive, and then finds the disk full of somebody else's. */
  strangers: async () => {
    const each = async url => {
      const tree = await reader.readTree(url);
      return (await buffer(await tree.archive())).length > 0;
    };
    const stranger = path.join(workingDirectory, 'stranger');
    try {
      writeFileSync(stranger, Buffer.alloc(task.strange * 1024 * 1024));
    } catch {
      // As much as there was room for.
    }
    return { found: await outcomes(each) };
  },

  /** Reads half of them, after which something else opens all files that may be, and then the others. */
  descriptors: async () => {
    const each = async url =>
      nameIn(await (await reader.readTree(url)).files());
    const later = urls.splice(urls.length / 2);
    const before = await outcomes(each);
    try {
      for (;;) openSync('/dev/null');
    } catch {
      // There are no more.
    }
    urls.splice(0, Infinity, ...later);
    return { found: [...before, ...(await outcomes(each))] };
  },

  /** Reads all at once. */
  atOnce: async () => {
    const each = async url =>
      nameIn(await (await reader.readTree(url)).files());
    const found = urls.map(url => each(url).catch(String));
    return { found: await Promise.all(found) };
  },

  /** Reads one after the other, and one file of each, and is done with it. */
  sequence: async () => {
    const { highest, look } = most();
    const each = async url => {
      const files = await (await reader.readTree(url)).files();
      const name = await nameIn(files);
      look();
      return name;
    };
    return { found: await outcomes(each), highest };
  },

  /** Has the files of all before any of them is read; and then reads all twice. */
  trees: async () => {
    const { highest, look } = most();
    const trees = [];
    const each = async url => {
      trees.push(await (await reader.readTree(url)).files());
      look();
      return trees.length;
    };
    const failed = (await outcomes(each)).filter(it => typeof it === 'string');
    const waiting = open();
    const found = [];
    for (const files of [...trees, ...trees]) {
      found.push(await nameIn(files).catch(String));
      look();
    }
    trees.length = 0;
    return { failed, found, waiting, highest };
  },

  /** Asks for all before any of them is used. */
  unread: async () => {
    const asked = [];
    const failed = await outcomes(async url =>
      asked.push(await reader.readTree(url)),
    );
    const waiting = open();
    const found = [];
    for (const tree of asked)
      found.push(await tree.files().then(nameIn).catch(String));
    return {
      failed: failed.filter(it => typeof it === 'string'),
      found,
      waiting,
    };
  },

  /** Has the results of all searches before any content is read. */
  searches: async () => {
    const { highest, look } = most();
    const results = [];
    const failed = await outcomes(async url => {
      results.push(await reader.search(url));
      look();
      return results.length;
    });
    const waiting = open();
    const found = [];
    for (const { files } of results) {
      const contents = files.map(async file => String(await file.content()));
      const all = await Promise.all(contents).catch(String);
      found.push(typeof all === 'string' ? all : all.join(' '));
      look();
    }
    return {
      failed: failed.filter(it => typeof it === 'string'),
      found,
      waiting,
      highest,
    };
  },
};

const result = await SCENARIOS[task.scenario]();
console.log(JSON.stringify({ ...result, lines }));
process.exit();
