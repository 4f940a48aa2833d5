/** Generated repositories on the stand-in: awkward names, contents of every size, several versions. */
import fc from 'fast-check';
import { standIn, type Hosted } from '../../testing/azure-devops';
import { seed } from './seed';

/** A version of a repository: what a URL calls it, and the files it has. */
export interface HostedVersion {
  /** With its prefix, as in a web URL; missing for the default branch. */
  version?: string;
  files: Map<string, Buffer>;
}

/** A repository with all that can be asked of it. */
export interface HostedFiles {
  organization: string;
  hosted: Hosted;
  versions: HostedVersion[];
}

/** The organization that the configured token does not read. */
export const CLOSED = 'closed';

const NAMES: Array<[string, string, string]> = [
  ['parity', 'Project', 'Repo'],
  ['parity', 'A Project', 'repo & more+%'],
  ['parity-2', 'Prøjekt 🚀', 'Prøjekt 🚀'],
  [CLOSED, 'Project', 'Repo'],
];

const PIECES = [
  ...[
    'a',
    'B c',
    'ünï',
    'u\u0308',
    '🚀',
    '+',
    '&',
    '#',
    '%',
    '%25',
    '%2F',
    '.',
  ],
  ...['..', "'", '(', '~', '\\', '"', ':', ';', '@', '=', ',', '^', '|', ' '],
];

const name = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 3 })
  .map(pieces => pieces.join(''));

/** Folders and files end differently, so that none is both. */
const path = fc
  .tuple(
    fc.array(name, { maxLength: 2 }),
    name,
    fc.constantFrom('-f', '-f', '-f', '-f.html', '-f.XHTML'),
  )
  .map(([folders, file, end]) =>
    [...folders.map(folder => `${folder}-d`), `${file}${end}`].join('/'),
  );

const content = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary' }).map(Buffer.from) },
  { weight: 4, arbitrary: fc.uint8Array().map(bytes => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom('', 'x').map(Buffer.from) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.uint8Array({ minLength: 1 }), fc.nat(300 * 1024))
      .map(([bytes, size]) => Buffer.alloc(size, bytes)),
  },
);

const files = fc.uniqueArray(fc.tuple(path, content), {
  minLength: 12,
  maxLength: 20,
  selector: ([own]) => own,
});

/** Hosts them; some have a time of their last change, which Azure DevOps itself does not send. */
export async function hostRepositories(): Promise<HostedFiles[]> {
  const drafts = fc.sample(fc.tuple(files, files), {
    seed,
    numRuns: NAMES.length,
  });
  const repositories: HostedFiles[] = [];
  for (const [index, [first, second]] of drafts.entries()) {
    repositories.push(await host(NAMES[index], first, second));
  }
  return repositories;
}

type Draft = Array<[string, Buffer]>;

async function host(
  [organization, project, repository]: [string, string, string],
  first: Draft,
  second: Draft,
): Promise<HostedFiles> {
  const hosted = await standIn().addRepository({
    organization,
    project,
    repository,
    files: Object.fromEntries(first),
    lastModified: organization === 'parity' ? new Date(1.6e12) : undefined,
  });
  const old = new Map(first);
  const commit = await hosted.git.head();
  await hosted.git.tag('v1');
  await hosted.git.tag('v2/ü+&#%');
  await hosted.git.branch('old');
  await hosted.git.commit({ files: Object.fromEntries(second) });
  await hosted.git.branch('feature/ü+&#%');
  const tip = new Map([...first, ...second]);
  const versions: HostedVersion[] = [
    { files: tip },
    { version: '', files: tip },
    { version: 'GBmain', files: tip },
    { version: 'GBfeature/ü+&#%', files: tip },
    { version: 'GBold', files: old },
    { version: 'GBmissing', files: new Map() },
    { version: 'GTv1', files: old },
    { version: 'GTv2/ü+&#%', files: old },
    { version: 'GTmissing', files: new Map() },
    { version: `GC${commit}`, files: old },
    { version: `GC${'0'.repeat(40)}`, files: new Map() },
  ];
  return { organization, hosted, versions };
}
