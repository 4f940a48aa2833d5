import type * as Binding from './native';

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
    return require('./native');
  } catch (cause) {
    throw new Error(
      `The native part of backstage-azure-devops-native could not be loaded on ${process.platform}-${process.arch}, ${reasons(cause).join('; ')}`,
      { cause },
    );
  }
}

/** The loader tries several places, each with an error that has the one before as its cause. */
function reasons(error: unknown): string[] {
  const seen = new Set<string>();
  let current = error;
  while (current instanceof Error && seen.size < 10) {
    seen.add(current.message.split('\n')[0]);
    current = current.cause;
  }
  return seen.size > 0 ? [...seen] : [String(error)];
}
