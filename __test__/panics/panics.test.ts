import type {
  UrlReaderService,
  UrlReaderServiceReadTreeResponse,
} from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import {
  DEFAULT_TOKEN,
  standIn,
  type Hosted,
} from '../../testing/azure-devops';
import { FAULTY, native, ours } from './faulty';
import { mockLogger } from '../../testing/mockLogger';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

const run = promisify(execFile);
const azure = standIn();

/** What is told of a panic: whose fault it is and where more stands, and nothing of what was read. */
const BUG =
  /backstage-azure-devops-native panicked, .*bug worth reporting.*standard error/;
const SECRET = 's3cret';

let hosted: Hosted;
let reader: UrlReaderService;
let count = 0;

/** Each test has a repository of its own, so that nothing of it is kept yet. */
beforeEach(async () => {
  azure.reset();
  count += 1;
  hosted = await azure.addRepository({
    organization: 'panics',
    project: 'p',
    repository: `r${count}`,
    files: {
      'a.yaml': `a: ${count}\n`,
      'b/a.yaml': `b: ${count}\n`,
      'b/c/a.yaml': `c: ${count}\n`,
      'd e/a.yaml': `d: ${count}\n`,
      'large.bin': Buffer.alloc(300_000, `${count}`),
    },
  });
  reader = readerOf([{ personalAccessToken: DEFAULT_TOKEN }], azure.host);
});

afterEach(() => expect(native.disarmPanics()).toEqual([]));

describe('a panic in a call that gives a value is an error', () => {
  const repository = 'https://dev.azure.com/o/p/_git/r';
  const calls: Record<string, [place: string, call: () => unknown]> = {
    'a function': ['function', () => native.hostOf(repository)],
    'a method of a class': [
      'factory',
      () => native.AzureUrl.fromRepoUrl(repository),
    ],
    'a method of an object': ['method', () => azureUrl().toRepoUrl()],
    'a getter': ['getter', () => azureUrl().owner],
    'a constructor': ['constructor', () => new native.Cancellation()],
    'what OpenTelemetry asks': ['measurements', () => native.measurements()],
  };

  const azureUrl = () =>
    native.AzureUrl.fromRepoUrl(repository) as never as {
      owner: string;
      toRepoUrl(): string;
    };

  it.each(Object.entries(calls))('%s', (_what, [place, call]) => {
    const expected = call();
    native.panicAt(place);
    expect(said(thrownBy(call))).toMatch(BUG);
    // The prototypes of two runs are the same.
    expect(call()).toEqual(expected);
  });

  it('every function that crosses the boundary catches it', () => {
    const folder = path.join(__dirname, '../../src/bindings');
    const functions = readdirSync(folder).flatMap(file => {
      const source = readFileSync(path.join(folder, file), 'utf8');
      const attribute =
        /#\[napi(?:\(([^\]]*)\))?\]\s*(?:#\[[^\]]*\]\s*)*pub (?:async )?fn (\w+)/g;
      return [...source.matchAll(attribute)];
    });
    expect(functions.length).toBeGreaterThan(40);
    const not = functions.filter(([, how]) => !how?.includes('catch_unwind'));
    expect(not.map(([, , name]) => name)).toEqual([]);
  });
});

describe('a panic in a read rejects it, and the next one reads', () => {
  const reads: Record<string, () => Promise<unknown>> = {
    readUrl: async () => String(await (await readFile()).buffer()),
    readTree: () => reader.readTree(tree()),
    'readTree().files()': async () => contents(await reader.readTree(tree())),
    'readTree().dir()': async () => (await reader.readTree(tree())).dir(),
    'readTree().archive()': async () =>
      buffer(await (await reader.readTree(tree())).archive()),
    'search with a pattern': async () => search(),
  };
  const places: Record<string, Array<keyof typeof reads>> = {
    call: Object.keys(reads),
    promise: Object.keys(reads),
    request: Object.keys(reads),
    'locked gate': Object.keys(reads),
    'head of an archive': ['readTree', 'readTree().dir()'],
    'content of an archive': ['readTree().files()', 'readTree().archive()'],
    'made for all': ['search with a pattern'],
    'blocking work': ['readTree().files()', 'readTree().dir()'],
    files: ['readTree().files()'],
    extraction: ['readTree().dir()'],
    packing: ['readTree().archive()'],
  };
  const cases = Object.entries(places).flatMap(([place, names]) =>
    names.map(name => [place, name] as const),
  );

  it.each(cases)('%s: %s', async (place, name) => {
    native.panicAt(place);
    expect(said(await rejectionOf(reads[name]()))).toMatch(BUG);
    await expect(soon(reads[name]())).resolves.toBeDefined();
  });

  it('what is pulled from a stream', async () => {
    const response = await reader.readUrl(
      hosted.webUrl({ path: '/large.bin', at: 'server' }),
    );
    native.panicAt('promise');
    const pulled = buffer(response.stream!());
    expect(said(await rejectionOf(pulled))).toMatch(BUG);
  });

  it.each([
    ['head of an archive', 'readTree().files()'],
    ['content of an archive', 'readTree().files()'],
    ['made for all', 'search with a pattern'],
  ])('%s: everybody who waits for it learns of it', async (place, name) => {
    // Slow enough that all of them wait for the same.
    azure.misbehave({ delayMs: 300 });
    native.panicAt(place);
    const outcomes = await soon(
      Promise.allSettled(Array.from({ length: 5 }, () => reads[name]())),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(said(outcome.reason)).toMatch(BUG);
      }
    }
    expect(outcomes.map(({ status }) => status)).toContain('rejected');
    await expect(soon(reads[name]())).resolves.toBeDefined();
  });

  it.each(['token', 'token for all'])(
    '%s: the next is asked for',
    async place => {
      const [tenantId, clientId] = [randomUUID(), randomUUID()];
      azure.entra.addApp({ tenantId, clientId, secrets: ['s'] });
      const credential = { tenantId, clientId, clientSecret: 's' };
      const other = readerOf([credential], 'dev.azure.com');
      native.panicAt(place);
      const url = hosted.webUrl({ path: '/a.yaml' });
      const reading = [1, 2, 3].map(() => other.readUrl(url));
      const responses = await soon(Promise.all(reading));
      for (const response of responses) {
        expect(String(await response.buffer())).toBe(`a: ${count}\n`);
      }
    },
  );

  it('a hundred of them keep no request from being made', async () => {
    for (let n = 0; n < 100; n += 1) {
      native.panicAt('request');
      expect(said(await rejectionOf(readFile()))).toMatch(BUG);
    }
    const response = await soon(readFile());
    expect(String(await response.buffer())).toBe(`a: ${count}\n`);
  });
});

