import { execFileSync } from 'node:child_process';
import { WebApi, getPersonalAccessTokenHandler } from 'azure-devops-node-api';
import {
  GitVersionType,
  VersionControlRecursionType,
} from 'azure-devops-node-api/interfaces/GitInterfaces';
import type { IGitApi } from 'azure-devops-node-api/GitApi';
import {
  Budget,
  DEFAULT_TOKEN,
  standIn,
  type BudgetOptions,
  type Hosted,
} from '../testing/azure-devops';
import recorded from '../testing/azure-devops/recorded-answers.json';

const VIEWS = 'MyWebSite/MyWebSite/Views';
const azure = standIn();
const authorization = `Basic ${btoa(`:${DEFAULT_TOKEN}`)}`;

let hosted: Hosted;
let head: string;

/** A repository with the files that the recorded one has. */
beforeAll(async () => {
  const entries = recorded.recursiveTree.body.treeEntries;
  const files = entries
    .filter(entry => entry.gitObjectType === 'blob')
    .map(entry => [`${VIEWS}/${entry.relativePath}`, 'x'.repeat(entry.size)]);
  hosted = await azure.addRepository({
    organization: 'fabrikam',
    project: 'Fabrikam-Fiber-Git',
    repository: 'Fabrikam-Fiber-Git',
    files: Object.fromEntries(files),
  });
  await hosted.git.tag('v1');
  await hosted.git.commit({ files: { 'README.md': 'two' } });
  await hosted.git.branch('feature/x');
  head = (await hosted.git.head())!;
});

describe('held to what Azure DevOps answered', () => {
  // Without its project a repository is known by its id.
  const api = () => `_apis/git/repositories/${hosted.git.id}`;
  const blob = () => idOf(`${VIEWS}/Home/_Home.cshtml`);

  it.each<[keyof typeof recorded, () => string]>([
    ['blob', () => `${api()}/blobs/${blob()}?$format=json`],
    [
      'commits',
      () => `${api()}/commits?searchCriteria.$skip=0&searchCriteria.$top=2`,
    ],
    ['commit', () => `${api()}/commits/${head}`],
    ['item', () => `${api()}/items?scopePath=/${VIEWS}/Home/_Home.cshtml`],
    ['folder', () => `${api()}/items?scopePath=/${VIEWS}`],
    [
      'fullListing',
      () =>
        `${api()}/items?scopePath=/${VIEWS}&recursionLevel=Full&includeContentMetadata=true`,
    ],
    [
      'oneLevelListing',
      () => `${api()}/items?scopePath=/${VIEWS}&recursionLevel=OneLevel`,
    ],
    ['repository', () => `${api()}?`],
    ['tree', () => `${api()}/trees/${idOf(VIEWS)}`],
    ['recursiveTree', () => `${api()}/trees/${idOf(VIEWS)}?recursive=true`],
  ])('%s', async (name, path) => {
    const answer = recorded[name] as { body: unknown };
    expect(shape(await get(path()))).toEqual(shape(answer.body));
  });

  it('itemsBatch', async () => {
    const { parameters, body } = recorded.itemsBatch;
    const old = '23d0bc5b128a10056dc68afece360d8a0fabb014';
    const asked = JSON.stringify(parameters.body).replaceAll(old, head);
    const response = await fetch(`${azure.url}/fabrikam/${api()}/itemsBatch`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: asked,
    });
    expect(shape(await response.json())).toEqual(shape(body));
  });

  it('repositories', async () => {
    const { value } = await get('_apis/git/repositories');
    const [, second] = recorded.repositories.body.value;
    // This answer has no links, though the one for a single repository does.
    const { _links, ...described } = value[0];
    expect(shape(described)).toEqual(shape(second));
  });
});

