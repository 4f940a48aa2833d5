/** What a web URL of a repository says beyond what upstream reads in it. */
import { parsed } from './parsed';

/** A web URL as upstream would have to be given it. */
export interface WebUrl {
  /** With the project's name in it, also where the URL that was pasted leaves it out. */
  url: string;
  isPasted: boolean;
  /** What stands where the page of a commit has the commit's id. */
  commit?: string;
}

/** Reads a URL; nothing where it is not that of a repository. */
export function webUrlOf(text: string): WebUrl | undefined {
  const url = parsed(text);
  const segments = url?.pathname.split('/');
  const names = segments && decodedAll(segments);
  if (!url || !names) return undefined;
  const git = placeOfGit(url, names);
  if (!git) return undefined;
  const page = git.at + 2;
  const repository = segments.slice(0, page);
  if (git.isPasted) {
    // A project of the repository's name goes where the form that upstream reads has it.
    const name = segments[git.at + 1];
    const isCollection = git.at === 2;
    repository.splice(isCollection ? 1 : git.at, isCollection ? 1 : 0, name);
  }
  const whole = new URL(url);
  whole.pathname = repository.join('/');
  return {
    url: whole.toString(),
    isPasted: git.isPasted,
    commit: /^commit$/i.test(names[page]) ? (names[page + 1] ?? '') : undefined,
  };
}

/** Whether a commit's id is given in full. */
export function isCommitId(id: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(id);
}

/** Whether a repository would be named `_git`, as none can be. */
export function isOfNoName(text: string): boolean {
  const names = decodedAll(parsed(text)?.pathname.split('/') ?? []) ?? [];
  return names.some((name, at) => name === '_git' && names[at + 1] === name);
}

/** Where `_git` stands, and whether the project is left out before it as upstream does not know it. */
function placeOfGit(
  url: URL,
  names: string[],
): { at: number; isPasted: boolean } | undefined {
  const isOlder = url.origin.endsWith('.visualstudio.com');
  const isServer = !isOlder && url.hostname !== 'dev.azure.com';
  const first = names[1]?.toLowerCase();
  const at = [2, 3, 4, 1].find(index => names[index] === '_git');
  if (at === undefined || !names[at + 1]) return undefined;
  switch (at) {
    case 1:
      return isOlder ? { at, isPasted: true } : undefined;
    case 2:
      return { at, isPasted: isOlder && first === 'defaultcollection' };
    case 3:
      return { at, isPasted: isServer && first === 'tfs' && names[2] !== '' };
    default:
      return { at, isPasted: false };
  }
}

function decodedAll(segments: string[]): string[] | undefined {
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
