import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
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
  Packed,
  ReadTreeResult,
  Tree,
  TreeFiles,
} from './native';
import { closeOnAbort } from './onAbort';
import { TreeContents } from './TreeContents';

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
    const tree = await this.#open();
    const { paths, sizes, modified, kept } = this.#filtered(tree);
    this.#release();
    const contents = new TreeContents(tree, kept, sizes);
    return kept.map((place, index) => ({
      path: paths[place],
      content: async () => this.#unwrap(await contents.get(index)),
      lastModifiedAt: modified[place] ? new Date(modified[place]) : undefined,
    }));
  }

  /** A zip of the files that the filter keeps; of a whole repository, the zip that Azure DevOps sends. */
  async archive(): Promise<Readable> {
    const packed = this.#unwrap(await this.#pack());
    const stream = new ContentStream(packed, it => this.#toError(it));
    const release = closeOnAbort(this.#options.signal, packed);
    this.#release();
    return stream.once('close', release);
  }

  /** Writes the files that the filter keeps to a folder, and gives its path. */
  async dir(
    options?: UrlReaderServiceReadTreeResponseDirOptions,
  ): Promise<string> {
    const tree = await this.#open();
    const places = this.#places(tree);
    const directory =
      options?.targetDir ??
      (await mkdtemp(path.join(this.#options.workingDirectory, 'backstage-')));
    this.#unwrap(await tree.extract(directory, places));
    this.#release();
    return directory;
  }

  async #pack(): Promise<Packed | Failure> {
    if (!this.#result.subpath) return this.#take().copy();
    const tree = await this.#open();
    return tree.pack(this.#places(tree));
  }

  /** The tree, once its archive is there. */
  async #open(): Promise<Tree> {
    return this.#unwrap(await this.#take().open());
  }

  /** The archive, once. */
  #take(): Archive {
    this.#onlyOnce();
    return this.#result.archive;
  }

  #onlyOnce(): void {
    if (this.#isRead) {
      throw new Error('Response has already been read');
    }
    this.#isRead = true;
  }

  /** The places of the files that the filter keeps; undefined for all. */
  #places(tree: Tree): number[] | undefined {
    return this.#options.filter ? this.#filtered(tree).kept : undefined;
  }

  #filtered(tree: Tree): TreeFiles & { kept: number[] } {
    const { filter } = this.#options;
    const files = tree.files();
    const places = files.paths.map((_path, place) => place);
    const keeps = (place: number) =>
      !filter || filter(files.paths[place], { size: files.sizes[place] });
    return { ...files, kept: filter ? places.filter(keeps) : places };
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
