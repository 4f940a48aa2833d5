import type { GitRepository, TreeEntry, Commit } from './GitRepository';
import { ApiError } from './ApiError';
import { projectId } from './OrganizationApi';
import { zip, type ZipEntry } from './zip';

/** A repository with its place in Azure DevOps. */
export interface HostedRepository {
  organization: string;
  project: string;
  name: string;
  git: GitRepository;
  /** Sent as `Last-Modified` with every item, which Azure DevOps itself does not send. */
  lastModified?: Date;
  /** Whether it is switched off: it is listed, and nothing in it can be read. */
  isDisabled?: boolean;
}

/** A call: where to, with which query parameters (names in lower case), accepting what. */
export interface Call {
  method: string;
  /** What follows `_apis/git/repositories/{repository}/`. */
  path: string[];
  query: Map<string, string>;
  accept: string;
  body?: unknown;
  /** The organization's URL, from which the API's own are made. */
  baseUrl: string;
}

/** An answer before it is written out: JSON, or bytes of some type. */
export type Answer =
  | { json: unknown; headers?: Record<string, string> }
  | { bytes: Buffer; type: string; headers?: Record<string, string> };

/** What an item's description is to say. */
interface ItemOptions {
  /** The commit by which it was asked for, if it was. */
  version?: Version;
  metadata: boolean;
  content?: boolean;
}

interface Version {
  name?: string;
  type: string;
}

type Json = Record<string, unknown>;

/**
 * The calls of the Git REST API for one repository, answered from git.
 *
 * https://learn.microsoft.com/rest/api/azure/devops/git
 */
export class GitApi {
  constructor(private readonly repository: HostedRepository) {}

  async answer(call: Call): Promise<Answer> {
    const [resource, id] = call.path;
    if (this.repository.isDisabled && resource !== undefined) {
      throw noRepository(this.repository.name);
    }
    switch (`${call.method} ${resource?.toLowerCase() ?? ''}`) {
      case 'GET ':
        return { json: this.describe(call) };
      case 'GET items':
        return this.#items(call, call.path.slice(1).join('/'));
      case 'POST itemsbatch':
        return this.#itemsBatch(call);
      case 'GET blobs':
        return this.#blob(call, id);
      case 'POST blobs':
        return this.#blobsZip(call);
      case 'GET commits':
        return id ? this.#commit(call, id) : this.#commits(call);
      case 'GET trees':
        return this.#tree(call, id);
      case 'GET refs':
        return this.#refs(call, id);
      default:
        throw new ApiError(
          404,
          'VssResourceNotFoundException',
          'TF400813: The resource is not available.',
        );
    }
  }

  /** The repository as the API describes it. */
  describe(call: Pick<Call, 'baseUrl'>): Json {
    const { name, project, git, isDisabled = false } = this.repository;
    const url = this.#url(call);
    const web = `${call.baseUrl}/${encodeURIComponent(project)}/_git/${encodeURIComponent(name)}`;
    return {
      id: git.id,
      name,
      url,
      project: {
        id: projectId(project),
        name: project,
        url: `${call.baseUrl}/_apis/projects/${projectId(project)}`,
        state: 'wellFormed',
      },
      // An empty one has none.
      ...(!git.isEmpty && { defaultBranch: `refs/heads/${git.defaultBranch}` }),
      ...(isDisabled && { isDisabled }),
      remoteUrl: web,
      _links: { self: { href: url }, web: { href: web } },
    };
  }

