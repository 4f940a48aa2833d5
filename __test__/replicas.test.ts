import { setTimeout as wait } from 'node:timers/promises';
import {
  DEFAULT_TOKEN,
  standIn,
  type Hosted,
  type RecordedRequest,
} from '../testing/azure-devops';
import type { CacheFault } from './replicas/CacheFault';
import { Redis, whyNoRedis } from './replicas/Redis';
import { ReplicaProcess } from './replicas/ReplicaProcess';
import { until } from '../testing/until';

const reason = whyNoRedis();
if (reason) console.warn(`Skipped: there is no Redis here, ${reason}`);

/** How long news may take from one replica to another. */
const NEWS_MS = 1_000;

const azure = standIn();

let redis: Redis;
let replicas: ReplicaProcess[];
let count = 0;
let hosted: Hosted;

(reason ? describe.skip : describe)('three replicas with one Redis', () => {
  beforeAll(async () => {
    redis = await Redis.start();
    const all = Array.from({ length: 3 }, () => start(DEFAULT_TOKEN));
    replicas = await Promise.all(all);
  });

  /** Every test has a repository of its own, so that nothing of it is kept yet. */
  beforeEach(async () => {
    count += 1;
    const files: Record<string, string> = { 'docs/index.md': '# Docs\n' };
    for (let n = 0; n < 12; n += 1) {
      files[`services/s${n}/catalog-info.yaml`] = `kind: Component ${n}\n`;
    }
    hosted = await azure.addRepository({
      organization: 'replicas',
      project: 'p',
      repository: `r${count}`,
      files,
    });
    azure.reset();
  });

  afterAll(async () => {
    replicas?.forEach(replica => replica.end());
    await redis?.kill();
  });

  it('pause all where one of them is told to', async () => {
    const url = urlOf('/docs/index.md');
    await Promise.all(replicas.map(replica => replica.read('readUrl', url)));
    azure.clearRequests();
    azure.misbehave({ times: 1, status: 429, headers: { 'retry-after': '3' } });
    const [throttled, ...others] = replicas;
    const reads = [throttled.read('readUrl', url)];
    await until(() => azure.requests.length > 0);
    const { at } = azure.requests[0];
    while (Date.now() < at + 3_500) {
      reads.push(...others.map(other => other.read('readUrl', url)));
      await wait(100);
    }
    await Promise.all(reads);
    const after = azure.requests.map(request => request.at - at);
    expect(after.filter(ms => ms > NEWS_MS && ms < 3_000)).toEqual([]);
    // The one that was refused is asked again.
    expect(after).toHaveLength(reads.length + 1);
  });

  it('send nothing at all where the pause began before they asked', async () => {
    const url = urlOf('/docs/index.md');
    azure.misbehave({ times: 1, status: 429, headers: { 'retry-after': '3' } });
    const [throttled, other] = replicas;
    const first = throttled.read('readUrl', url);
    await until(() => azure.requests.length > 0);
    const { at } = azure.requests[0];
    await wait(NEWS_MS);
    await Promise.all([first, other.read('readUrl', url)]);
    const after = azure.requests.map(request => request.at - at);
    expect(after.filter(ms => ms > 0 && ms < 3_000)).toEqual([]);
  });

  it.each([
    ['search', '/**/catalog-info.yaml'],
    ['search', '/services/*/catalog-info.yaml'],
    ['search', '/services/s1/*.yaml'],
    ['readTree', '/'],
    ['readTree', '/services'],
  ] as const)('download once what a %s of %s takes', async (way, path) => {
    const url = urlOf(path);
    const [first, ...others] = replicas;
    const read = await first.read(way, url);
    expect(Object.keys(read)).not.toHaveLength(0);
    for (const other of others) {
      // What is shared is written after the read.
      await wait(300);
      azure.clearRequests();
      expect(await other.read(way, url)).toEqual(read);
      expect(azure.requests.map(whatIsAsked)).toEqual(['commits']);
    }
  });

  it('download what a commit has changed, once', async () => {
    const url = urlOf('/services/*/catalog-info.yaml');
    for (const replica of replicas) await replica.read('search', url);
    await hosted.git.commit({
      files: { 'services/s1/catalog-info.yaml': 'kind: Changed\n' },
    });
    const [first, ...others] = replicas;
    const read = await first.read('search', url);
    expect(Object.values(read)).toContain('kind: Changed\n');
    await wait(300);
    azure.clearRequests();
    for (const other of others) {
      expect(await other.read('search', url)).toEqual(read);
    }
    expect(azure.requests.map(whatIsAsked)).toEqual(['commits', 'commits']);
  });

  it('share nothing with another identity', async () => {
    azure.addToken('another-token');
    const stranger = await start('another-token');
    try {
      const url = urlOf('/services/*/catalog-info.yaml');
      const read = await replicas[0].read('search', url);
      const asked = azure.requests.map(whatIsAsked);
      azure.clearRequests();
      expect(await stranger.read('search', url)).toEqual(read);
      expect(azure.requests.map(whatIsAsked)).toEqual(asked);

      azure.revokeToken('another-token');
      await expect(stranger.read('search', url)).rejects.toThrow(
        /personal access token/,
      );
    } finally {
      stranger.end();
    }
  });

  it.each(['crashes', 'answers nothing'])(
    'read on where Redis %s, and share again when it is back',
    async what => {
      const crashes = what === 'crashes';
      const url = urlOf('/**/catalog-info.yaml');
      await Promise.all(replicas.map(replica => replica.read('search', url)));
      const startedAt = Date.now();
      await (crashes ? redis.kill() : redis.freeze());
      for (let n = 0; n < 15; n += 1) {
        const file = `services/s${n}/catalog-info.yaml`;
        await hosted.git.commit({ files: { [file]: `kind: Now ${n}\n` } });
        const found = await Promise.all(
          replicas.map(replica => replica.read('search', url)),
        );
        for (const files of found) {
          expect(Object.values(files)).toContain(`kind: Now ${n}\n`);
        }
        await wait(200);
      }
      expect(Date.now() - startedAt).toBeLessThan(15_000);
      await (crashes ? redis.start() : redis.thaw());

      const [one, other] = replicas;
      const isShared = async (n: number) => {
        const files = { 'services/s1/catalog-info.yaml': `kind: Back ${n}\n` };
        await hosted.git.commit({ files });
        await one.read('search', url);
        await wait(300);
        azure.clearRequests();
        await other.read('search', url);
        return azure.requests.length === 1;
      };
      const backAt = Date.now();
      let n = 0;
      while (!(await isShared(n))) {
        n += 1;
        expect(Date.now() - backAt).toBeLessThan(30_000);
      }

      const lines = await one.logged(/shared cache/);
      expect(lines.slice(-2)).toEqual([
        expect.stringMatching(/^The shared cache does not answer/),
        expect.stringMatching(/^The shared cache answers again/),
      ]);
    },
  );

  it('leave nothing in Redis that anybody else could read', async () => {
    const url = urlOf('/**/catalog-info.yaml');
    await replicas[0].read('search', url);
    await replicas[0].read('readTree', urlOf('/'));
    await wait(500);
    const texts = decoded(redis.everything());
    expect(texts.some(text => text.includes('azureDevOpsNative:blob'))).toBe(
      true,
    );
    const secrets = ['kind: ', 'services', '# Docs', 'PK\x03\x04'];
    for (const secret of [...secrets, hosted.webUrl(), DEFAULT_TOKEN]) {
      expect(texts.filter(text => text.includes(secret))).toEqual([]);
    }
  });
});

