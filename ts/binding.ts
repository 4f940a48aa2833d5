import { constants } from 'node:buffer';
import type * as Binding from './native';
import { loadAddon } from './addon';
import { nodeAuthorities, usesOpenSslAuthorities } from './authorities';
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
    const loaded = guardBinding(loadAddon() as typeof Binding);
    loaded.limitBuffersTo(constants.MAX_LENGTH);
    loaded.trustAsNode(nodeAuthorities(), usesOpenSslAuthorities());
    return loaded;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `The native part of backstage-azure-devops-native could not be loaded on ${process.platform}-${process.arch}, ${reason.split('\n')[0]}`,
      { cause },
    );
  }
}
