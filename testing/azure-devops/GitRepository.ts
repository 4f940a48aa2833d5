import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';

const run = promisify(execFile);
const inflated = promisify(inflate);

/**
 * A file to commit: its content, or its content with another mode; or the id of what lies there, a
 * folder's tree or a submodule's commit; `null` removes it.
 */
export type FileToCommit =
  | string
  | Buffer
  | { content: string | Buffer; mode: '100644' | '100755' | '120000' }
  | { id: string; mode: '040000' | '160000' }
  | null;

/** One entry of a tree, with its path from the repository's root and without a leading slash. */
export interface TreeEntry {
  mode: string;
  type: 'blob' | 'tree' | 'commit';
  id: string;
  size: number;
  path: string;
}

/** One commit as `git log` tells it. */
export interface Commit {
  id: string;
  tree: string;
  parents: string[];
  author: Person;
  committer: Person;
  comment: string;
}

interface Person {
  name: string;
  email: string;
  date: string;
}

/** The empty tree, which git knows without storing it. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** An object as git stores it: what it is, and what is in it. */
interface StoredObject {
  kind: string;
  content: Buffer;
}

/** Commits of up to so many objects are stored an object a file. */
const MOST_LOOSE = 2_000;

/**
 * A bare git repository, read by the git binary, but for objects that lie in files of their own: to
 * start a process for each takes longer than all else that tests do. What is addressed by an object
 * id is kept, because it never changes.
 */
export class GitRepository {
  readonly #trees = new Map<string, Promise<TreeEntry[]>>();
  readonly #blobs = new Map<string, Promise<Buffer>>();
  readonly #kinds = new Map<string, Promise<string>>();
  readonly #treeIds = new Map<string, Promise<string>>();
  readonly #logs = new Map<string, Promise<Commit[]>>();
  #clock = 1_700_000_000;

  constructor(
    readonly directory: string,
    readonly defaultBranch: string,
  ) {}

  static init(directory: string, defaultBranch = 'main'): GitRepository {
    const branch = `--initial-branch=${defaultBranch}`;
    execFileSync('git', ['init', '--quiet', '--bare', branch, directory]);
    return new GitRepository(directory, defaultBranch);
  }

  static open(directory: string): GitRepository {
    const args = ['-C', directory, 'symbolic-ref', '--short', 'HEAD'];
    const branch = execFileSync('git', args, { encoding: 'utf8' });
    return new GitRepository(directory, branch.trim());
  }

  /** An id that stays the same for the same repository. */
  get id(): string {
    const hash = createHash('sha256').update(this.directory).digest('hex');
    return hash.replace(
      /^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/,
      '$1-$2-$3-$4-$5',
    );
  }

  /** Whether its default branch has no commit. */
  get isEmpty(): boolean {
    const ref = `refs/heads/${this.defaultBranch}`;
    const inside = path.join(this.directory, '.git');
    const directory = existsSync(inside) ? inside : this.directory;
    if (existsSync(path.join(directory, ref))) return false;
    const packed = path.join(directory, 'packed-refs');
    return !existsSync(packed) || !readFileSync(packed, 'utf8').includes(ref);
  }

  /** Adds a commit to a branch and gives its id. */
  async commit(options: {
    files: Record<string, FileToCommit>;
    message?: string;
    branch?: string;
  }): Promise<string> {
    const {
      files,
      message = 'A commit',
      branch = this.defaultBranch,
    } = options;
    const ref = `refs/heads/${branch}`;
    const isFirst = branch === this.defaultBranch && this.isEmpty;
    const parent = isFirst ? undefined : await this.resolveRef(ref);
    this.#clock += 60;
    const input = [
      `commit ${ref}\n`,
      `committer A Person <person@example.com> ${this.#clock} +0000\n`,
      ...data(message),
      ...(parent ? [`from ${parent}\n`] : []),
      ...Object.entries(files).flatMap(([path, file]) => change(path, file)),
    ];
    await this.#fastImport(Buffer.concat(input.map(part => Buffer.from(part))));
    return (await this.resolveRef(ref))!;
  }

  /** Stores a folder of empty folders, which git keeps but no commit of files makes; gives its id. */
  folderOfEmptyFolders(names: string[]): string {
    const entries = names.map(name => `040000 tree ${EMPTY_TREE}\t${name}\0`);
    const args = ['-C', this.directory, 'mktree', '-z', '--missing'];
    const options = { input: entries.join(''), encoding: 'utf8' } as const;
    return execFileSync('git', args, options).trim();
  }

