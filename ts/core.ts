import { AzureUrl } from './AzureUrl';

/**
 * The REST URL of a file's content.
 *
 * @param url - The file's web URL.
 *
 * @public
 */
export function getAzureFileFetchUrl(url: string): string {
  return AzureUrl.fromRepoUrl(url).toFileUrl();
}

/**
 * The REST URL of a zip of a repository or folder.
 *
 * @param url - Its web URL.
 *
 * @public
 */
export function getAzureDownloadUrl(url: string): string {
  return AzureUrl.fromRepoUrl(url).toArchiveUrl();
}

/**
 * The REST URL of the commits of a repository's branch, tag or commit.
 *
 * @param url - The web URL.
 *
 * @public
 */
export function getAzureCommitsUrl(url: string): string {
  return AzureUrl.fromRepoUrl(url).toCommitsUrl();
}
