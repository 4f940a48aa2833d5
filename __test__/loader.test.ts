import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const run = promisify(execFile);
const root = path.join(__dirname, '..');
const { name: NAME, version } = readJson(path.join(root, 'package.json'));
const PUBLISHED = readdirSync(path.join(root, 'npm')).sort();

type Machine = [platform: string, arch: string, glibc?: string];

interface Outcome {
  asked: string[];
  loaded?: { platform: string };
  error?: string;
}

/** What Node can be built for, and then some. */
const PLATFORMS =
  'aix,android,cygwin,darwin,freebsd,haiku,linux,netbsd,openbsd,sunos,win32,__proto__';
const ARCHITECTURES =
  'arm,arm64,ia32,loong64,mips,mipsel,ppc,ppc64,riscv64,s390,s390x,x64,wasm32';
const MACHINES = PLATFORMS.split(',').flatMap(platform =>
  ARCHITECTURES.split(',').flatMap<Machine>(arch => [
    [platform, arch, '2.17'],
    [platform, arch, undefined],
  ]),
);

it('asks for the packages that are published, and for no other, on any machine', async () => {
  const installed = install({});
  const outcomes = await load(installed, MACHINES);
  const packages = outcomes
    .flatMap(({ asked }) => asked)
    .filter(request => !/^(?:node:|\.\.\/package\.json$)/.test(request))
    .map(request => request.replace(/\/package\.json$/, ''));
  expect([...new Set(packages)].sort()).toEqual(
    PUBLISHED.map(platform => `${NAME}-${platform}`),
  );
});

it('loads the package of the machine that it is on', async () => {
  const installed = install(
    Object.fromEntries(PUBLISHED.map(p => [p, version])),
  );
  const machines: Machine[] = PUBLISHED.map(platform => {
    const [os, cpu, libc] = platform.split('-');
    return [os, cpu, libc === 'musl' ? undefined : '2.31'];
  });
  const outcomes = await load(installed, machines);
  expect(outcomes.map(({ loaded }) => loaded?.platform)).toEqual(PUBLISHED);
});

it('has a package for each machine that npm installs one on', () => {
  for (const platform of PUBLISHED) {
    const file = path.join(root, 'npm', platform, 'package.json');
    const { name, version: theirs, os, cpu, libc } = readJson(file);
    const [ourOs, ourCpu, suffix] = platform.split('-');
    expect([name, theirs]).toEqual([`${NAME}-${platform}`, version]);
    expect([os, cpu]).toEqual([[ourOs], [ourCpu]]);
    const libcs: Record<string, string[]> = { gnu: ['glibc'], musl: ['musl'] };
    expect(libc).toEqual(libcs[suffix]);
  }
});

it('says which machines there are binaries for, on another one', async () => {
  const [{ error }] = await load(install({}), [['freebsd', 'x64', undefined]]);
  expect(error).toBe(
    `there is no binary for freebsd-x64, only for ${PUBLISHED.join(', ')}`,
  );
});

it('says what to install, where the package is missing', async () => {
  const [{ error }] = await load(install({}), [['linux', 'x64', '2.17']]);
  expect(error).toMatch(
    `${NAME}-linux-x64-gnu is not installed: it is an optional dependency`,
  );
  expect(error).toMatch(`${NAME}-linux-x64-gnu@${version}`);
});

it('loads no binary of another version', async () => {
  const installed = install({ 'linux-x64-gnu': '0.0.9' });
  const [outcome] = await load(installed, [['linux', 'x64', '2.17']]);
  expect(outcome.loaded).toBeUndefined();
  expect(outcome.error).toBe(
    `${NAME}-linux-x64-gnu is of version 0.0.9, and ${NAME} of ${version}: both have to be the same. Install ${NAME}-linux-x64-gnu@${version}`,
  );
});

it('loads nothing that the environment names', async () => {
  const installed = install({});
  const file = path.join(installed, 'other.js');
  writeFileSync(file, 'module.exports = { platform: "of the environment" };');
  const [{ loaded }] = await load(installed, [['linux', 'x64', '2.17']], {
    NAPI_RS_NATIVE_LIBRARY_PATH: file,
    NAPI_RS_FORCE_WASI: '1',
  });
  expect(loaded).toBeUndefined();
});

/** The package as it is installed, with its binaries' packages of these versions. */
function install(versions: Record<string, string>): string {
  const folder = temporaryFolder('loader');
  const own = path.join(folder, 'node_modules', NAME);
  mkdirSync(path.join(own, 'dist'), { recursive: true });
  cpSync(path.join(root, 'package.json'), path.join(own, 'package.json'));
  const addon = path.join(root, 'dist/addon.js');
  expect(existsSync(addon)).toBe(true);
  cpSync(addon, path.join(own, 'dist/addon.js'));
  for (const [platform, theirs] of Object.entries(versions)) {
    const name = `${NAME}-${platform}`;
    const their = path.join(folder, 'node_modules', name);
    mkdirSync(their);
    const contents = { name, version: theirs, main: 'index.js' };
    writeFileSync(path.join(their, 'package.json'), JSON.stringify(contents));
    const binding = `module.exports = { platform: '${platform}' };`;
    writeFileSync(path.join(their, 'index.js'), binding);
  }
  return own;
}

async function load(
  installed: string,
  machines: Machine[],
  environment: Record<string, string> = {},
): Promise<Outcome[]> {
  const script = path.join(__dirname, 'loader/load.cjs');
  const addon = path.join(installed, 'dist/addon.js');
  const { stdout } = await run(
    process.execPath,
    [script, addon, JSON.stringify(machines)],
    { env: { ...process.env, ...environment }, maxBuffer: 16 * 1024 * 1024 },
  );
  return JSON.parse(stdout);
}

function readJson(file: string) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
