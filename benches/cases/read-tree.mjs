// Trees in their three forms, of few and of many files: each measurement writes to a folder of its own,
// and nothing is deleted before the run ends, because deleting makes a file system slow for a while.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { newReader } from '../../testing/measuring/host.mjs';
import { loadFloor } from '../lib/canned-server.mjs';
import { zipName } from '../lib/zip.mjs';

const SMALLEST = { files: 10, mebibytes: 1 };
const USUAL = { files: 5100, mebibytes: 64 };
const MANY = { files: 100_000, mebibytes: 200 };
const LARGE = { files: 1000, mebibytes: 1024 };

/** Who does what each form does. */
const CONTENDERS = {
  dir: ['native', 'upstream', 'libdeflate', 'unzip'],
  files: ['native', 'upstream'],
  archive: ['native', 'upstream', 'bytes'],
};

/** How often one may be measured where it takes long. */
const SLOW = { upstream: 1 };

export const cases = [
  ...Object.keys(CONTENDERS).flatMap(form => [
    tree(form, SMALLEST, { rounds: 3 }),
    tree(form, USUAL, { rounds: 5 }),
    tree(form, MANY, { rounds: 2, most: SLOW }),
    tree(form, LARGE, { rounds: 2, most: SLOW }),
  ]),
  ...['archive', 'files'].flatMap(form =>
    [10, 100].map(atOnce => ({
      ...tree(form, { files: 100, mebibytes: 5 }, { rounds: 1 }),
      name: `${form}() of 300 trees of 5 MiB, ${atOnce} at once`,
      contenders: ['native', 'upstream'],
      options: { form, files: 100, mebibytes: 5, trees: 300, atOnce },
      settles: true,
    })),
  ),
];

function tree(form, { files, mebibytes }, more) {
  return {
    group: 'readTree',
    name: `${form}() of ${files.toLocaleString('en')} files, ${mebibytes} MiB`,
    contenders: CONTENDERS[form],
    options: { form, files, mebibytes, trees: 1, atOnce: 1 },
    needs: 'canned',
    zips: [SMALLEST, { files, mebibytes }],
    delayEveryMs: 1,
    ...more,
  };
}

/** Reads so many trees, so many at once; before, a small one to warm up. Its units are files. */
export async function prepare({ contender, options, server }) {
  const folder = mkdtempSync(path.join(server.folder, `${contender}-`));
  const read = await readWith(contender, options.form, server, folder);
  await read(`${zipName(SMALLEST)}-x0`);
  // What was written before is not to be written meanwhile.
  spawnSync('sync');
  const name = zipName(options);
  return async () => {
    const more = await readMany(read, name, options);
    const { files, trees } = options;
    return { units: files * trees, reads: trees, ...more };
  };
}

async function readMany(read, name, { trees, atOnce }) {
  if (trees === 1) return read(name);
  let next = 0;
  const worker = async () => {
    while (next < trees) {
      next += 1;
      await read(`${name}-x${next}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return {};
}

/** Reads the repository of a name with a contender, which may know more figures of it. */
async function readWith(contender, form, server, folder) {
  const zipUrl = name =>
    `${server.origins.plain}/c/p/_apis/git/repositories/${name}/items?$format=zip`;
  if (contender === 'unzip') return name => unzip(server.zips, name, folder);
  if (contender === 'bytes') return name => pullBytes(zipUrl(name));
  if (contender === 'libdeflate') {
    const { ReqwestClient, extract } = loadFloor();
    const client = new ReqwestClient();
    return async name => {
      const target = mkdtempSync(path.join(folder, `${name}-`));
      await extract(await client.get(zipUrl(name)), target);
    };
  }
  const { host, origin } = new URL(server.origins.plain);
  const azure = [{ host, plainHttp: 'allow' }];
  const reader = await newReader(contender, {
    azure,
    workingDirectory: folder,
  });
  const query = form === 'archive' ? '?path=/repo' : '';
  return async name => {
    const answer = await reader.readTree(`${origin}/c/p/_git/${name}${query}`);
    await FORMS[form](answer);
  };
}

const FORMS = {
  dir: tree => tree.dir(),
  async files(tree) {
    for (const file of await tree.files()) await file.content();
  },
  async archive(tree) {
    for await (const piece of await tree.archive()) void piece;
  },
};

async function pullBytes(url) {
  const response = await fetch(url);
  for await (const piece of response.body) void piece;
}

/** The zip is written as a download would be, and then unpacked; what that takes is the shell's to tell. */
function unzip(zips, name, folder) {
  const target = mkdtempSync(path.join(folder, `${name}-`));
  const zip = path.join(zips, `${name.split('-x')[0]}.zip`);
  const script = `cat '${zip}' > zip && unzip -q zip && times`;
  const options = { cwd: target, encoding: 'utf8' };
  const { stdout, stderr, status } = spawnSync('sh', ['-c', script], options);
  if (status !== 0) throw new Error(`unzip: ${stderr}`);
  const [, ...times] = stdout
    .trim()
    .split('\n')
    .at(-1)
    .match(/(\d+)m([\d.]+)s (\d+)m([\d.]+)s/);
  const [userMin, user, systemMin, system] = times.map(Number);
  const cpuMs = ((userMin + systemMin) * 60 + user + system) * 1000;
  return {
    cpuMs,
    loopMs: undefined,
    delayP50: undefined,
    delayP99: undefined,
    delayMax: undefined,
    peakMiB: undefined,
  };
}
