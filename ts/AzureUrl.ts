import { native } from './binding';
import { unwrap } from './failure';
import type { AzureUrl as NativeAzureUrl } from './native';

/**
 * A repository of Azure DevOps, or a path in it, as its web URL names it.
 *
 * @example
 * ```ts
 * const url = AzureUrl.fromRepoUrl(
 *   'https://dev.azure.com/org/project/_git/repo?path=/README.md&version=GTv1',
 * ); url.getRef(); // 'v1' url.getPrefix(); // 'GT'
 * ```
 *
 * @public
 */
export class AzureUrl {
  /**
   * Reads a URL as copied from the browser's address bar.
   *
   * @throws Where the URL names no repository, or a version that is no branch, tag or commit; a
   * `TypeError` where it is no URL, a `URIError` where an escape in it does not decode.
   */
  static fromRepoUrl(repoUrl: string): AzureUrl {
    return new AzureUrl(unwrap(native().AzureUrl.fromRepoUrl(String(repoUrl))));
  }

  readonly #url: NativeAzureUrl;

  private constructor(url: NativeAzureUrl) {
    this.#url = url;
  }

  /** The URL under which a browser shows this. */
  toRepoUrl(): string {
    return unwrap(this.#url.toRepoUrl());
  }

  /**
   * The REST URL of the file's content.
   *
   * @throws Where the URL names no path.
   */
  toFileUrl(): string {
    return unwrap(this.#url.toFileUrl());
  }

  /** The REST URL of a zip of the repository, or of the folder that the path names. */
  toArchiveUrl(): string {
    return unwrap(this.#url.toArchiveUrl());
  }

  /** The REST URL of the version's commits, newest first. */
  toCommitsUrl(): string {
    return unwrap(this.#url.toCommitsUrl());
  }

  /** The organization, or the collection (`tfs/{collection}` below `/tfs/`). */
  getOwner(): string {
    return this.#url.owner;
  }

  /** The name of the project. */
  getProject(): string {
    return this.#url.project;
  }

  /** The name of the repository. */
  getRepo(): string {
    return this.#url.repo;
  }

  /** The path in the repository, if the URL has one. */
  getPath(): string | undefined {
    return this.#url.path ?? undefined;
  }

  /** The branch, tag or commit, if the URL has one. */
  getRef(): string | undefined {
    return this.#url.reference ?? undefined;
  }

  /** What the ref is: `GB` a branch, `GT` a tag, `GC` a commit. */
  getPrefix(): string | undefined {
    return this.#url.prefix ?? undefined;
  }
}