describe("held to Microsoft's own client", () => {
  const name = 'Fabrikam-Fiber-Git';
  let git: IGitApi;

  beforeAll(async () => {
    const handler = getPersonalAccessTokenHandler(DEFAULT_TOKEN);
    git = await new WebApi(`${azure.url}/fabrikam`, handler).getGitApi();
  });

  it('reads a file at a branch, a tag and a commit', async () => {
    for (const [version, versionType] of [
      ['feature/x', GitVersionType.Branch],
      ['v1', GitVersionType.Tag],
      [head, GitVersionType.Commit],
    ] as const) {
      const path = `${VIEWS}/Web.config`;
      const stream = await git.getItemContent(
        name,
        path,
        name,
        undefined,
        undefined,
        undefined,
        undefined,
        undefined,
        { version, versionType },
      );
      expect(await bytes(stream)).toEqual(show(`${version}:${path}`));
    }
  });

  it('does not find at a tag what came later', async () => {
    const item = await git.getItem(
      name,
      'README.md',
      name,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      { version: 'v1', versionType: GitVersionType.Tag },
    );
    expect(item).toBeNull();
  });

  it('lists, one by one and in a batch', async () => {
    const full = VersionControlRecursionType.Full;
    const items = await git.getItems(name, name, `/${VIEWS}`, full);
    const [batch] = await git.getItemsBatch(
      {
        itemDescriptors: [
          {
            path: `/${VIEWS}`,
            recursionLevel: full,
            version: head,
            versionType: GitVersionType.Commit,
          },
        ],
      },
      name,
      name,
    );
    const files = execFileSync(
      'git',
      [
        '-C',
        hosted.git.directory,
        'ls-tree',
        '-r',
        '--name-only',
        'HEAD',
        VIEWS,
      ],
      { encoding: 'utf8' },
    );
    const listed = (all: typeof items) =>
      all.filter(item => !item.isFolder).map(item => item.path!.slice(1));
    expect(listed(items)).toEqual(files.trim().split('\n'));
    expect(listed(batch)).toEqual(listed(items));
  });

  it('reads blobs, trees, commits, refs and repositories', async () => {
    const id = idOf(`${VIEWS}/Web.config`);
    expect(await bytes(await git.getBlobContent(name, id, name))).toEqual(
      show(id),
    );
    const tree = await git.getTree(name, idOf(VIEWS), name);
    expect(tree.treeEntries!.map(entry => entry.relativePath)).toContain(
      'Web.config',
    );
    const commits = await git.getCommits(name, { $top: 1 }, name);
    expect(commits.map(commit => commit.commitId)).toEqual([head]);
    const refs = await git.getRefs(name, name, 'heads/');
    expect(refs.map(ref => ref.name)).toEqual([
      'refs/heads/feature/x',
      'refs/heads/main',
    ]);
    const repositories = await git.getRepositories();
    expect(repositories.map(repository => repository.name)).toEqual([name]);
  });

  it.each([
    [
      'getItemZip',
      async () => git.getItemZip(name, `/${VIEWS}`, name),
      'Views/Web.config',
    ],
    [
      'getBlobsZip',
      async () => git.getBlobsZip([idOf(`${VIEWS}/Web.config`)], name, name),
      undefined,
    ],
  ])('%s gives a zip', async (_name, ask, entry) => {
    const zip = await bytes(await ask());
    expect(zip.subarray(0, 4).toString('latin1')).toBe('PK\x03\x04');
    expect(zip.includes(entry ?? idOf(`${VIEWS}/Web.config`))).toBe(true);
  });
});

