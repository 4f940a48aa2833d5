"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.AzureUrl = void 0;
const binding_1 = require("./binding");
const failure_1 = require("./failure");
/**
 * A repository of Azure DevOps, or a path in it, as its web URL names it.
 *
 * @public
 */
class AzureUrl {
    /**
     * Reads a URL as copied from the browser's address bar.
     *
     * @throws Where the URL names no repository, or a version that is no branch, tag or commit.
     */
    static fromRepoUrl(repoUrl) {
        return new AzureUrl((0, failure_1.unwrap)((0, binding_1.native)().AzureUrl.fromRepoUrl(String(repoUrl))));
    }
    #url;
    constructor(url) {
        this.#url = url;
    }
    /** The URL under which a browser shows this. */
    toRepoUrl() {
        return (0, failure_1.unwrap)(this.#url.toRepoUrl());
    }
    /**
     * The REST URL of the file's content.
     *
     * @throws Where the URL names no path.
     */
    toFileUrl() {
        return (0, failure_1.unwrap)(this.#url.toFileUrl());
    }
    /** The REST URL of a zip of the repository, or of the folder that the path names. */
    toArchiveUrl() {
        return (0, failure_1.unwrap)(this.#url.toArchiveUrl());
    }
    /** The REST URL of the version's commits, newest first. */
    toCommitsUrl() {
        return (0, failure_1.unwrap)(this.#url.toCommitsUrl());
    }
    /** The organization, or the collection (`tfs/{collection}` below `/tfs/`). */
    getOwner() {
        return this.#url.owner;
    }
    /** The name of the project. */
    getProject() {
        return this.#url.project;
    }
    /** The name of the repository. */
    getRepo() {
        return this.#url.repo;
    }
    /** The path in the repository, if the URL has one. */
    getPath() {
        return this.#url.path ?? undefined;
    }
    /** The branch, tag or commit, if the URL has one. */
    getRef() {
        return this.#url.reference ?? undefined;
    }
    /** What the ref is: `GB` a branch, `GT` a tag, `GC` a commit. */
    getPrefix() {
        return this.#url.prefix ?? undefined;
    }
}
exports.AzureUrl = AzureUrl;
