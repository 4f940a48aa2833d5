// Checks what is in the packages as they are installed: that each says what it is made of, and that the binary is one to publish.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { addressFields } from './address.mjs';
import { fail, inRoot, npm, section } from './commands.mjs';
import { addonFile, packageJson, platformName } from './native.mjs';
import { cratesOf, sbomFile, targetOf } from './sbom.mjs';

/** What knows the schema of CycloneDX. */
const validator = [
  '@cyclonedx/cyclonedx-library@10.3.0',
  'ajv@8.20.0',
  'ajv-formats@3.0.1',
  'ajv-formats-draft2019@1.6.1',
];

/** Fails unless the two packages below this node_modules are as they should be. */
export async function checkContents(modules) {
  section('what is in the packages');
  const main = path.join(modules, packageJson.name);
  const native = `${main}-${platformName()}`;
  checkBinary(path.join(native, addonFile()));
  checkPins(main);
  checkLinks(main);
  checkAddress(main, native);
  await checkSchemas([main, native]);
  checkComponents(main, ['hashes', 'purl']);
  checkComponents(native, ['hashes', 'licenses', 'purl']);
  checkNpmNames(main, modules);
  checkCrates(native);
}

/** Tests can make panics in a build of their own, and in no other. */
function checkBinary(file) {
  if (readFileSync(file).includes('panicAt')) {
    fail(`${file} was built with the feature "panics"`);
  }
}

/** A binary of another version is not loaded, so none may be installed. */
function checkPins(main) {
  const { optionalDependencies, version } = JSON.parse(
    readFileSync(path.join(main, 'package.json'), 'utf8'),
  );
  const versions = Object.values(optionalDependencies);
  if (versions.length === 0 || versions.some(pinned => pinned !== version)) {
    fail(`the binaries' packages are not all pinned to ${version}`);
  }
}

/** What the pages of the package link to is in it, and so on the pages of the registry as well. */
function checkLinks(main) {
  const pages = readdirSync(main, { recursive: true }).filter(
    file => file.endsWith('.md') && !file.includes('node_modules'),
  );
  const dead = pages.flatMap(page =>
    relativeLinks(readFileSync(path.join(main, page), 'utf8'))
      .filter(link => !existsSync(path.join(main, page, '..', link)))
      .map(link => `${page}: ${link}`),
  );
  if (dead.length > 0) {
    fail(`links that lead nowhere in the package: ${dead.join(', ')}`);
  }
  console.log(`the main package: ${pages.length} pages, no link dead`);
}

/** The files that a page links to. */
function relativeLinks(markdown) {
  const links = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to);
  return links
    .filter(link => !/^[a-z]+:|^#/i.test(link))
    .map(link => link.split('#')[0]);
}

/** Every package says where the project is, or none does while it has no public address. */
function checkAddress(main, native) {
  const [own, other] = [main, native].map(folder =>
    JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')),
  );
  const differing = addressFields.filter(
    field => JSON.stringify(own[field]) !== JSON.stringify(other[field]),
  );
  if (differing.length > 0) {
    fail(`the packages differ in ${differing.join(', ')}`);
  }
  const missing = addressFields.filter(field => !own[field]);
  console.log(
    missing.length > 0
      ? `no public address yet: package.json has no ${missing.join(', ')}`
      : `the project's address: ${own.homepage}`,
  );
}

async function checkSchemas(folders) {
  const { Validation, Spec } = cycloneDx();
  const strict = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  for (const folder of folders) {
    const file = path.join(folder, sbomFile);
    const errors = await strict.validate(readFileSync(file, 'utf8'));
    if (errors) {
      fail(`${file} is no CycloneDX 1.6: ${JSON.stringify(errors)}`);
    }
  }
}

function checkComponents(folder, fields) {
  const incomplete = componentsOf(folder).filter(component =>
    fields.some(field => !component[field]),
  );
  if (incomplete.length > 0) {
    const refs = incomplete.map(component => component['bom-ref']);
    fail(
      `${sbomFile} of ${folder} lacks ${fields.join(' or ')} of ${refs.join(', ')}`,
    );
  }
}

/** What an install really brings, which may be newer than what was tried, is listed. */
function checkNpmNames(main, modules) {
  const record = path.join(modules, '.package-lock.json');
  const { packages } = JSON.parse(readFileSync(record, 'utf8'));
  const installed = Object.keys(packages).map(place =>
    place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length),
  );
  const listed = new Set(componentsOf(main).map(({ name }) => name));
  const missing = installed.filter(
    name => !listed.has(name) && !name.startsWith(packageJson.name),
  );
  if (missing.length > 0) {
    fail(`${sbomFile} of the main package lacks ${missing.join(', ')}`);
  }
  console.log(`the main package: ${listed.size} npm packages`);
}

function checkCrates(native) {
  const listed = new Set(
    componentsOf(native).map(({ name, version }) => `${name}@${version}`),
  );
  const built = cratesOf(targetOf(platformName()));
  const differing = [
    ...[...built].filter(crate => !listed.has(crate)),
    ...[...listed].filter(crate => !built.has(crate)),
  ];
  if (differing.length > 0) {
    fail(`${sbomFile} and cargo tree differ in ${differing.join(', ')}`);
  }
  console.log(`the package of ${platformName()}: ${listed.size} crates`);
}

function componentsOf(folder) {
  const text = readFileSync(path.join(folder, sbomFile), 'utf8');
  return JSON.parse(text).components;
}

/** The library of CycloneDX, in a cache folder of the project. */
function cycloneDx() {
  const folder = inRoot('target/tools/cyclonedx');
  const manifest = path.join(folder, 'package.json');
  if (!existsSync(path.join(folder, 'node_modules/ajv-formats-draft2019'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(manifest, '{ "private": true }\n');
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts'];
    npm([...args, ...validator], { cwd: folder });
  }
  return createRequire(manifest)('@cyclonedx/cyclonedx-library');
}
