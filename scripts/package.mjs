// Leaves in artifacts/ what is published: the tarball of the main package and that of the package with this machine's addon.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { fail, inRoot, npm, section } from './lib/commands.mjs';
import { addressFields } from './lib/address.mjs';
import { addonFile, packageJson, platformName } from './lib/native.mjs';
import { buildPortableAddon } from './lib/portable-addon.mjs';
import { sbomFile, writeMainSbom, writeNativeSbom } from './lib/sbom.mjs';

const staging = inRoot('temp/package');
const artifacts = inRoot('artifacts');

// npm packs these whether or not package.json lists them.
const alwaysPacked = ['README.md', 'LICENSE'];
// What only the development of the package needs, or would run at its install.
const developmentFields = [
  'allowScripts',
  'devDependencies',
  'napi',
  'prettier',
  'scripts',
];

await build();
const addon = buildPortableAddon();

section('tarballs');
rmSync(staging, { recursive: true, force: true });
rmSync(artifacts, { recursive: true, force: true });
mkdirSync(artifacts, { recursive: true });
pack(stageMain());
pack(stagePlatform());
rmSync(staging, { recursive: true });
readdirSync(artifacts).forEach(file => console.log(`artifacts/${file}`));

/** The main package is the project less its development, plus its addons. */
function stageMain() {
  const folder = path.join(staging, 'main');
  const listed = packageJson.files.filter(file => !file.startsWith('!'));
  copyInto(folder, inRoot(), [...listed, ...alwaysPacked]);
  writePackageJson(folder, {
    ...withoutFields(packageJson, developmentFields),
    files: [...packageJson.files, sbomFile],
    optionalDependencies: platformPackages(),
  });
  writeMainSbom(folder);
  return folder;
}

function stagePlatform() {
  const source = inRoot('npm', platformName());
  const folder = path.join(staging, platformName());
  copyInto(folder, source, ['README.md']);
  const own = readPackageJson(source);
  const address = Object.entries(packageJson).filter(([field]) =>
    addressFields.includes(field),
  );
  writePackageJson(folder, {
    ...own,
    ...Object.fromEntries(address),
    files: [...own.files, sbomFile],
  });
  copyInto(folder, inRoot(), ['LICENSE']);
  cpSync(addon, path.join(folder, addonFile()));
  writeNativeSbom(folder, platformName());
  return folder;
}

function copyInto(folder, source, names) {
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    if (!existsSync(path.join(source, name))) {
      fail(`${path.join(source, name)} is to be packed but does not exist`);
    }
    cpSync(path.join(source, name), path.join(folder, name), {
      recursive: true,
    });
  }
}

/** The packages below npm/, all of which have the version of the main one. */
function platformPackages() {
  const entries = readdirSync(inRoot('npm')).map(platform => {
    const { name, version } = readPackageJson(inRoot('npm', platform));
    if (version !== packageJson.version) {
      fail(`npm/${platform} is ${version}, the package ${packageJson.version}`);
    }
    return [name, version];
  });
  return Object.fromEntries(entries);
}

function withoutFields(object, fields) {
  const kept = Object.entries(object).filter(([key]) => !fields.includes(key));
  return Object.fromEntries(kept);
}

function readPackageJson(folder) {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
}

function writePackageJson(folder, contents) {
  const text = `${JSON.stringify(contents, null, 2)}\n`;
  writeFileSync(path.join(folder, 'package.json'), text);
}

function pack(folder) {
  npm(['pack', '--silent', '--pack-destination', artifacts], { cwd: folder });
}
