/** What the entries of the package load, and that TypeScript finds them however an app resolves modules. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { typeProblems } from '../testing/typeProblems';

const NAME = 'backstage-azure-devops-native';
const ROOT = path.resolve(__dirname, '..');

describe.each(['require', 'import'])('%s of', how => {
  /** What other entries and the command line need, and the main entry does not. */
  const ofOthers =
    /node_modules[\\/](@backstage[\\/]plugin-permission-common|commander|picocolors)[\\/]|dist[\\/](cli|status|diagnosis)[\\/]/;

  it('the main entry loads nothing that only others need', async () => {
    const loaded = await loadedBy(how, NAME);
    expect(loaded).toContain(path.join(ROOT, 'dist/index.js'));
    expect(loaded.filter(file => ofOthers.test(file))).toEqual([]);
  });

  it('the status loads what only it needs, and neither binary nor command line', async () => {
    const loaded = await loadedBy(how, `${NAME}/status`);
    const own = loaded.filter(file => ofOthers.test(file));
    expect(own).toContain(path.join(ROOT, 'dist/status/index.js'));
    expect(own).toContainEqual(
      expect.stringContaining('plugin-permission-common'),
    );
    expect(loaded.filter(file => /\.node$|dist[\\/]cli/.test(file))).toEqual(
      [],
    );
    expect(own.filter(file => /commander|picocolors/.test(file))).toEqual([]);
  });
});

/** What compiles in an app, or an entry is not found or has other types. */
const USE = `
import type { BackendFeature } from '@backstage/backend-plugin-api';
import type { BasicPermission } from '@backstage/plugin-permission-common';
import reader from '${NAME}';
import status, {
  azureDevOpsNativeStatusReadPermission as permission,
  type AzureDevOpsNativeStatus,
} from '${NAME}/status';

export const features: BackendFeature[] = [reader, status];
export const permissions: BasicPermission[] = [permission];
export const problems = ({ diagnosedAt, hosts }: AzureDevOpsNativeStatus) =>
  [diagnosedAt.length, hosts[0].checks[0].message.length];
// An entry that is not found would be "any", for which this would be no error.
// @ts-expect-error
export const wrong: number = permission;
`;

it.each([
  // Old apps: it knows no exports, and finds status.d.ts beside package.json, so no typesVersions are needed.
  ['node', ts.ModuleResolutionKind.Node10, ts.ModuleKind.CommonJS, 'a.ts'],
  ['bundler', ts.ModuleResolutionKind.Bundler, ts.ModuleKind.ESNext, 'a.ts'],
  ['node16', ts.ModuleResolutionKind.Node16, ts.ModuleKind.Node16, 'a.ts'],
  [
    'node16, as an ES module',
    ts.ModuleResolutionKind.Node16,
    ts.ModuleKind.Node16,
    'a.mts',
  ],
])(
  'TypeScript finds each entry with "moduleResolution": %s',
  (_name, moduleResolution, module, file) => {
    const app = appWithPackage();
    writeFileSync(path.join(app, file), USE);
    const problems = typeProblems([path.join(app, file)], {
      module,
      moduleResolution,
      esModuleInterop: true,
    });
    rmSync(app, { recursive: true });
    expect(problems).toEqual([]);
  },
);

/** A folder in which this package is installed, and Backstage's are those of the project. */
function appWithPackage(): string {
  const app = temporaryFolder('entries', path.join(ROOT, 'temp'));
  mkdirSync(path.join(app, 'node_modules'));
  symlinkSync(ROOT, path.join(app, 'node_modules', NAME), 'dir');
  writeFileSync(path.join(app, 'package.json'), '{ "name": "app" }');
  return app;
}

/** What modules of this package have loaded, themselves among it. */
async function loadedBy(how: string, entry: string): Promise<string[]> {
  const script = path.join(__dirname, 'entries/loaded.cjs');
  const { stdout } = await promisify(execFile)(process.execPath, [
    script,
    how,
    entry,
  ]);
  return JSON.parse(stdout) as string[];
}
