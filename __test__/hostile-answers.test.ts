/**
 * Answers of servers that are damaged, wrong or hostile: what is read of them is the right content or
 * an error that says why, in time and in bounded memory.
 *
 * With `HOSTILE_UPSTREAM` in the environment Backstage's own reader is asked the same, and a table of
 * what came of both is printed.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { setTimeout as wait } from 'node:timers/promises';
import {
  makeCertificates,
  type Certificates,
} from '../testing/azure-devops/certificates';
import { zip } from '../testing/azure-devops/zip';
import { attempts1, CONTENT } from './hostile/http1';
import { attempts2 } from './hostile/http2';
import { Reads, type Outcome, type What } from './hostile/Reads';
import {
  closeServers,
  cutBefore,
  flood,
  PATH,
  REPOSITORY,
  serve1,
  serve2,
  type Answer1,
} from './hostile/servers';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const MIB = 2 ** 20;
const COMMIT = 'c'.repeat(40);
const KEY = 'backend.reading.azureDevOps.limits';

let directory: string;
let caFile: string;
let certificates: Certificates;

beforeAll(async () => {
  directory = temporaryFolder('hostile');
  caFile = path.join(directory, 'ca.pem');
  certificates = await makeCertificates(['localhost']);
  writeFileSync(caFile, certificates.ca);
});

afterAll(() => closeServers());

/** Processes that read, by what they are set to. */
const processes = new Map<string, Reads>();

afterAll(async () => {
  await Promise.all([...processes.values()].map(reads => reads.close()));
});

describe.each(['HTTP/1', 'HTTP/2'] as const)('over %s', protocol => {
  const attempts = protocol === 'HTTP/1' ? attempts1 : attempts2;

  it(`${attempts.length} odd answers are read right or refused, in bounded memory`, async () => {
    const reads = readsWith({});
    const upstream = process.env.HOSTILE_UPSTREAM ? upstreamReads() : undefined;
    const seen = await Promise.all(
      attempts.map(async ({ group, name, content, answer }) => {
        const origin =
          protocol === 'HTTP/1'
            ? await serve1(answer as Answer1)
            : await serve2(answer as never, certificates);
        const url = `${origin}${PATH}`;
        const ours = await reads.read(url);
        // It does not speak HTTP/2.
        const theirs =
          protocol === 'HTTP/1' ? await upstream?.read(url) : undefined;
        return { group, name, content, ours, theirs };
      }),
    );
    if (upstream) printTable(protocol, seen);
    const wrong = seen.filter(({ content, ours }) => !isAs(ours, content));
    expect(wrong).toEqual([]);
    expect(await reads.mostMemory()).toBeLessThan(500);
  });
});

it('over TLS a content without a length is whole only where the server has ended it', async () => {
  const reads = readsWith({});
  const start = 'HTTP/1.1 200 OK\r\n\r\n';
  const ended = await serve1(
    socket => void socket.end(`${start}${CONTENT}`),
    certificates,
  );
  expect(await reads.read(`${ended}${PATH}`)).toMatchObject({ text: CONTENT });
  const open = await serve1(
    socket => void socket.write(`${start}${CONTENT}`),
    certificates,
  );
  const cut = await cutBefore(open, 300);
  const read = await reads.read(`${cut}${PATH}`);
  expect(read).toEqual({ error: expect.stringContaining('was truncated') });
});

