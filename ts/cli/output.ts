import type { Diagnosis } from '../diagnosis/report';

/** What `doctor --json` prints. */
export type DoctorOutput = Diagnosis;

/** What `read --json` prints. */
export interface ReadOutput {
  url: string;
  etag?: string;
  /** In ISO 8601. */
  lastModifiedAt?: string;
  size: number;
  /** How `content` is to be read: text as it is, anything else in base64. */
  encoding: 'utf8' | 'base64';
  content: string;
}

/** A file or folder that `ls` lists. */
export interface LsEntry {
  /** From the root of the repository, without a slash before it. */
  path: string;
  type: 'file' | 'folder' | 'submodule';
  /** With `--long` alone, of a file, in bytes. */
  size?: number;
  /** With `--long` alone: the id of its blob, tree or commit. */
  id?: string;
  /** With `--long` alone: its mode, as git has it. */
  mode?: string;
}

/** What `ls --json` prints. */
export interface LsOutput {
  url: string;
  /** The commit that was listed. */
  etag: string;
  entries: LsEntry[];
}

/** What `tree --json` prints. */
export interface TreeOutput {
  url: string;
  etag: string;
  /** Where it was written. */
  directory: string;
  files: number;
  bytes: number;
}

/** What `translate --json` prints. */
export interface TranslateOutput {
  url: string;
  host: string;
  organization: string;
  project: string;
  repository: string;
  path?: string;
  /** The branch, tag or commit; missing for the default branch. */
  ref?: string;
  refType?: 'branch' | 'tag' | 'commit';
  /** REST URLs: of the content, where the URL names a path; of the archive; of the commits. */
  file?: string;
  archive: string;
  commits: string;
}

/** One measurement of `bench`, ours beside the built-in reader's. */
export interface BenchCase {
  /** What was measured, as `readUrl` or `glob`. */
  name: string;
  /** Ours alone. */
  native: BenchFigures;
  /** The built-in reader's; missing where it is not installed or failed. */
  builtIn?: BenchFigures;
  /** How many times faster ours is, by the medians. */
  ratio?: number;
  /** Why there are no figures of the built-in reader. */
  note?: string;
}

/** The rounds of one reader. */
export interface BenchFigures {
  rounds: number;
  medianMs: number;
  minMs: number;
  maxMs: number;
  /** CPU time of the process for a round, in milliseconds: the median. */
  cpuMs: number;
}

/** What `bench --json` prints. */
export interface BenchOutput {
  url: string;
  /** Of the built-in reader; missing where it is not installed. */
  builtInVersion?: string;
  cases: BenchCase[];
}

/** What each command prints with `--json` where it fails. */
export interface ErrorOutput {
  error: {
    /** The class of the error, as `NotFoundError`. */
    name: string;
    message: string;
  };
}
