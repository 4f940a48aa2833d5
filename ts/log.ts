import type { LoggerService } from '@backstage/backend-plugin-api';
import { native } from './binding';

let newest: LoggerService | undefined;

/**
 * Tells to the logger what the native part has to tell of the process as a whole, as that an identity
 * is limited: to the newest one alone, so that it is said once and not by every plugin.
 */
export function logTo(logger: LoggerService): void {
  const isFirst = !newest;
  newest = logger;
  if (isFirst) {
    native().logTo((message, isWarning, fields) =>
      isWarning ? newest?.warn(message, fields) : newest?.info(message, fields),
    );
  }
}
