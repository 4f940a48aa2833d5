/** What a catalog user's pattern, or a long list of files, does to the event loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import fc from 'fast-check';
import { braceExpand } from 'minimatch';
import { standIn, type Hosted } from '../testing/azure-devops';
import { limitCache, limitReads, NOTHING } from '../testing/limits';
import { reader } from '../testing/reader';
import { seed } from './parity/seed';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const azure = standIn();
const FILES = 200;
const workingDirectory = temporaryFolder('event-loop');

/** The last ends of three questions of exponential time, each with a path that it does not match. */
const NEGATED = [
  `${'*!('.repeat(60)}ab${')'.repeat(60)}`,
  `${'*(!('.repeat(40)}a?b${'))'.repeat(40)}*`,
  `${'?!(*'.repeat(60)}a${')'.repeat(60)}`,
];

/** Patterns that take seconds to be read. */
const HOSTILE = [`${'['.repeat(7_800)}*`, `*${'[a'.repeat(3_800)}`];

let hosted: Hosted;

beforeAll(async () => {
  limitCache(NOTHING);
  const files: Record<string, string> = {};
  for (let n = 0; n < FILES; n += 1) files[`f/${n}.md`] = `${n}`;
  files[`long/${'ab'.repeat(100)}z`] = 'long';
  hosted = await azure.addRepository({
    organization: 'loop',
    project: 'p',
    repository: 'r',
    files,
  });
});

beforeEach(() => azure.clearRequests());
afterEach(() => limitAlternatives(undefined));
afterAll(() => limitCache({}));

const own = () => reader({ of: 'dev.azure.com', workingDirectory });

function limitAlternatives(patternAlternatives: number | undefined): void {
  limitReads({ patternAlternatives });
}

/** Counts how often the event loop turns. */
function countTurns() {
  const counted = { turns: 0, stop: () => clearImmediate(next) };
  let next = setImmediate(count);
  function count() {
    counted.turns += 1;
    next = setImmediate(count);
  }
  return counted;
}

