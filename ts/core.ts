import { AzureUrl } from './AzureUrl';

/**
 * The REST URL of a file's content.
 *
 * @param url - The file's web URL, as the browser's address bar shows it.
 * @throws Where the URL names no repository, or no path in it; a `TypeError` where it is no URL.
 * @see https://learn.microsoft.com/rest/api/azure/devops/git/items/get
 *
 * @public
 */
export function getAzureFileFetchUrl(url: string): string {
  return AzureUrl.fromRepoUrl(url).toFileUrl();
}

/**
 * The REST URL of a zip of a repository or folder.
 *
 * @param url - Its web URL, with `path` where it is a folder.
 * @throws Where the URL names no repository; a `TypeError` where it is no URL.
 * @see https://learn.microsoft.com/rest/api/azure/devops/git/items/get
 *
 * @public
 */
export function getAzureDownloadUrl(url: string): string {
  return AzureUrl.fromRepoUrl(url).toArchiveUrl();
}

/**
 * The REST URL of the commits of a repository's branch, tag or commit.
 *
 * @param url - The web URL, with `version` where it is not the default branch.
 * @throws Where the URL names no repository; a `TypeError` where it is no URL.
 * @see https://learn.microsoft.com/rest/api/azure/devops/git/commits/get-commits
 *
 * @public
 */
export function getAzureCommitsUrl(url: string): string {
  return AzureUrl.fromRepoUrl(url).toCommitsUrl();
}
