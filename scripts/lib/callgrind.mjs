// What callgrind counted: reads the files that it writes (https://valgrind.org/docs/manual/cl-format.html), one event and no compressed costs.

/** How a name ends that a compiler makes of a Rust function, so that two of one name are not one. */
const HASH = /::h[0-9a-f]{16}$/;

/**
 * Reads one file: why it was written, the instructions of each function itself, and of each call with all
 * that followed from it.
 */
export function readCallgrind(text) {
  const profile = { trigger: '', own: new Map(), calls: new Map() };
  const names = new Map();
  let [caller, called] = [];
  for (const line of text.split('\n')) {
    const cost = /^[+\-*\d]\S* (\d+)$/.exec(line);
    const name = /^(c?fn)=\((\d+)\)(?: (.*))?$/.exec(line);
    if (name) {
      const [, field, id, spelled] = name;
      if (spelled) names.set(id, spelled.replace(HASH, ''));
      if (field === 'fn') caller = names.get(id);
      else called = names.get(id);
    } else if (cost && called) {
      add(profile.calls, `${caller}\n${called}`, Number(cost[1]));
      called = undefined;
    } else if (cost && caller) {
      add(profile.own, caller, Number(cost[1]));
    } else if (line.startsWith('desc: Trigger: ')) {
      profile.trigger = line.slice('desc: Trigger: '.length);
    }
  }
  return profile;
}

/** All instructions of a profile. */
export function total({ own }) {
  return [...own.values()].reduce((sum, count) => sum + count, 0);
}

/** The instructions of each function with all that it called; of one that calls itself, its own calls once. */
export function inclusive({ own, calls }) {
  const counts = new Map(own);
  for (const [pair, count] of calls) {
    const [caller, called] = pair.split('\n');
    if (caller !== called) add(counts, caller, count);
  }
  return counts;
}

function add(counts, key, count) {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
