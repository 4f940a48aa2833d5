import { constants } from 'node:buffer';
import type * as Binding from './native';
import { guardBinding } from './guardBinding';

let binding: typeof Binding | undefined;

/**
 * The native part of the package, loaded when it is first needed: importing the package never
 * fails, so that the service factory can stand aside where the binary cannot be loaded.
 */
export function native(): typeof Binding {
  binding ??= load();
  return binding;
}

function load(): typeof Binding {
  try {
    const loaded: typeof Binding = guardBinding(require('./native'));
    loaded.limitBuffersTo(constants.MAX_LENGTH);
    return loaded;
  } catch (cause) {
    throw new Error(
      `The native part of backstage-azure-devops-native could not be loaded on ${process.platform}-${process.arch}, ${reasons(cause).join('; ')}`,
      { cause },
    );
  }
}

/**
 * The loader tries several places, each with an error that has the one before as its cause; told are
 * those that say something of this platform's binary, the first one first.
 */
function reasons(error: unknown): string[] {
  const seen = new Set<string>();
  let current = error;
  while (current instanceof Error && seen.size < 10) {
    seen.add(current.message.split('\n')[0]);
    current = current.cause;
  }
  const reasons = [...seen].filter(reason => !NO_REASON.test(reason)).reverse();
  return reasons.length > 0 ? reasons : [String(error)];
}

/** What the loader says whatever happened: npm's advice, and binaries that there are not. */
const NO_REASON = /^Cannot find native binding|wasm32-wasi|\.wasi\.cjs/;
