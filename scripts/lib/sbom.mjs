// Writes what a package is made of as a CycloneDX 1.6 document: the same sources give the same bytes, so it has neither a time nor a serial number.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot, output } from './commands.mjs';
import { packageJson } from './native.mjs';

/** The name of the document in each package. */
export const sbomFile = 'sbom.cdx.json';

/** Writes the document of the main package into its folder: the npm packages that it depends on. */
export function writeMainSbom(folder) {
  const lock = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8'));
  const { components, dependencies } = npmClosure(lock.packages);
  writeSbom(folder, components, dependencies);
}

/** Writes the document of a platform's package into its folder: the crates in its binary. */
export function writeNativeSbom(folder, platform) {
  const { components, dependencies } = crateClosure(targetOf(platform));
  writeSbom(folder, components, dependencies);
}

/** Rust's name of a platform of npm/. */
export function targetOf(platform) {
  const [system, cpu, suffix] = platform.split('-');
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[cpu];
  const rest = {
    darwin: 'apple-darwin',
    linux: `unknown-linux-${suffix}`,
    win32: 'pc-windows-msvc',
  };
  return `${machine}-${rest[system]}`;
}

function writeSbom(folder, components, dependencies) {
  const file = path.join(folder, 'package.json');
  const { name, version, description, license } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  const ref = `pkg:npm/${name}@${version}`;
  const own = { type: 'library', 'bom-ref': ref, name, version, description };
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        ...own,
        licenses: [{ license: { id: license } }],
        purl: ref,
      },
    },
    components: components.sort(byRef),
    dependencies: [{ ref, dependsOn: dependencies.own }, ...dependencies.all],
  };
  const text = `${JSON.stringify(document, null, 2)}\n`;
  writeFileSync(path.join(folder, sbomFile), text);
}

function byRef(one, other) {
  return one['bom-ref'] < other['bom-ref'] ? -1 : 1;
}

/** The packages that an install of ours brings, as package-lock.json has them, and our own binaries. */
function npmClosure(packages) {
  const components = new Map();
  const all = [];
  const visit = place => {
    const { version, integrity, ...entry } = packages[place];
    const license = entry.license ?? oldLicense(place);
    const name = place.slice(place.lastIndexOf('node_modules/') + 13);
    const ref = npmRef(name, version);
    if (components.has(ref)) return ref;
    components.set(ref, npmComponent({ name, version, license, integrity }));
    const dependsOn = namesOf(entry).map(needed =>
      visit(resolve(packages, place, needed)),
    );
    all.push({ ref, dependsOn: [...new Set(dependsOn)].sort() });
    return ref;
  };
  const own = Object.keys(packageJson.dependencies).map(name =>
    visit(`node_modules/${name}`),
  );
  return {
    components: [...components.values()],
    dependencies: { own: own.sort(), all: all.sort(byDependent) },
  };
}

/** The licence as package.json had it once, which package-lock.json leaves out; some packages say none. */
function oldLicense(place) {
  const manifest = readFileSync(inRoot(place, 'package.json'), 'utf8');
  const { licenses } = JSON.parse(manifest);
  return licenses?.map(({ type }) => type).join(' OR ');
}

/** What npm installs beside a package, and does not leave out. */
function namesOf({ dependencies, peerDependencies, peerDependenciesMeta }) {
  const isNeeded = name => !peerDependenciesMeta?.[name]?.optional;
  const peers = Object.keys(peerDependencies ?? {}).filter(isNeeded);
  return [...Object.keys(dependencies ?? {}), ...peers];
}

/** Where Node finds a package from the place of another one. */
function resolve(packages, place, name) {
  for (
    let from = place;
    ;
    from = from.slice(0, from.lastIndexOf('/node_modules/'))
  ) {
    const nested = `${from}/node_modules/${name}`;
    if (packages[nested]) return nested;
    if (!from.includes('/node_modules/')) return `node_modules/${name}`;
  }
}

function npmComponent({ name, version, license, integrity }) {
  const [, algorithm, hash] = integrity?.match(/^(sha\d+)-(\S+)$/) ?? [];
  const content = hash && Buffer.from(hash, 'base64').toString('hex');
  return {
    type: 'library',
    'bom-ref': npmRef(name, version),
    name,
    version,
    ...(content && {
      hashes: [{ alg: algorithm.replace('sha', 'SHA-'), content }],
    }),
    ...(license && { licenses: [{ expression: license }] }),
    purl: npmRef(name, version),
  };
}

function npmRef(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function byDependent(one, other) {
  return one.ref < other.ref ? -1 : 1;
}

/**
 * The crates whose code may be in the binary for a target, as `name@version`: neither those of tests and
 * build scripts nor macros, and with the features of a build.
 */
export function cratesOf(target) {
  const tree = output('cargo', [
    ...['tree', '--locked', '--edges', 'normal,no-proc-macro'],
    ...['--target', target, '--prefix', 'none', '--format', '{p}'],
  ]);
  // The first line is our own.
  const lines = tree.split('\n').slice(1).filter(Boolean);
  return new Set(
    lines.map(line => line.split(' ', 2).join('@').replace('@v', '@')),
  );
}

function crateClosure(target) {
  const metadata = JSON.parse(
    output('cargo', [
      ...['metadata', '--format-version', '1', '--locked'],
      ...['--filter-platform', target],
    ]),
  );
  const names = cratesOf(target);
  const crates = new Map(
    metadata.packages
      .filter(({ name, version }) => names.has(`${name}@${version}`))
      .map(crate => [crate.id, crate]),
  );
  const nodes = new Map(metadata.resolve.nodes.map(node => [node.id, node]));
  const needsOf = id => {
    const needed = nodes
      .get(id)
      .deps.filter(({ dep_kinds }) => dep_kinds.some(({ kind }) => !kind))
      .filter(({ pkg }) => crates.has(pkg));
    return needed.map(({ pkg }) => crateRef(crates.get(pkg))).sort();
  };
  const checksums = checksumsOfCrates();
  const all = [...crates].map(([id, crate]) => ({
    ref: crateRef(crate),
    dependsOn: needsOf(id),
  }));
  return {
    components: [...crates.values()].map(crate =>
      crateComponent(crate, checksums),
    ),
    dependencies: {
      own: needsOf(metadata.resolve.root),
      all: all.sort(byDependent),
    },
  };
}

/** What Cargo.lock says of the bytes of each crate, by its name and version. */
function checksumsOfCrates() {
  const lock = readFileSync(inRoot('Cargo.lock'), 'utf8');
  const entry =
    /name = "([^"]+)"\nversion = "([^"]+)"\n(?:source = .*\n)?checksum = "([0-9a-f]+)"/g;
  const found = [...lock.matchAll(entry)];
  return new Map(
    found.map(([, name, version, sum]) => [`${name}@${version}`, sum]),
  );
}

function crateComponent({ name, version, license, repository }, checksums) {
  const content = checksums.get(`${name}@${version}`);
  return {
    type: 'library',
    'bom-ref': crateRef({ name, version }),
    name,
    version,
    ...(content && { hashes: [{ alg: 'SHA-256', content }] }),
    // As crates wrote it before SPDX: a slash for "or".
    ...(license && {
      licenses: [{ expression: license.replace(/\s*\/\s*/g, ' OR ') }],
    }),
    purl: crateRef({ name, version }),
    ...(repository && {
      externalReferences: [{ type: 'vcs', url: repository }],
    }),
  };
}

function crateRef({ name, version }) {
  return `pkg:cargo/${name}@${version}`;
}