describe('whatever is read', () => {
  const cut = (content: Buffer) => content.subarray(0, -9);

  it.each<[string, boolean, (content: Buffer) => Partial<Sent>]>([
    ['comes in gzip', true, content => inCoding('gzip', gzipSync(content))],
    ['comes in x-gzip', true, content => inCoding('x-gzip', gzipSync(content))],
    [
      'comes in deflate',
      true,
      content => inCoding('deflate', deflateSync(content)),
    ],
    [
      'is nothing in br',
      false,
      content => inCoding('br', brotliCompressSync(content)),
    ],
    [
      'is nothing in gzip that is cut off',
      false,
      content => inCoding('gzip', cut(gzipSync(content))),
    ],
    [
      'is nothing in gzip that more follows',
      false,
      content => inCoding('gzip', Buffer.concat([gzipSync(content), content])),
    ],
    [
      'is nothing as a part',
      false,
      content => ({ content, status: '206 Partial Content' }),
    ],
    [
      'is nothing as an acceptance',
      false,
      content => ({ content, status: '202 Accepted' }),
    ],
  ])('%s', async (_how, isRight, as) => {
    const reads = readsWith({});
    for (const [which, what, expected] of USES) {
      const sent = { content: '', ...as(Buffer.from(SOUND[which].content)) };
      const six = SIX.map((text, n) => ({
        id: gitId(text),
        path: `/${n}.yaml`,
      }));
      const list = which === 'blobs' ? { content: listOf(six) } : SOUND.list;
      const origin = await serve1(answers({ list, [which]: sent }));
      const read = await reads.read(`${origin}${pathFor(which, what)}`, what);
      const right = isRight
        ? { text: expected }
        : { error: expect.any(String) };
      expect({ which, read }).toMatchObject({ which, read: right });
    }
  });

  it.each([
    ['gzip', gzipSync, true],
    ['x-gzip', gzipSync, true],
    ['br', brotliCompressSync, false],
  ] as const)('a refusal in %s is one', async (coding, compress, isRead) => {
    const reads = readsWith({});
    const json = Buffer.from(JSON.stringify({ message: 'It is gone' }));
    const sent = inCoding(coding, compress(json));
    sent.headers.push('content-type: application/json');
    const file = { ...sent, status: '404 Not Found' };
    const origin = await serve1(answers({ file }));
    const said = isRead ? /^NotFoundError: .*It is gone/ : /^NotFoundError: /;
    expect(await reads.read(`${origin}${PATH}`)).toEqual({
      error: expect.stringMatching(said),
    });
  });
});

