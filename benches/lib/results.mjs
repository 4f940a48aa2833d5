// The measurements of a run, a line of JSON each, so that a run that was ended goes on where it was.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

export class Results {
  #file;
  #all;
  conditions;

  /** What a file holds, or `undefined` where there is none. */
  static read(file) {
    if (!existsSync(file)) return undefined;
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const results = new Results();
    results.#file = file;
    [results.conditions, ...results.#all] = lines.map(line => JSON.parse(line));
    return results;
  }

  /**
   * Those of a file where they were made under the same conditions, and otherwise none: what was
   * measured of another build, or on another machine, cannot stand beside this.
   */
  static open(file, conditions, { isFresh }) {
    const known = Results.read(file);
    const { at: _, ...wanted } = conditions;
    const { at: __, ...had } = known?.conditions ?? {};
    if (known && !isFresh && JSON.stringify(had) === JSON.stringify(wanted))
      return known;
    if (known) renameSync(file, `${file}.before`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(conditions)}\n`);
    return Results.read(file);
  }

  /** Whether this was measured, and did not fail. */
  has(key) {
    return this.#all.some(it => isOf(it, key) && !it.error);
  }

  add(measurement) {
    this.#all.push(measurement);
    appendFileSync(this.#file, `${JSON.stringify(measurement)}\n`);
  }

  /** The measurements of one contender in a case, by their rounds, without those that failed. */
  of(name, contender) {
    return this.#all.filter(
      it => isOf(it, { case: name, contender }) && !it.error,
    );
  }

  /** The names of the contenders of a case, in the order in which they were measured. */
  contenders(name) {
    const all = this.#all.filter(it => it.case === name);
    return [...new Set(all.map(it => it.contender))];
  }

  /** Why a contender has no figures in a case. */
  failure(name, contender) {
    return this.#all.findLast(
      it => isOf(it, { case: name, contender }) && it.error,
    )?.error;
  }
}

function isOf(measurement, key) {
  return Object.entries(key).every(
    ([name, value]) => measurement[name] === value,
  );
}