describe('as Azure DevOps does', () => {
  const item = (query = '') =>
    `${azure.url}/fabrikam/Fabrikam-Fiber-Git/_apis/git/repositories/Fabrikam-Fiber-Git/items?path=/README.md${query}`;

  it('answers an unchanged item 304', async () => {
    const first = await fetch(item(), { headers: { authorization } });
    const etag = first.headers.get('etag')!;
    expect(etag).toBe(`"${idOf('README.md')}"`);
    const headers = { authorization, 'if-none-match': etag };
    expect((await fetch(item(), { headers })).status).toBe(304);
  });

  it('sends whom it does not know to sign in, or refuses where it is asked to', async () => {
    const redirect = await fetch(item(), { redirect: 'manual' });
    expect(redirect.status).toBe(302);
    azure.signIn = 'page';
    expect((await fetch(item())).status).toBe(203);
    const headers = { 'X-TFS-FedAuthRedirect': 'Suppress' };
    expect((await fetch(item(), { headers })).status).toBe(401);
  });

  it('says in its own words what is not there', async () => {
    for (const [url, words] of [
      [item().replace('README', 'NOPE'), 'TF401174'],
      [item('&version=nope'), 'TF401175'],
      [
        item().replace('repositories/Fabrikam', 'repositories/Nope'),
        'TF401019',
      ],
    ]) {
      const response = await fetch(url, { headers: { authorization } });
      expect(response.status).toBe(404);
      expect(
        ((await response.json()) as { message: string }).message,
      ).toContain(words);
    }
  });

  it('minds the case of paths and refs, and of no other name', async () => {
    const read = async (url: string) =>
      (await fetch(url, { headers: { authorization } })).status;
    expect(await read(item().replace(/fabrikam/gi, 'FABRIKAM'))).toBe(200);
    expect(await read(item().replace('fiber', 'FIBER'))).toBe(200);
    expect(await read(item().replace('README', 'readme'))).toBe(404);
    expect(await read(item('&version=MAIN'))).toBe(404);
  });
});

describe('a budget', () => {
  const items = () =>
    `${azure.url}/fabrikam/Fabrikam-Fiber-Git/_apis/git/repositories/Fabrikam-Fiber-Git/items`;
  let now: number;

  beforeEach(() => {
    azure.reset();
    now = Date.parse('2026-01-01T00:00:00Z');
  });

  /** Ten units; one comes back each second, and two are given late. */
  function limit(options: Partial<BudgetOptions> = {}): Budget {
    const budget = new Budget({
      unitsPerSecond: 1,
      capacity: 10,
      maxDelayMs: 60,
      clock: () => now,
      ...options,
    });
    azure.limit(budget);
    return budget;
  }

  async function read(times = 1, token = DEFAULT_TOKEN): Promise<Response> {
    const headers = { authorization: `Basic ${btoa(`:${token}`)}` };
    const response = await fetch(`${items()}?path=/README.md`, { headers });
    return times > 1 ? read(times - 1, token) : response;
  }

  it('says how much is left, then answers late, then refuses', async () => {
    limit();
    expect(limitsOf(await read(3))).toEqual({});
    const near = {
      'x-ratelimit-resource': expect.any(String),
      'x-ratelimit-limit': '8',
      'x-ratelimit-remaining': '4',
      'x-ratelimit-reset': String(now / 1000 + 4),
    };
    expect(limitsOf(await read())).toEqual(near);
    expect(limitsOf(await read(4))).toMatchObject({
      'x-ratelimit-remaining': '0',
    });
    const late = await read();
    expect(late.status).toBe(200);
    expect(limitsOf(late)).toEqual({
      ...near,
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(now / 1000 + 9),
      'x-ratelimit-delay': '0.030',
      'retry-after': '1',
    });
    const [request] = azure.requests.slice(-1);
    expect(request.answeredAt! - request.at).toBeGreaterThanOrEqual(29);
    const blocked = await read(2);
    expect(blocked.status).toBe(429);
    expect(limitsOf(blocked)).toMatchObject({ 'retry-after': '3' });
    const { message, typeKey } = (await blocked.json()) as any;
    expect(typeKey).toBe('RequestBlockedException');
    expect(message).toMatch(
      /^TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource /,
    );
  });

  it('is there again after Retry-After, or later for those who go on asking', async () => {
    const budget = limit();
    const { headers } = await read(11);
    const again = now + Number(headers.get('retry-after')) * 1000;
    expect(budget.blockedUntil(DEFAULT_TOKEN)).toBe(again - 500);
    expect((await read(6)).headers.get('retry-after')).toBe('6');
    now = again;
    expect((await read()).status).toBe(429);
    now = budget.blockedUntil(DEFAULT_TOKEN)!;
    expect((await read()).status).toBe(200);
    now += 10_000;
    expect(limitsOf(await read())).toEqual({});
  });

  it('may write Retry-After as a date, and leave it away from late answers', async () => {
    limit({ retryAfter: 'date', retryAfterWhenLate: false });
    const late = await read(10);
    expect(limitsOf(late)).toHaveProperty('x-ratelimit-delay');
    expect(limitsOf(late)).not.toHaveProperty('retry-after');
    expect((await read()).headers.get('retry-after')).toBe(
      'Thu, 01 Jan 2026 00:00:03 GMT',
    );
  });

  it('knows nobody any more who asks on and on, until it is quiet', async () => {
    const budget = limit({ refusalsBefore401: 5 });
    expect((await read(15)).status).toBe(429);
    const unknown = await read();
    expect(unknown.status).toBe(401);
    expect(limitsOf(unknown)).toEqual({});
    now = budget.blockedUntil(DEFAULT_TOKEN)!;
    expect((await read()).status).toBe(200);
  });

  it('is one for each token, and is taken back', async () => {
    azure.addToken('another');
    const budget = limit();
    expect((await read(11)).status).toBe(429);
    expect(limitsOf(await read(1, 'another'))).toEqual({});
    expect(budget.used('another')).toBe(1);
    const takeBack = azure.limit(new Budget({ ...budget.options }));
    expect(limitsOf(await read(4))).toHaveProperty('x-ratelimit-remaining');
    takeBack();
    expect(limitsOf(await read())).toEqual({});
    azure.revokeToken('another');
  });

  it('gives an item for less than a list, and a list for less than a zip', async () => {
    const budget = limit({ capacity: 100 });
    const taken = [];
    for (const query of ['path=/README.md', 'scopePath=/', '$format=zip']) {
      const before = budget.used(DEFAULT_TOKEN);
      await fetch(`${items()}?${query}`, { headers: { authorization } });
      taken.push(budget.used(DEFAULT_TOKEN) - before);
    }
    expect(taken).toEqual([1, 3, 10]);
  });
});