describe('answers without bounds', () => {
  const big = JSON.stringify({ value: [], more: 'x'.repeat(3 * MIB) });
  const zeros = Buffer.alloc(3 * MIB);

  it.each<[string, keyof Answers, Sent, What, string]>([
    ['JSON with its length', 'commits', { content: big }, 'tree', 'jsonBytes'],
    [
      'JSON in chunks',
      'commits',
      { content: big, chunked: true },
      'tree',
      'jsonBytes',
    ],
    [
      'JSON in gzip',
      'commits',
      { content: big, gzip: true },
      'tree',
      'jsonBytes',
    ],
    ['a list', 'list', { content: big, chunked: true }, 'search', 'jsonBytes'],
    [
      'lists of folders',
      'folders',
      { content: big, chunked: true },
      'search',
      'jsonBytes',
    ],
    [
      'a file with its length',
      'file',
      { content: zeros },
      'buffer',
      'fileBytes',
    ],
    [
      'a file in chunks',
      'file',
      { content: zeros, chunked: true },
      'buffer',
      'fileBytes',
    ],
    [
      'a file in gzip',
      'file',
      { content: zeros, gzip: true },
      'buffer',
      'fileBytes',
    ],
    [
      'a file of a search',
      'blob',
      { content: zeros, chunked: true },
      'search',
      'fileBytes',
    ],
    [
      'an archive with its length',
      'archive',
      { content: zeros },
      'tree',
      'archiveBytes',
    ],
    [
      'an archive in chunks',
      'archive',
      { content: zeros, chunked: true },
      'tree',
      'archiveBytes',
    ],
    [
      'an archive in gzip',
      'archive',
      { content: zeros, gzip: true },
      'tree',
      'archiveBytes',
    ],
  ])(
    '%s: refused by limit and key, and asked for once',
    async (_name, which, sent, what, key) => {
      const reads = readsWith(
        { jsonBytes: MIB, fileBytes: MIB, archiveBytes: MIB },
        3,
      );
      const asked: string[] = [];
      const origin = await serve1(answers({ [which]: sent }, asked));
      const outcome = await reads.read(
        `${origin}${pathFor(which, what)}`,
        what,
      );
      expect(outcome).toEqual({
        error: expect.stringMatching(
          new RegExp(
            `has more than ${MIB} bytes, which is the limit that ${KEY}.${key} sets`,
          ),
        ),
      });
      expect(asked.filter(one => one === which)).toEqual([which]);
    },
  );

  it.each([1_001, 5_000, 65_000, 66_000])(
    'a file of %d bytes is more than 1,000, however it comes',
    async length => {
      const reads = readsWith({ fileBytes: 1_000 });
      const content = Buffer.alloc(length, 'x');
      const origin = await serve1(answers({ file: { content } }));
      expect(await reads.read(`${origin}${PATH}`, 'buffer')).toEqual({
        error: expect.stringContaining(`${KEY}.fileBytes`),
      });
      const read = await reads.read(`${origin}${PATH}`, 'stream');
      expect(read).toMatchObject({ length });
    },
  );

  it('a stream has no bound', async () => {
    const reads = readsWith({ fileBytes: MIB });
    const content = Buffer.concat([zeros, Buffer.from('end')]);
    const origin = await serve1(answers({ file: { content, gzip: true } }));
    const sha256 = createHash('sha256').update(content).digest('hex');
    const { length } = content;
    const read = await reads.read(`${origin}${PATH}`, 'stream');
    expect(read).toMatchObject({ length, sha256 });
  });

  it('2 MB of gzip that inflate to 2 GB take no such memory', async () => {
    const reads = readsWith({ jsonBytes: 8 * MIB, fileBytes: 8 * MIB });
    const content = bomb();
    const sent = { content, headers: ['content-encoding: gzip'] };
    for (const [which, what] of [
      ['commits', 'tree'],
      ['file', 'buffer'],
    ] as const) {
      const origin = await serve1(answers({ [which]: sent }));
      expect(
        await reads.read(`${origin}${pathFor(which, what)}`, what),
      ).toEqual({
        error: expect.stringMatching(
          /has more than \d+ bytes, .*limits\.(json|file)Bytes/,
        ),
      });
    }
    expect(await reads.mostMemory()).toBeLessThan(500);
  });

  it('what is announced takes no memory', async () => {
    const reads = readsWith({ fileBytes: 2 ** 45, jsonBytes: 2 ** 45 });
    const sent = { content: 'x', headers: [`content-length: ${2 ** 44}`] };
    for (const [which, what] of [
      ['commits', 'tree'],
      ['file', 'buffer'],
    ] as const) {
      const origin = await serve1(answers({ [which]: sent }));
      const read = await reads.read(`${origin}${pathFor(which, what)}`, what);
      expect(read).toEqual({
        error: expect.stringMatching(/before (its end|message length)/),
      });
    }
    expect(await reads.mostMemory()).toBeLessThan(500);
  });

  it.each<[keyof Answers, What]>([
    ['file', 'buffer'],
    ['blob', 'search'],
    ['archive', 'tree'],
  ])(
    'a %s that is more than a Buffer of this Node holds is refused',
    async (which, what) => {
      const reads = readsWith({}, 0, MIB);
      const content = Buffer.alloc(3 * MIB, 'x');
      const entry = { path: 'x.bin', content };
      const sent = { content: which === 'archive' ? zip([entry]) : content };
      const list = { content: listOf([{ id: gitId(String(content)) }]) };
      const origin = await serve1(answers({ list, [which]: sent }));
      const url = `${origin}${pathFor(which, what)}`;
      expect(await reads.read(url, what)).toEqual({
        error: expect.stringMatching(
          /a Buffer has no more than 1048576: .*limits\.fileBytes/,
        ),
      });
    },
  );

  it.each(['[', '{"a":', '{"value":[[', '{"value":'])(
    'JSON that nests without end in %s is none',
    async opening => {
      const reads = readsWith({});
      const sent = { content: opening.repeat(MIB) };
      for (const [which, what] of [
        ['commits', 'tree'],
        ['file', 'buffer'],
      ] as const) {
        const origin = await serve1(answers({ [which]: sent }));
        const read = await reads.read(`${origin}${pathFor(which, what)}`, what);
        expect(read).not.toHaveProperty('ended');
        if (which === 'commits') expect(read).toHaveProperty('error');
      }
    },
  );
});