describe('a panic beside a read', () => {
  it('is not felt in what is learnt in the background', async () => {
    native.panicAt('background');
    // Found by the second way to write its path, so that the folder is looked for by the first.
    const url = hosted.webUrl({ path: '/d%20e/a.yaml', at: 'server' });
    for (let n = 0; n < 2; n += 1) {
      const response = await soon(reader.readUrl(url));
      expect(String(await response.buffer())).toBe(`d: ${count}\n`);
    }
  });

  it('is not felt in what is shared with other replicas', async () => {
    native.shareThrough(
      'panics',
      async () => undefined,
      async () => {},
    );
    native.panicAt('shared cache');
    const response = await soon(readFile());
    expect(String(await response.buffer())).toBe(`a: ${count}\n`);
  });

  it("is that read's where it tells the log", async () => {
    native.logTo(() => {});
    native.panicAt('log');
    const other = await azure.addRepository({
      organization: `panics-${count}`,
      project: 'p',
      repository: 'r',
      files: { 'a.yaml': 'a: 1\n' },
    });
    const url = other.webUrl({ path: '/a.yaml', at: 'server' });
    expect(said(await rejectionOf(reader.readUrl(url)))).toMatch(BUG);
    const response = await soon(reader.readUrl(url));
    expect(String(await response.buffer())).toBe('a: 1\n');
  });
});

describe('a process', () => {
  it('lives on when the end of an object panics', async () => {
    const { stdout } = await node('--expose-gc', [
      path.join(__dirname, 'dropped.cjs'),
      FAULTY,
    ]);
    expect(stdout.trim().split('\n')).toEqual([
      'AzureUrl is gone',
      'Cancellation is gone',
      'Credentials is gone',
      'dev.azure.com',
    ]);
  });

  it('says where it panicked, and nothing of what was read', async () => {
    const script = `const { native } = require('./dist/binding.js');
      native().panicAt('function');
      try { native().hostOf('https://a') } catch {}`;
    const { stderr } = await node('-e', [script]);
    expect(stderr).toMatch(
      /^backstage-azure-devops-native \S+ panicked at src\/fault\.rs:\d+:\d+, .*bug worth reporting\n$/,
    );
    expect(stderr).not.toContain(SECRET);
  });
});

function readerOf(credentials: object[], host: string): UrlReaderService {
  const workingDirectory = temporaryFolder('panics');
  const config = new ConfigReader({
    backend: { workingDirectory },
    integrations: { azure: [{ host, credentials }] },
  } as never);
  const factories = ours.AzureUrlReader.factory({
    config,
    logger: mockLogger(),
    treeResponseFactory: undefined as never,
  });
  return factories.find(({ predicate }) =>
    predicate(new URL(`http://${host}`)),
  )!.reader;
}

const tree = () => hosted.webUrl({ at: 'server' });

const readFile = () =>
  reader.readUrl(hosted.webUrl({ path: '/a.yaml', at: 'server' }));

async function contents(response: UrlReaderServiceReadTreeResponse) {
  const files = await response.files();
  return Promise.all(files.map(file => file.content()));
}

async function search() {
  const url = hosted.webUrl({ path: '/**/a.yaml', at: 'server' });
  const { files } = await reader.search(url);
  return Promise.all(files.map(file => file.content()));
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = soon(promise).then(
    () => undefined,
    error => error,
  );
  const error = await outcome;
  if (error === undefined) throw new Error('it was not rejected');
  return error;
}

/** The message, which has nothing in it that came from outside. */
function said(error: unknown): string {
  const { message, stack } = error as Error;
  expect(`${message} ${stack}`).not.toContain(SECRET);
  return message;
}

/** What hangs is a failure of its own. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('nothing came of it')), 10_000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function node(...[option, args]: [string, string[]]) {
  return run(process.execPath, [option, ...args], {
    cwd: FAULTY,
    env: { ...process.env, RUST_BACKTRACE: '0' },
    timeout: 30_000,
  });
}