/** What an answer says of the budget. */
function limitsOf({ headers }: Response): Record<string, string> {
  const names = /^(x-ratelimit-.*|retry-after)$/;
  return Object.fromEntries([...headers].filter(([name]) => names.test(name)));
}

async function get(path: string): Promise<any> {
  const headers = { authorization, accept: 'application/json' };
  const response = await fetch(`${azure.url}/fabrikam/${path}`, { headers });
  expect(response.status).toBe(200);
  return response.json();
}

function show(object: string): Buffer {
  return execFileSync('git', ['-C', hosted.git.directory, 'show', object]);
}

function idOf(path: string): string {
  const args = ['-C', hosted.git.directory, 'rev-parse', `HEAD:${path}`];
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

async function bytes(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** Keys that only some answers have, and that no reader of repositories needs. */
const LEFT_OUT = new Set([
  'pushedBy',
  'commentTruncated',
  'revision',
  'project',
  'commits',
  'refs',
  'pullRequests',
  'items',
  'pushes',
  'contentType',
  'parents',
  'size',
  'defaultBranch',
]);

/** Texts that are compared as they are; of others only the kind is. */
const LITERAL = new Set([
  'path',
  'gitObjectType',
  'relativePath',
  'mode',
  'fileName',
  'extension',
]);

/** What has to be the same of two answers: keys, types, and what does not depend on the repository. */
function shape(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map(element => shape(element, key));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(
      ([name]) => !LEFT_OUT.has(name),
    );
    return Object.fromEntries(
      entries.map(([name, inner]) => [name, shape(inner, name)]),
    );
  }
  if (typeof value !== 'string')
    return key === 'count' || typeof value === 'boolean' ? value : typeof value;
  if (LITERAL.has(key)) return value;
  return kindOf(value);
}

function kindOf(text: string): string {
  return text
    .replace(
      /^https?:\/\/[^/]+\/fabrikam(\/[0-9a-f-]{36}(?=\/_apis))?/,
      '<organization>',
    )
    .replace(/^<organization>(\/[^/]+)?\/_git\/[^/]+/, '<repository>')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<guid>')
    .replace(/\b[0-9a-f]{40}\b/g, '<object>')
    .replace(/^\d{4}-\d\d-\d\dT\S+$/, '<date>')
    .replace(/^[^<]*$/, '<text>');
}
