"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.getAzureFileFetchUrl = getAzureFileFetchUrl;
exports.getAzureDownloadUrl = getAzureDownloadUrl;
exports.getAzureCommitsUrl = getAzureCommitsUrl;
const AzureUrl_1 = require("./AzureUrl");
/**
 * The REST URL of a file's content.
 *
 * @param url - The file's web URL.
 *
 * @public
 */
function getAzureFileFetchUrl(url) {
    return AzureUrl_1.AzureUrl.fromRepoUrl(url).toFileUrl();
}
/**
 * The REST URL of a zip of a repository or folder.
 *
 * @param url - Its web URL.
 *
 * @public
 */
function getAzureDownloadUrl(url) {
    return AzureUrl_1.AzureUrl.fromRepoUrl(url).toArchiveUrl();
}
/**
 * The REST URL of the commits of a repository's branch, tag or commit.
 *
 * @param url - The web URL.
 *
 * @public
 */
function getAzureCommitsUrl(url) {
    return AzureUrl_1.AzureUrl.fromRepoUrl(url).toCommitsUrl();
}