  /** Lets a tag point at a commit, or at the default branch's tip. */
  async tag(name: string, commit?: string): Promise<void> {
    await this.#setRef(`refs/tags/${name}`, commit);
  }

  /** Lets a branch point at a commit, or at the default branch's tip. */
  async branch(name: string, commit?: string): Promise<void> {
    await this.#setRef(`refs/heads/${name}`, commit);
  }

  /** The tip of the default branch. */
  async head(): Promise<string | undefined> {
    return this.resolveRef(`refs/heads/${this.defaultBranch}`);
  }

  /** The commit that a ref or a commit id names, if there is one. */
  async resolveRef(ref: string): Promise<string | undefined> {
    const written = isId(ref) ? ref : await this.#writtenIn(ref);
    if (written && (await this.kind(written)) === 'commit') return written;
    try {
      const args = ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`];
      return (await this.#git(args)).toString().trim();
    } catch {
      return undefined;
    }
  }

  /** What a ref's own file says, without a git, if it has a plain name and a file. */
  async #writtenIn(ref: string): Promise<string | undefined> {
    if (!/^refs\/(heads|tags)\/[\w-]+$/.test(ref)) return undefined;
    const file = path.join(this.directory, ref);
    const content = await readFile(file, 'latin1').catch(() => '');
    return content.match(/^[0-9a-f]{40}(?=\n$)/)?.[0];
  }

  /** All branches and tags with what they point at. */
  async refs(): Promise<Array<{ name: string; id: string }>> {
    const format = '--format=%(refname) %(objectname)';
    const lines = (await this.#git(['for-each-ref', format])).toString();
    return lines
      .split('\n')
      .filter(Boolean)
      .map(line => ({ name: line.slice(0, -41), id: line.slice(-40) }));
  }

  /** Everything below a commit or tree, trees included, by path. */
  async tree(id: string): Promise<TreeEntry[]> {
    return this.#keep(this.#trees, id, async () => {
      const args = ['ls-tree', '-z', '-l', '-r', '-t', '--full-tree', id];
      const listed = (await this.#git(args)).toString();
      return listed.split('\0').filter(Boolean).map(toEntry);
    });
  }

  /** The id of a commit's tree. */
  async treeOf(commit: string): Promise<string> {
    return this.#keep(this.#treeIds, commit, async () => {
      const stored = await this.#loose(commit);
      // Its first line is `tree` and the id.
      if (stored?.kind === 'commit')
        return stored.content.toString('latin1', 5, 45);
      const args = ['rev-parse', '--verify', `${commit}^{tree}`];
      return (await this.#git(args)).toString().trim();
    });
  }

  /** The kind of an object, if there is such an object. */
  async kind(id: string): Promise<string | undefined> {
    if (id === EMPTY_TREE) return 'tree';
    const read = async () =>
      (await this.#loose(id))?.kind ??
      (await this.#git(['cat-file', '-t', id])).toString().trim();
    const kind = isId(id) ? this.#keep(this.#kinds, id, read) : read();
    return kind.catch(() => undefined);
  }

  /** The content of a blob. */
  async blob(id: string): Promise<Buffer> {
    return this.#keep(this.#blobs, id, async () => {
      const stored = await this.#loose(id);
      return stored?.kind === 'blob'
        ? stored.content
        : this.#git(['cat-file', 'blob', id]);
    });
  }

  /** Reads blobs by one git for all of them, so that each is there when it is asked for. */
  async keepBlobs(ids: string[]): Promise<void> {
    const wanted = ids.filter(id => !this.#blobs.has(id));
    if (wanted.length === 0) return;
    const input = `${wanted.join('\n')}\n`;
    const output = await this.#git(['cat-file', '--batch'], input);
    let at = 0;
    for (const id of wanted) {
      const start = output.indexOf('\n', at) + 1;
      const head = output.toString('latin1', at, start);
      const [, kind, size] = head.trim().split(' ');
      at = start + Number(size);
      this.#kinds.set(id, Promise.resolve(kind));
      this.#blobs.set(id, Promise.resolve(output.subarray(start, at)));
      at += 1;
    }
  }

  /** The commits that lead to one, newest first, those that touch a path only if one is given. */
  async log(
    commit: string,
    options: { top?: number; skip?: number; path?: string } = {},
  ): Promise<Commit[]> {
    const { top = 100, skip = 0, path } = options;
    const fields =
      '%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%aI%x1f%cn%x1f%ce%x1f%cI%x1f%B%x1e';
    const args = [
      'log',
      `--format=${fields}`,
      `-n${top}`,
      `--skip=${skip}`,
      commit,
    ];
    args.push('--', ...(path ? [path] : []));
    const read = async () => toCommits((await this.#git(args)).toString());
    return isId(commit)
      ? this.#keep(this.#logs, args.join('\0'), read)
      : read();
  }

  /** What lies in a file of its own; git packs the rest. */
  async #loose(id: string): Promise<StoredObject | undefined> {
    if (!isId(id)) return undefined;
    const [folder, name] = [id.slice(0, 2), id.slice(2)];
    const file = path.join(this.directory, 'objects', folder, name);
    const stored = await readFile(file).catch(() => undefined);
    if (!stored) return undefined;
    const object: Buffer = await inflated(stored);
    const start = object.indexOf(0) + 1;
    const [kind] = object.toString('latin1', 0, start).split(' ');
    return { kind, content: object.subarray(start) };
  }

  async #setRef(ref: string, commit?: string): Promise<void> {
    const target = commit ?? (await this.head());
    await this.#git(['update-ref', ref, target ?? '']);
  }

  async #git(args: string[], input = ''): Promise<Buffer> {
    const running = run('git', ['-C', this.directory, ...args], {
      encoding: 'buffer',
      maxBuffer: 1024 * 1024 * 1024,
    });
    if (input) running.child.stdin?.end(input);
    const { stdout } = await running;
    return stdout;
  }

  async #fastImport(input: Buffer): Promise<void> {
    const limit = ['-c', `fastimport.unpackLimit=${MOST_LOOSE}`];
    const options = ['fast-import', '--quiet', '--force'];
    const args = ['-C', this.directory, ...limit, ...options];
    const git = spawn('git', args, { stdio: ['pipe', 'inherit', 'inherit'] });
    git.stdin.end(input);
    const code = await new Promise(resolve => git.once('close', resolve));
    if (code !== 0) throw new Error(`git fast-import exited with ${code}`);
  }

  #keep<T>(
    kept: Map<string, Promise<T>>,
    id: string,
    read: () => Promise<T>,
  ): Promise<T> {
    let value = kept.get(id);
    if (!value) {
      value = read();
      kept.set(id, value);
      value.catch(() => kept.delete(id));
    }
    return value;
  }
}

function data(content: string | Buffer): Array<string | Buffer> {
  return [`data ${Buffer.byteLength(content)}\n`, content, '\n'];
}

function change(path: string, file: FileToCommit): Array<string | Buffer> {
  const quoted = quote(path.replace(/^\//, ''));
  if (file === null) return [`D ${quoted}\n`];
  if (typeof file === 'object' && 'id' in file) {
    return [`M ${file.mode} ${file.id} ${quoted}\n`];
  }
  const isPlain = typeof file === 'string' || Buffer.isBuffer(file);
  const { content, mode } = isPlain ? { content: file, mode: '100644' } : file;
  return [`M ${mode} inline ${quoted}\n`, ...data(content)];
}

/** A path as fast-import reads it whatever is in it. */
function quote(path: string): string {
  return `"${path.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}

function toEntry(line: string): TreeEntry {
  const [, mode, type, id, size, path] = line.match(
    /^(\d+) (\w+) (\w+) +(\S+)\t([^]*)$/,
  )!;
  return {
    mode,
    type: type as TreeEntry['type'],
    id,
    size: Number(size) || 0,
    path,
  };
}

function isId(name: string): boolean {
  return /^[0-9a-f]{40}$/.test(name);
}

function toCommits(logged: string): Commit[] {
  const texts = logged.split('\x1e').map(text => text.trim());
  return texts.filter(Boolean).map(toCommit);
}

function toCommit(text: string): Commit {
  const [id, tree, parents, an, ae, ad, cn, ce, cd, comment] =
    text.split('\x1f');
  return {
    id,
    tree,
    parents: parents.split(' ').filter(Boolean),
    author: { name: an, email: ae, date: ad },
    committer: { name: cn, email: ce, date: cd },
    comment: comment.trim(),
  };
}
