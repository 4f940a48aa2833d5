import type { LoggerService } from '@backstage/backend-plugin-api';

/** A logger that remembers what it is told: Backstage's own brings along databases and caches, seconds of loading. */
export function mockLogger(): jest.Mocked<LoggerService> {
  return {
    error: jest.fn(),
    warn: jest.fn(),
    info: jest.fn(),
    debug: jest.fn(),
    child: jest.fn(),
  };
}