describe('a content that drips', () => {
  const limits = { contentWait: { milliseconds: 700 } };

  it.each<[string, keyof Answers, What]>([
    ['a file', 'file', 'buffer'],
    ['a file as a stream', 'file', 'stream'],
    ['an archive', 'archive', 'tree'],
    ['JSON', 'commits', 'tree'],
    ['a list', 'list', 'search'],
    ['a content of a search', 'blob', 'search'],
  ])('%s is waited for so long altogether', async (_name, which, what) => {
    const reads = readsWith(limits, 3);
    const asked: string[] = [];
    const drip = { content: 'x'.repeat(1_000), dripMs: 50 };
    const origin = await serve1(answers({ [which]: drip }, asked));
    const outcome = await reads.read(`${origin}${pathFor(which, what)}`, what);
    expect(outcome).toEqual({
      error: expect.stringMatching(
        new RegExp(
          `of which \\d+ bytes came, took more than 700ms, which is the limit that ${KEY}.contentWait sets`,
        ),
      ),
    });
    expect(asked.filter(one => one === which)).toEqual([which]);
  });

  it('is not waited for while nobody asks for more', async () => {
    const reads = readsWith(limits);
    const content = Buffer.alloc(4 * MIB, 'x');
    const origin = await serve1(answers({ file: { content } }));
    const read = await reads.read(`${origin}${PATH}`, 'slow stream');
    expect(read).toMatchObject({ length: content.length });
  });
});

describe('ids that git cannot have', () => {
  const ids = [
    '',
    'c'.repeat(39),
    'c'.repeat(41),
    'g'.repeat(40),
    '\0'.repeat(40),
    '../'.repeat(20).slice(0, 40),
    `${'c'.repeat(38)}\r\n`,
    'c'.repeat(MIB),
    `${COMMIT}&x=y`,
    'ｃ'.repeat(40),
  ];

  it.each(shown(ids))('%s is no commit', async (_shown, id) => {
    const reads = readsWith({});
    const asked: string[] = [];
    const content = JSON.stringify({ value: [{ commitId: id }] });
    const origin = await serve1(answers({ commits: { content } }, asked));
    for (const [path, what] of [
      [REPOSITORY, 'tree'],
      [patternFor('list'), 'search'],
    ] as const) {
      expect(await reads.read(`${origin}${path}`, what)).toEqual({
        error: expect.stringContaining(
          "has an invalid id: git's have 40 or 64 hex digits",
        ),
      });
    }
    // A search asks for a list first, which may name the commit as well.
    expect(asked).toEqual(['commits', 'list', 'commits']);
  });

  it.each(shown(ids))(
    '%s is no content: the list is none',
    async (_shown, id) => {
      const reads = readsWith({});
      const asked: string[] = [];
      const content = listOf([{ id }]);
      const sent = {
        list: { content },
        folders: { content: content.replace(/\[.*\]/, '[$&]') },
      };
      const origin = await serve1(answers(sent, asked));
      const read = await reads.read(`${origin}${patternFor('list')}`, 'search');
      expect(read).toMatchObject({ text: CONTENT });
      expect(asked.at(-1)).toBe('archive');
      expect(asked).not.toContain('blob');
    },
  );

  it.each(['a'.repeat(40), 'A'.repeat(40), '0123456789abcdef'.repeat(4)])(
    '%s is one',
    async id => {
      const reads = readsWith({});
      const content = JSON.stringify({ value: [{ commitId: id }] });
      const origin = await serve1(answers({ commits: { content } }));
      const read = await reads.read(`${origin}${REPOSITORY}`, 'tree');
      expect(read).toMatchObject({ text: `catalog-info.yaml,${CONTENT}` });
    },
  );

  const paths = [
    '/../x.yaml',
    '/a/../../x.yaml',
    '/./x.yaml',
    '/a//x.yaml',
    '/x\0.yaml',
    `/${'a/'.repeat(300)}x.yaml`,
    `/${'x'.repeat(MIB)}.yaml`,
  ];

  it.each(shown(paths))(
    'nor has it a path such as %s: the list is none',
    async (_shown, own) => {
      const reads = readsWith({});
      const asked: string[] = [];
      const content = listOf([{ path: own }]);
      const origin = await serve1(answers({ list: { content } }, asked));
      const read = await reads.read(`${origin}${patternFor('list')}`, 'search');
      expect(read).toMatchObject({ text: CONTENT });
      expect(asked.at(-1)).toBe('archive');
    },
  );
});