  async #items(call: Call, pathSegment: string): Promise<Answer> {
    const { query } = call;
    const recursion = recursionName(query.get('recursionlevel'));
    const path = query.get('path') ?? (pathSegment || undefined);
    const scope = path ?? query.get('scopepath') ?? '/';
    const version = versionOf(query, 'versiondescriptor.');
    const commit = await this.#resolve(version);
    const entry = await this.#entry(commit, scope);
    const format = query.get('$format') ?? formatOf(call.accept);
    if (format === 'zip') return this.#zip(call, entry, commit);
    const isListing = path === undefined || recursion !== 'none';
    // What is not a file has no content but what describes it, whatever the caller accepts.
    if (isListing || format === 'json' || entry.type !== 'blob') {
      const entries = await this.#below(entry, commit, recursion);
      const items = await this.#describeItems(call, entries, commit, {
        version: version.type === 'commit' ? version : undefined,
        metadata: query.get('includecontentmetadata') === 'true',
        content: query.get('includecontent') === 'true',
      });
      return {
        json: isListing ? { count: items.length, value: items } : items[0],
      };
    }
    return this.#content(call, entry);
  }

  async #content(call: Call, entry: TreeEntry): Promise<Answer> {
    const bytes = await this.repository.git.blob(entry.id);
    const { lastModified } = this.repository;
    const name = entry.path.split('/').at(-1)!;
    const attachment = call.query.get('download') === 'true';
    return {
      bytes,
      type: 'application/octet-stream',
      headers: {
        etag: `"${entry.id}"`,
        ...(lastModified && { 'last-modified': lastModified.toUTCString() }),
        ...(attachment && {
          'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
        }),
      },
    };
  }

  /** Only the item that was asked for has metadata, not what is listed below it. */
  async #describeItems(
    call: Call,
    entries: TreeEntry[],
    commit: string,
    options: ItemOptions,
  ): Promise<Json[]> {
    return Promise.all(
      entries.map((entry, index) =>
        this.#item(call, entry, commit, {
          ...options,
          metadata: options.metadata && index === 0,
        }),
      ),
    );
  }

  async #item(
    call: Call,
    entry: TreeEntry,
    commit: string,
    { version, metadata, content }: ItemOptions,
  ): Promise<Json> {
    const isFolder = entry.type === 'tree';
    const path = `/${entry.path}`;
    const { git } = this.repository;
    const at = version ? `Commit&version=${version.name}` : 'Branch';
    return {
      objectId: entry.id,
      gitObjectType: entry.type,
      commitId: commit,
      path,
      ...(isFolder && { isFolder: true }),
      ...(entry.mode === '120000' && { isSymLink: true }),
      ...(metadata && { contentMetadata: contentMetadata(entry) }),
      ...(content &&
        !isFolder && { content: (await git.blob(entry.id)).toString() }),
      url: `${this.#url(call)}/items${encodeURI(path)}?versionType=${at}&versionOptions=None`,
    };
  }

  async #below(
    entry: TreeEntry,
    commit: string,
    recursion: string,
  ): Promise<TreeEntry[]> {
    if (entry.type !== 'tree' || recursion === 'none') return [entry];
    const prefix = entry.path ? `${entry.path}/` : '';
    const all = await this.repository.git.tree(commit);
    const below = all.filter(e => e.path.startsWith(prefix));
    const deep = recursion === 'full';
    return [
      entry,
      ...below.filter(e => deep || !e.path.slice(prefix.length).includes('/')),
    ];
  }

  async #zip(call: Call, entry: TreeEntry, commit: string): Promise<Answer> {
    const keepModes = call.query.get('zipforunix') === 'true';
    const top = entry.path.split('/').at(-1)!;
    const within =
      entry.path && entry.type === 'tree' ? entry.path.length - top.length : 0;
    const listed = await this.#below(entry, commit, 'full');
    const files = listed.filter(e => e.type === 'blob');
    await this.repository.git.keepBlobs(files.map(file => file.id));
    const entries = files.map(async (file): Promise<ZipEntry> => ({
      path: entry.type === 'blob' ? top : file.path.slice(within),
      content: await this.repository.git.blob(file.id),
      ...(keepModes && { mode: parseInt(file.mode, 8) }),
    }));
    const name = top || this.repository.name;
    return {
      bytes: zip(await Promise.all(entries)),
      type: 'application/zip',
      headers: {
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}.zip`,
      },
    };
  }

  async #itemsBatch(call: Call): Promise<Answer> {
    const body = call.body as {
      itemDescriptors: Json[];
      includeContentMetadata?: boolean | string;
    };
    const metadata = String(body.includeContentMetadata) === 'true';
    const value = await Promise.all(
      body.itemDescriptors.map(async descriptor => {
        const { version: name, versionType } = descriptor;
        const version = toVersion(name as string | undefined, versionType);
        const commit = await this.#resolve(version);
        const entry = await this.#entry(commit, String(descriptor.path));
        const recursion = recursionName(descriptor.recursionLevel);
        const entries = await this.#below(entry, commit, recursion);
        return this.#describeItems(call, entries, commit, {
          version: version.type === 'commit' ? version : undefined,
          metadata,
        });
      }),
    );
    return { json: { count: value.length, value } };
  }

  async #blob(call: Call, id: string): Promise<Answer> {
    await this.#mustBe(id, 'blob');
    const bytes = await this.repository.git.blob(id);
    const format =
      call.query.get('$format')?.toLowerCase() ?? formatOf(call.accept);
    if (format === 'zip') {
      return {
        bytes: zip([{ path: id, content: bytes }]),
        type: 'application/zip',
      };
    }
    if (format !== 'json') return { bytes, type: 'application/octet-stream' };
    const url = `${this.#url(call)}/blobs/${id}`;
    return {
      json: {
        objectId: id,
        size: bytes.length,
        url,
        _links: { self: { href: url }, repository: { href: this.#url(call) } },
      },
    };
  }

  async #blobsZip(call: Call): Promise<Answer> {
    const ids = call.body as string[];
    const entries = ids.map(async id => {
      await this.#mustBe(id, 'blob');
      return { path: id, content: await this.repository.git.blob(id) };
    });
    return { bytes: zip(await Promise.all(entries)), type: 'application/zip' };
  }

  async #commits(call: Call): Promise<Answer> {
    const { query } = call;
    const commit = await this.#resolve(
      versionOf(query, 'searchcriteria.itemversion.'),
    );
    const number = (name: string) => {
      const value = query.get(`searchcriteria.${name}`) ?? query.get(name);
      return value === undefined ? undefined : Number(value);
    };
    const path = query.get('searchcriteria.itempath')?.replace(/^\/+/, '');
    const log = await this.repository.git.log(commit, {
      top: number('$top') ?? 100,
      skip: number('$skip') ?? 0,
      path,
    });
    const value = log.map(entry => ({
      ...this.#describeCommit(call, entry),
      changeCounts: { Add: 1, Edit: 0, Delete: 0 },
    }));
    return { json: { count: value.length, value } };
  }

  async #commit(call: Call, id: string): Promise<Answer> {
    await this.#mustBe(id, 'commit');
    const [commit] = await this.repository.git.log(id, { top: 1 });
    const described = this.#describeCommit(call, commit);
    const url = described.url as string;
    return {
      json: {
        parents: commit.parents,
        treeId: commit.tree,
        push: {
          pushedBy: commit.committer,
          pushId: 1,
          date: commit.committer.date,
        },
        ...described,
        _links: {
          self: { href: url },
          repository: { href: this.#url(call) },
          changes: { href: `${url}/changes` },
          web: { href: described.remoteUrl },
          tree: { href: `${this.#url(call)}/trees/${commit.tree}` },
        },
      },
    };
  }

  #describeCommit(call: Call, commit: Commit): Json {
    const web = this.describe(call).remoteUrl;
    return {
      commitId: commit.id,
      author: commit.author,
      committer: commit.committer,
      comment: commit.comment,
      url: `${this.#url(call)}/commits/${commit.id}`,
      remoteUrl: `${web}/commit/${commit.id}`,
    };
  }

  async #tree(call: Call, id: string): Promise<Answer> {
    await this.#mustBe(id, 'tree');
    const deep = call.query.get('recursive') === 'true';
    const all = await this.repository.git.tree(id);
    const entries = all.filter(e => deep || !e.path.includes('/'));
    const url = `${this.#url(call)}/trees/${id}`;
    const treeEntries = entries.map(e => ({
      objectId: e.id,
      relativePath: e.path,
      mode: e.mode.replace(/^0+/, ''),
      gitObjectType: e.type,
      url: `${this.#url(call)}/${e.type}s/${e.id}`,
      size: e.size,
    }));
    return {
      json: {
        objectId: id,
        url,
        treeEntries,
        size: entries.reduce((sum, e) => sum + e.size, 0),
        _links: {
          self: { href: url },
          repository: { href: this.#url(call) },
          treeEntries: treeEntries.map(entry => ({ href: entry.url })),
        },
      },
    };
  }

  async #refs(call: Call, segment: string | undefined): Promise<Answer> {
    const filter = call.query.get('filter') ?? segment ?? '';
    const refs = await this.repository.git.refs();
    const top = Number(call.query.get('$top') ?? Infinity);
    const value = refs
      .filter(ref => ref.name.startsWith(`refs/${filter}`))
      .slice(0, top)
      .map(ref => ({
        name: ref.name,
        objectId: ref.id,
        url: `${this.#url(call)}/${ref.name}`,
      }));
    return { json: { count: value.length, value } };
  }

  async #resolve(version: Version): Promise<string> {
    const { git } = this.repository;
    const name = version.name ?? git.defaultBranch;
    const type = version.name === undefined ? 'branch' : version.type;
    const ref = {
      branch: `refs/heads/${name}`,
      tag: `refs/tags/${name}`,
      // In full, as by the service itself.
      commit: /^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(name) ? name : undefined,
    }[type];
    const commit = ref && (await git.resolveRef(ref));
    if (!commit) {
      throw new ApiError(
        404,
        'GitUnresolvableToCommitException',
        `TF401175: The version descriptor <${capitalized(type)}: ${name} > could not be resolved to a version in the repository ${this.repository.name}`,
      );
    }
    return commit;
  }

  async #entry(commit: string, path: string): Promise<TreeEntry> {
    const wanted = path.replace(/^\/+|\/+$/g, '');
    const { git } = this.repository;
    if (wanted === '') {
      return {
        mode: '40000',
        type: 'tree',
        id: await git.treeOf(commit),
        size: 0,
        path: '',
      };
    }
    const entry = (await git.tree(commit)).find(e => e.path === wanted);
    if (!entry) {
      throw new ApiError(
        404,
        'GitItemNotFoundException',
        `TF401174: The item '${path}' could not be found in the repository '${this.repository.name}' at the version specified by '<Commit: ${commit} >' (resolved to commit '${commit}')`,
      );
    }
    return entry;
  }

  async #mustBe(id: string, kind: string): Promise<void> {
    if ((await this.repository.git.kind(id)) !== kind) {
      throw new ApiError(
        404,
        'GitObjectDoesNotExistException',
        `TF401177: The ${kind} ${id} does not exist.`,
      );
    }
  }

  #url(call: Pick<Call, 'baseUrl'>): string {
    return `${call.baseUrl}/_apis/git/repositories/${this.repository.git.id}`;
  }
}

