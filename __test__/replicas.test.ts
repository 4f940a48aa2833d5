import { DEFAULT_TOKEN, standIn, type Hosted } from './azure-devops';
import { Redis, whyNoRedis } from './replicas/Redis';
import { ReplicaProcess } from './replicas/ReplicaProcess';
import { until } from './until';

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

  /** Every test has a repository of its own, of which nothing is kept yet. */
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
    await redis?.end();
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
      await new Promise(resolve => setTimeout(resolve, 100));
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
    await new Promise(resolve => setTimeout(resolve, NEWS_MS));
    await Promise.all([first, other.read('readUrl', url)]);
    const after = azure.requests.map(request => request.at - at);
    expect(after.filter(ms => ms > 0 && ms < 3_000)).toEqual([]);
  });
});

function start(personalAccessToken: string): Promise<ReplicaProcess> {
  const { host } = azure;
  return ReplicaProcess.start({ host, personalAccessToken, redis: redis.url });
}

function urlOf(path: string): string {
  return hosted.webUrl({ at: 'server', path });
}
