import type { LoggerService } from '@backstage/backend-plugin-api';

/** A logger that keeps nothing, also where there is no Jest. */
export const silent: LoggerService = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  child: () => silent,
};
