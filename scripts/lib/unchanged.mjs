// Skips a step whose inputs have the same contents as when it last succeeded and whose outputs are still there.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { inRoot } from './commands.mjs';

const stampFile = inRoot('temp/build-stamps.json');

/**
 * Runs `work` unless nothing changed. `variant` is what besides files decides
 * the outcome, such as the profile of a build.
 */
export async function unlessUnchanged(
  step,
  { inputs, outputs, variant },
  work,
) {
  const stamp = `${variant ?? ''} ${hashOf(inputs)}`;
  const outputsExist = outputs.every(file => existsSync(inRoot(file)));
  if (outputsExist && readStamps()[step] === stamp) {
    return;
  }
  await work();
  writeStamps({ ...readStamps(), [step]: stamp });
}

function readStamps() {
  return existsSync(stampFile)
    ? JSON.parse(readFileSync(stampFile, 'utf8'))
    : {};
}

function writeStamps(stamps) {
  mkdirSync(path.dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, `${JSON.stringify(stamps, null, 2)}\n`);
}

function hashOf(inputs) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap(filesBelow)) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(inRoot(file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** The files of an input, which is a file, a folder, or not there (yet). */
function filesBelow(input) {
  if (!existsSync(inRoot(input))) {
    return [];
  }
  if (!statSync(inRoot(input)).isDirectory()) {
    return [input];
  }
  return readdirSync(inRoot(input), { recursive: true })
    .map(name => path.join(input, name))
    .filter(file => statSync(inRoot(file)).isFile())
    .sort();
}