/** Texts after what shows them in the name of a test. */
function shown(texts: string[]): Array<[shown: string, text: string]> {
  return texts.map(text => [JSON.stringify(text).slice(0, 50), text]);
}

/** What is sent, and how. */
interface Sent {
  status?: string;
  content: string | Buffer;
  headers?: string[];
  chunked?: boolean;
  gzip?: boolean;
  /** Sent byte by byte, with so long a pause after each. */
  dripMs?: number;
}

/** The calls of a read. */
interface Answers {
  commits: Sent;
  list: Sent;
  folders: Sent;
  blob: Sent;
  blobs: Sent;
  archive: Sent;
  file: Sent;
}

const BLOB = gitId(CONTENT);

/** As many contents as are asked for in a zip. */
const SIX = [1, 2, 3, 4, 5, 6].map(n => `kind: API${n}\n`);

const SOUND: Answers = {
  commits: { content: JSON.stringify({ value: [{ commitId: COMMIT }] }) },
  list: { content: listOf([{}]) },
  folders: { content: listOf([{}]).replace(/\[.*\]/, '[$&]') },
  blob: { content: CONTENT },
  blobs: {
    content: zip(
      SIX.map(content => ({
        path: gitId(content),
        content: Buffer.from(content),
      })),
    ),
  },
  archive: {
    content: zip([
      { path: 'catalog-info.yaml', content: Buffer.from(CONTENT) },
    ]),
  },
  file: { content: CONTENT },
};

/** Each call, by what it is made, and what comes of it where all is well. */
const USES: Array<[which: keyof Answers, what: What, content: string]> = [
  ['commits', 'tree', `catalog-info.yaml,${CONTENT}`],
  ['list', 'search', CONTENT],
  ['folders', 'search', CONTENT],
  ['blob', 'search', CONTENT],
  ['blobs', 'search', SIX.join()],
  ['archive', 'tree', `catalog-info.yaml,${CONTENT}`],
  ['file', 'buffer', CONTENT],
  ['file', 'stream', CONTENT],
];

function inCoding(coding: string, content: Buffer) {
  return { content, headers: [`content-encoding: ${coding}`] };
}

/** A sound server but for these answers; notes which were asked for. */
function answers(wrong: Partial<Answers>, asked: string[] = []): Answer1 {
  return (socket, request) => {
    const which = callOf(request);
    asked.push(which);
    void send(socket, { ...SOUND, ...wrong }[which]);
  };
}

function callOf(request: string): keyof Answers {
  if (request.includes('/commits?')) return 'commits';
  if (request.includes('/itemsbatch')) return 'folders';
  if (request.includes('/blobs'))
    return request.startsWith('POST') ? 'blobs' : 'blob';
  if (request.includes('download=true')) return 'archive';
  return request.includes('scopePath=') ? 'list' : 'file';
}