/** Works for some milliseconds, as a filter may. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe('a pattern', () => {
  it.each([
    ['pairs', '{a,b}/'.repeat(17)],
    ['many pairs', '{a,b}'.repeat(10_000)],
    ['a sequence', '{1..1000000000}/*'],
    ['letters', '{a..z}{a..z}{a..z}*'],
    ['sets in sets', `${'{a,'.repeat(2_000)}b${'}'.repeat(2_000)}*`],
    ['a sequence that a set makes', '{1..{5,999999}}*'],
    ['braces that others close', `{a}${',b'.repeat(5_000)}}*`],
    ['percent escapes', `%7Ba,b%7D/${'{a,b}/'.repeat(17)}`],
  ])('that expands too far is refused at once: %s', async (_name, pattern) => {
    const url = hosted.webUrl({ path: `/**/${pattern}` });
    const search = own().search(url);
    await expect(search).rejects.toThrow(
      /^Failed to search https:\/\/\S+, the pattern '.{1,110}' has more than 1000 alternatives, which is the limit that backend\.reading\.azureDevOps\.limits\.patternAlternatives sets$/,
    );
    expect(azure.requests).toHaveLength(0);
  });

  it('is never counted for less than what it expands to', async () => {
    const part = fc.constantFrom(
      ...['{', '}', '{', '}', ',', ',', '{a', 'b}', '..', '1', '9', '-', '.'],
      ...['\\', '$', '{1..4}', '{a,b}', '{c..a}', '{}', '/', 'x', '{x}'],
    );
    const pattern = fc.array(part, { minLength: 2, maxLength: 22 });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(pattern, async parts => {
        const glob = `${parts.join('')}*`;
        const expanded = braceExpand(glob).length;
        fc.pre(expanded > 1);
        limitAlternatives(expanded - 1);
        const url = hosted.webUrl({ path: `/${glob}` });
        await expect(own().search(url)).rejects.toThrow('alternatives');
        count += 1;
      }),
      { numRuns: 2_000, seed },
    );
    expect(count).toBeGreaterThan(1_000);
    expect(azure.requests).toHaveLength(0);
  });

  it('is searched for up to the limit, and beyond where that is configured', async () => {
    const numbers = Array.from({ length: 999 }, (_, n) => n + 100).join(',');
    const url = hosted.webUrl({ path: `/f/{1,${numbers}}.m*` });
    expect((await own().search(url)).files).toHaveLength(101);
    limitAlternatives(999);
    await expect(own().search(url)).rejects.toThrow('more than 999 ');
    const far = hosted.webUrl({ path: '/f/{0..1999}.m*' });
    limitAlternatives(2_000);
    expect((await own().search(far)).files).toHaveLength(FILES);
  });

  it('that is too long is refused as minimatch refuses it, before anything is sent', async () => {
    const url = hosted.webUrl({ path: `/${'*'.repeat(65_537)}` });
    const search = own().search(url);
    await expect(search).rejects.toThrow(new TypeError('pattern is too long'));
    expect(azure.requests).toHaveLength(0);
  });

  it.each(NEGATED)('with groups %j is refused', async glob => {
    azure.clearRequests();
    const url = hosted.webUrl({ path: `/long/${glob}` });
    await expect(own().search(url)).rejects.toThrow(
      /^Failed to search https:\S+, the pattern has more than 10 negated groups/,
    );
    expect(azure.requests).toHaveLength(0);
  });

  it('that takes too long has an end, for which nobody waits whose signal is aborted', async () => {
    const url = hosted.webUrl({ path: `/long/${HOSTILE[0]}` });
    const first = own().search(url);
    const controller = new AbortController();
    const second = own().search(url, { signal: controller.signal });
    let isFirstDone = false;
    const done = first
      .catch(error => error)
      .finally(() => (isFirstDone = true));
    setTimeout(() => controller.abort(new Error('enough')), 100);
    await expect(second).rejects.toThrow('enough');
    expect(isFirstDone).toBe(false);
    expect(await done).toMatchObject({
      name: 'InputError',
      message: expect.stringMatching(
        /^The pattern 'long\/\[{95}…' takes more than 10 seconds or 256 MiB to match/,
      ),
    });
  });

  it.each(HOSTILE)(
    'that takes too long holds up nobody, and ends with its signal: %#',
    async pattern => {
      const controller = new AbortController();
      const url = hosted.webUrl({ path: `/long/${pattern}` });
      const search = own().search(url, { signal: controller.signal });
      const outcome = search.then(
        () => 'done',
        error => error,
      );
      // Its time is up after ten seconds; the event loop turns all the while.
      const waited = new Promise(resolve => setTimeout(resolve, 500));
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      await Promise.race([waited, outcome]);
      // It is read, or matched, for seconds where it stands in the way.
      expect(delay.max / 1e6).toBeLessThan(300);
      controller.abort(new Error('enough'));
      expect(await outcome.then(it => it.message ?? it)).toMatch(
        /^(done|enough|The pattern .* takes more than .*)$/,
      );
    },
  );
});

describe('the event loop turns', () => {
  it('while a filter is asked, once for each file and in order', async () => {
    const tree = await own().readTree(hosted.webUrl());
    const names = (await tree.files()).map(file => file.path);
    for (const use of ['files', 'dir', 'archive'] as const) {
      const asked: string[] = [];
      const filter = (name: string) => {
        asked.push(name);
        work(1);
        return false;
      };
      const url = hosted.webUrl({ path: use === 'archive' ? '/f' : '/' });
      const slow = await own().readTree(url, { filter });
      let before = 0;
      let during = 0;
      const counted = countTurns();
      const read = slow[use]();
      const watch = setInterval(() => {
        if (asked.length > 0 && before === 0) before = counted.turns;
        during = counted.turns;
      }, 1);
      await read;
      clearInterval(watch);
      counted.stop();
      const expected = use === 'archive' ? FILES : FILES + 1;
      expect(asked).toHaveLength(expected);
      if (use !== 'archive') expect(asked).toEqual(names);
      // At least every 20 ms: 200 calls take 200 ms.
      expect(during - before).toBeGreaterThanOrEqual(8);
    }
  });

  it('while several filters are asked at once, for all of them', async () => {
    let running = 0;
    let longest = 0;
    let startedAt = 0;
    const filter = () => {
      const now = performance.now();
      if (running === 0) startedAt = now;
      running += 1;
      work(1);
      longest = Math.max(longest, running);
      return startedAt < 0;
    };
    const trees = await Promise.all(
      Array.from({ length: 5 }, () =>
        own().readTree(hosted.webUrl(), { filter }),
      ),
    );
    const again = setInterval(() => undefined, 1);
    let next = setImmediate(function turn() {
      running = 0;
      next = setImmediate(turn);
    });
    await Promise.all(trees.map(tree => tree.files()));
    clearInterval(again);
    clearImmediate(next);
    expect(longest).toBeLessThanOrEqual(20);
  });

  it('and a signal that is aborted meanwhile ends the filter', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let asked = 0;
    const filter = () => {
      asked += 1;
      if (asked === 5)
        setImmediate(() => controller.abort(new Error('enough')));
      work(1);
      return true;
    };
    const tree = await own().readTree(hosted.webUrl(), { filter, signal });
    await expect(tree.files()).rejects.toThrow('enough');
    expect(asked).toBeLessThan(FILES / 2);
  });
});
