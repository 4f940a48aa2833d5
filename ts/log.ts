import type { LoggerService } from '@backstage/backend-plugin-api';
import { native } from './binding';

/** The logger of this package in a backend, which comes before those of plugins. */
let own: LoggerService | undefined;
let newest: LoggerService | undefined;
let isTelling = false;

/**
 * Writes the events of the native part to the logger: those about the process as a whole, such as that a
 * principal is limited: to the newest one alone, so that it is said once and not by every plugin; and not at
 * all where a backend has given this package a logger of its own.
 */
export function logTo(logger: LoggerService): void {
  newest = logger;
  tell();
}

/** Writes to this logger alone from now on. */
export function logToOwn(logger: LoggerService): void {
  own = logger;
  tell();
}

function tell(): void {
  if (isTelling) return;
  isTelling = true;
  native().logTo((message, level, fields) =>
    (own ?? newest)?.[level](message, fields),
  );
}
