// Small and large files, so many at once: each read has another URL.
import { spawnSync } from 'node:child_process';
import { loadFloor } from '../lib/canned-server.mjs';
import { newReader } from '../../testing/measuring/host.mjs';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

const ETAG = '"0a1b"';
const READERS = ['native', 'upstream'];
const FLOORS = ['reqwest', 'hyper'];
const ALL = [...READERS, ...FLOORS];

const SMALL = { size: 1600, atOnce: 64, over: 'plain', seconds: 1.2 };
const KB = 1000;
const MB = 1000 * KB;

export const cases = [
  ...[1, 4, 16, 64, 256].map(atOnce => ({
    name: `readUrl 1.6 KB, ${atOnce} at once`,
    contenders: atOnce === 64 ? [...ALL, 'wrk'] : ALL,
    rounds: atOnce === 64 || atOnce === 1 ? 5 : 3,
    options: { ...SMALL, atOnce },
  })),
  ...[1, 64].map(atOnce => ({
    name: `readUrl 1.6 KB, TLS and HTTP/2, ${atOnce} at once`,
    contenders: ALL,
    options: { ...SMALL, atOnce, over: 'tls' },
  })),
  ...[64, 256].map(atOnce => ({
    name: `readUrl 1.6 KB, TLS and HTTP/2, 20 ms away, ${atOnce} at once`,
    contenders: ALL,
    options: { ...SMALL, atOnce, over: 'distantTls' },
  })),
  {
    name: 'readUrl 1.6 KB, not modified, 64 at once',
    contenders: ALL,
    options: { ...SMALL, etag: ETAG },
  },
  ...[
    ['1 KB', KB, 64],
    ['100 KB', 100 * KB, 16],
    ['10 MB', 10 * MB, 4],
    ['100 MB', 100 * MB, 1],
  ].map(([shown, size, atOnce]) => ({
    name: `readUrl ${shown}, ${atOnce} at once`,
    contenders: ALL,
    options: { ...SMALL, size, atOnce },
  })),
  ...[
    ['10 MB', 10 * MB, 4],
    ['100 MB', 100 * MB, 1],
  ].map(([shown, size, atOnce]) => ({
    name: `stream() ${shown}, ${atOnce} at once`,
    contenders: READERS,
    options: { ...SMALL, size, atOnce, streams: true },
  })),
].map(it => ({
  group: 'readUrl',
  needs: 'canned',
  quick: { seconds: 0.4 },
  ...it,
}));

/** Reads for so many seconds, so many at once; before, for half of that to warm up. */
export async function prepare({ contender, options, server }) {
  if (contender === 'wrk') return () => wrk(options, server);
  const read = await readWith(contender, options, server);
  const { seconds, atOnce } = options;
  let next = 0;
  const readFor = async duration => {
    const end = performance.now() + duration * 1000;
    let units = 0;
    const worker = async () => {
      do {
        next += 1;
        await read(next);
        units += 1;
      } while (performance.now() < end);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return { units };
  };
  await readFor(seconds / 2);
  return () => readFor(seconds);
}

async function readWith(contender, options, { origins, caFile }) {
  const { size, over, etag, streams } = options;
  const origin = origins[over];
  const pathOf = n => `/${size}/services/s${n}/catalog-info.yaml`;
  const expect = length => {
    if (length !== (etag ? 0 : size)) throw new Error(`read ${length} bytes`);
  };
  if (FLOORS.includes(contender)) {
    const client = floorClient(
      contender,
      origin,
      over === 'plain' ? undefined : caFile,
    );
    return async n => {
      const url = restUrl(origin, pathOf(n));
      expect((await client.get(url, etag)).length);
    };
  }
  const reader = await readerOf(contender, origin);
  const urlOf = n => `${origin}/collection/project/_git/repo?path=${pathOf(n)}`;
  if (streams) return async n => expect(await pulled(reader, urlOf(n)));
  if (etag) return n => readUnchanged(reader, urlOf(n), etag);
  return async n => {
    const response = await reader.readUrl(urlOf(n));
    expect((await response.buffer()).length);
  };
}

function floorClient(contender, origin, caFile) {
  const { HyperClient, ReqwestClient } = loadFloor();
  return contender === 'hyper'
    ? new HyperClient(new URL(origin).host, caFile)
    : new ReqwestClient(caFile);
}

function readerOf(contender, origin) {
  const { host } = new URL(origin);
  const credentials = [{ personalAccessToken: 'token' }];
  const azure = [{ host, credentials, plainHttp: 'allow' }];
  const workingDirectory = temporaryFolder('bench');
  return newReader(contender, { azure, workingDirectory });
}

/** As both readers ask for a file. */
function restUrl(origin, path) {
  return `${origin}/collection/project/_apis/git/repositories/repo/items?api-version=6.0&path=${path}`;
}

/** What is not modified is an error; Backstage's own reader reads it all the same. */
async function readUnchanged(reader, url, etag) {
  try {
    const response = await reader.readUrl(url, { etag });
    await response.buffer();
  } catch (error) {
    if (error.name !== 'NotModifiedError') throw error;
  }
}

async function pulled(reader, url) {
  const response = await reader.readUrl(url);
  let length = 0;
  for await (const piece of response.stream()) length += piece.length;
  return length;
}

/** How many requests a second a client in C makes, of one and the same URL. */
function wrk({ atOnce, over, seconds, size }, { origins }) {
  const url = restUrl(origins[over], `/${size}/wrk`);
  const args = ['-t1', `-c${atOnce}`, `-d${Math.ceil(seconds)}s`, url];
  const { stdout, error } = spawnSync('wrk', args, { encoding: 'utf8' });
  if (error) throw error;
  const [, rate] = stdout.match(/Requests\/sec:\s+([\d.]+)/);
  const units = Number(rate) * seconds;
  return { units, ms: seconds * 1000, cpuMs: undefined, loopMs: undefined };
}
