import type { LoggerService } from '@backstage/backend-plugin-api';

/** A logger that says these, and nothing else. */
export function loggerWith(
  own: Partial<Pick<LoggerService, 'warn' | 'error'>> = {},
): LoggerService {
  const nothing = () => {};
  const logger: LoggerService = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    child: () => logger,
    ...own,
  };
  return logger;
}
