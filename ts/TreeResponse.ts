import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type {
  UrlReaderServiceReadTreeOptions,
  UrlReaderServiceReadTreeResponse,
  UrlReaderServiceReadTreeResponseDirOptions,
  UrlReaderServiceReadTreeResponseFile,
} from '@backstage/backend-plugin-api';
import { ContentStream } from './ContentStream';
import { isFailure, toError } from './failure';
import type {
  Archive,
  Failure,
  ReadTreeResult,
  Tree,
  TreeFiles,
} from './native';
import { newFolder } from './newFolder';
import { closeOnAbort } from './onAbort';
import { TreeContents } from './TreeContents';
import { inTurns } from './turns';

/** What a tree is read with. */
export interface TreeResponseOptions {
  filter?: UrlReaderServiceReadTreeOptions['filter'];
  signal?: AbortSignal;
  /** Where the archive, and folders of our own making, are stored. */
  workingDirectory: string;
}

/** The files of a tree, once: as contents, as an archive, or as a folder. */
export class TreeResponse implements UrlReaderServiceReadTreeResponse {
  readonly etag: string;
  readonly #result: ReadTreeResult;
  readonly #options: TreeResponseOptions;
  readonly #release: () => void;
  #isRead = false;

  constructor(result: ReadTreeResult, options: TreeResponseOptions) {
    this.etag = result.etag;
    this.#result = result;
    this.#options = options;
    this.#release = closeOnAbort(options.signal, result.archive);
  }

  /** The files that the filter keeps; their contents are inflated when they are asked for. */
  async files(): Promise<UrlReaderServiceReadTreeResponseFile[]> {
    return this.#once(async archive => {
      const tree = this.#unwrap(await archive.open());
      const files = tree.files();
      const kept = await this.#kept(files).catch(error => {
        tree.close();
        throw error;
      });
      const contents = new TreeContents(
        tree,
        kept,
        kept.map(place => files.sizes[place]),
      );
      const found: UrlReaderServiceReadTreeResponseFile[] = [];
      const add = (index: number) => {
        const modified = files.modified[kept[index]];
        found.push({
          path: files.paths[kept[index]],
          content: async () => this.#unwrap(await contents.get(index)),
          lastModifiedAt: modified ? new Date(modified) : undefined,
        });
      };
      await inTurns(kept.length, add, this.#options.signal);
      return found;
    });
  }

  /** A zip of the files that the filter keeps; of a whole repository, the zip that Azure DevOps sends. */
  async archive(): Promise<Readable> {
    return this.#once(async archive => {
      const packed = this.#result.subpath
        ? await this.#withTree(archive, async tree =>
            tree.pack(await this.#places(tree)),
          )
        : this.#unwrap(await archive.copy());
      const stream = new ContentStream(packed, it => this.#toError(it));
      const release = closeOnAbort(this.#options.signal, packed);
      return stream.once('close', release);
    });
  }

  /** Writes the files that the filter keeps to a folder, and gives its path. */
  async dir(
    options?: UrlReaderServiceReadTreeResponseDirOptions,
  ): Promise<string> {
    return this.#once(async archive => {
      const extractTo = (directory: string) =>
        this.#withTree(archive, async tree =>
          tree.extract(directory, await this.#places(tree)),
        );
      if (options?.targetDir === undefined) return this.#inNewFolder(extractTo);
      await extractTo(options.targetDir);
      return options.targetDir;
    });
  }

  /** Makes a folder, which is not left behind half full, because the caller would not learn of it. */
  async #inNewFolder(fill: (directory: string) => Promise<unknown>) {
    const directory = await newFolder(this.#options.workingDirectory);
    try {
      await fill(directory);
      return directory;
    } catch (error) {
      // It is empty, unless something else went wrong: the first error is thrown.
      await rm(directory, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
  }

  /** Uses the archive, once; after that a signal has nothing to close any more. */
  async #once<T>(use: (archive: Archive) => Promise<T>): Promise<T> {
    if (this.#isRead) {
      throw new Error('Response has already been read');
    }
    this.#isRead = true;
    return use(this.#result.archive).finally(this.#release);
  }

  /** Uses the tree, once its archive is there, and lets go of it. */
  async #withTree<T>(
    archive: Archive,
    use: (tree: Tree) => Promise<T | Failure>,
  ): Promise<T> {
    const tree = this.#unwrap(await archive.open());
    try {
      return this.#unwrap(await use(tree));
    } finally {
      tree.close();
    }
  }

  /** The places of the files that the filter keeps; undefined for all. */
  async #places(tree: Tree): Promise<number[] | undefined> {
    const { filter } = this.#options;
    return filter ? this.#kept(tree.files()) : undefined;
  }

  /** The places of the files that are kept: a filter is asked for each once, in their order. */
  async #kept({ paths, sizes }: TreeFiles): Promise<number[]> {
    const { filter, signal } = this.#options;
    if (!filter) return paths.map((_path, place) => place);
    const kept: number[] = [];
    const ask = (place: number) => {
      if (filter(paths[place], { size: sizes[place] })) kept.push(place);
    };
    await inTurns(paths.length, ask, signal);
    return kept;
  }

  #unwrap<T>(outcome: T | Failure): T {
    if (isFailure(outcome)) {
      throw this.#toError(outcome);
    }
    return outcome;
  }

  #toError(failure: Failure): unknown {
    const { signal } = this.#options;
    return signal?.aborted ? signal.reason : toError(failure);
  }
}