/** The error for a repository that is not there, or that the caller does not see. */
export function noRepository(name: string): ApiError {
  return new ApiError(
    404,
    'GitRepositoryNotFoundException',
    `TF401019: The Git repository with name or identifier ${name} does not exist or you do not have permissions for the operation you are attempting.`,
  );
}

/**
 * The version that a query names under a prefix, or else under none: where any parameter has the prefix,
 * those without it count for nothing, and the other way round.
 */
function versionOf(query: Map<string, string>, prefix: string): Version {
  const isPrefixed = [...query.keys()].some(key => key.startsWith(prefix));
  const find = (name: string) =>
    query.get(isPrefixed ? `${prefix}${name}` : name);
  return toVersion(find('version'), find('versiontype'));
}

/** The client library sends version types as numbers. */
function toVersion(name: string | undefined, type: unknown): Version {
  const names = ['branch', 'tag', 'commit'];
  const text = String(type ?? 'branch').toLowerCase();
  return { name, type: names[Number(text)] ?? text };
}

/** It sends recursion levels as numbers, too. */
function recursionName(level: unknown): string {
  const names: Record<string, string> = {
    '0': 'none',
    '1': 'onelevel',
    '4': 'onelevelplusnestedemptyfolders',
    '120': 'full',
  };
  const text = String(level ?? 'none').toLowerCase();
  return names[text] ?? text;
}

function formatOf(accept: string): string {
  const known = { 'application/json': 'json', 'application/zip': 'zip' };
  const named = Object.entries(known).find(([type]) => accept.includes(type));
  return named?.[1] ?? 'octetstream';
}

function contentMetadata(entry: TreeEntry): Json {
  const fileName = entry.path.split('/').at(-1)!;
  if (entry.type === 'tree') return { fileName };
  const extension = fileName.includes('.') ? fileName.split('.').at(-1)! : '';
  return { encoding: 65001, contentType: 'text/plain', fileName, extension };
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