async function send(socket: Socket, sent: Sent): Promise<void> {
  const { status = '200 OK', headers = [], chunked, gzip, dripMs } = sent;
  const plain = Buffer.from(sent.content);
  const content = gzip ? gzipSync(plain) : plain;
  const isAnnounced = headers.some(line => line.startsWith('content-length'));
  const lines = [
    `HTTP/1.1 ${status}`,
    ...headers,
    ...(gzip ? ['content-encoding: gzip'] : []),
    ...(chunked ? ['transfer-encoding: chunked'] : []),
    ...(chunked || isAnnounced ? [] : [`content-length: ${content.length}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (dripMs) {
    for (const byte of content) {
      if (socket.destroyed) return;
      socket.write(Buffer.from([byte]));
      await wait(dripMs);
    }
  } else if (chunked) {
    const size = 64 * 1024;
    for (let at = 0; at < content.length && !socket.destroyed; at += size) {
      const piece = content.subarray(at, at + size);
      const head = Buffer.from(`${piece.length.toString(16)}\r\n`);
      await flood(socket, 1, Buffer.concat([head, piece, Buffer.from('\r\n')]));
    }
    socket.write('0\r\n\r\n');
  } else {
    socket.write(content);
  }
  if (isAnnounced) socket.end();
}

/** A list of one file, as it is or otherwise. */
function listOf(items: Array<{ id?: string; path?: string }>): string {
  const value = items.map(
    ({ id = BLOB, path: own = '/catalog-info.yaml' }) => ({
      objectId: id,
      gitObjectType: 'blob',
      path: own,
    }),
  );
  return JSON.stringify({ value });
}

/** A pattern that is looked for by the call. */
function patternFor(which: keyof Answers): string {
  const pattern = which === 'folders' ? '/*.yaml' : '/**/*.yaml';
  return `${REPOSITORY}?path=${pattern}`;
}

/** What is read so that the call is made. */
function pathFor(which: keyof Answers, what: What): string {
  if (what === 'tree') return REPOSITORY;
  return what === 'search' ? patternFor(which) : PATH;
}

function gitId(content: string): string {
  return createHash('sha1')
    .update(`blob ${content.length}\0${content}`)
    .digest('hex');
}

/** 2 GB of zeros in 2 MB, made of the same part over and over. */
function bomb(): Buffer {
  const part = gzipSync(Buffer.alloc(32 * MIB), { level: 9 });
  return Buffer.concat(Array(64).fill(part));
}

/** A process that reads with these limits, which others share that are set to the same. */
function readsWith(limits: object, maxRetries = 0, buffers?: number): Reads {
  const settings = { limits, maxRetries, buffers };
  const own = JSON.stringify(settings);
  const reads = processes.get(own) ?? new Reads('ours', caFile, settings);
  processes.set(own, reads);
  return reads;
}

function upstreamReads(): Reads {
  const reads = new Reads('upstream', caFile, {}, 10_000);
  processes.set('upstream', reads);
  return reads;
}

/** Whether a read has come to this content, or to an error where there is none. */
function isAs(outcome: Outcome, content: string | undefined): boolean {
  return content === undefined
    ? 'error' in outcome
    : 'text' in outcome && outcome.text === content;
}

/** How often what came of each kind of attempt, ours and upstream's. */
function printTable(protocol: string, seen: Seen[]): void {
  const groups = [...new Set(seen.map(({ group }) => group))];
  const rows = groups.map(group => {
    const own = seen.filter(one => one.group === group);
    const count = (by: 'ours' | 'theirs') => {
      const counts: Record<string, number> = {};
      for (const one of own) {
        const came = kindOf(one[by], one.content);
        counts[came] = (counts[came] ?? 0) + 1;
      }
      return Object.entries(counts)
        .map(([came, n]) => `${n} ${came}`)
        .join(', ');
    };
    return `| ${protocol}: ${group} | ${own.length} | ${count('ours')} | ${count('theirs')} |`;
  });
  process.stdout.write(`${rows.join('\n')}\n`);
  for (const one of seen) process.stdout.write(`${JSON.stringify(one)}\n`);
}

interface Seen {
  group: string;
  name: string;
  content: string | undefined;
  ours: Outcome;
  theirs: Outcome | undefined;
}

function kindOf(outcome: Outcome | undefined, content?: string): string {
  if (!outcome) return 'not asked';
  if ('ended' in outcome) return outcome.ended;
  if ('error' in outcome) return 'error';
  return outcome.text === content ? 'right content' : 'wrong content';
}