it.each<CacheFault>([
  'is slow',
  'throws',
  'gives back something else',
  'gives back what is no text',
  'gives back other entries',
])('a replica reads what is there where its cache %s', async fault => {
  const repository = await azure.addRepository({
    organization: 'replicas',
    project: 'p',
    repository: fault.replaceAll(' ', '-'),
    files: { 'a/x.yaml': 'a: 1\n', 'b/x.yaml': 'b: 1\n', 'c.md': '# C\n' },
  });
  const { host } = azure;
  const personalAccessToken = DEFAULT_TOKEN;
  const replica = await ReplicaProcess.start({
    host,
    personalAccessToken,
    fault,
  });
  try {
    const at = 'server';
    for (let n = 0; n < 3; n += 1) {
      const path = '/*/x.yaml';
      const url = repository.webUrl({ at, path });
      const found = await replica.read('search', url);
      expect(Object.values(found)).toEqual(['a: 1\n', 'b: 1\n']);
      const tree = await replica.read('readTree', repository.webUrl({ at }));
      expect(tree).toEqual({
        'a/x.yaml': 'a: 1\n',
        'b/x.yaml': 'b: 1\n',
        'c.md': '# C\n',
      });
      // What is shared is written after the read.
      await wait(300);
    }
  } finally {
    replica.end();
  }
});

/** A text, and what is in it in base64, as often as there is something. */
function decoded(text: string): string[] {
  const inside = text.match(/[\w+/]{16,}={0,2}/g) ?? [];
  const texts = inside.map(part =>
    Buffer.from(part, 'base64').toString('latin1'),
  );
  return [text, ...texts.flatMap(decoded)];
}

function whatIsAsked({ url }: RecordedRequest): string {
  return url.match(/\/_apis\/git\/repositories\/[^/]+\/(\w+)/)?.[1] ?? url;
}

function start(personalAccessToken: string): Promise<ReplicaProcess> {
  const { host } = azure;
  return ReplicaProcess.start({ host, personalAccessToken, redis: redis.url });
}

function urlOf(path: string): string {
  return hosted.webUrl({ at: 'server', path });
}
