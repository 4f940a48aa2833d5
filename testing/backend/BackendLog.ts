import {
  coreServices,
  createServiceFactory,
  type BackendFeature,
  type RootLoggerService,
} from '@backstage/backend-plugin-api';

/** One line of a backend's log. */
export interface LogLine {
  level: 'error' | 'warn' | 'info' | 'debug';
  message: string;
  meta?: unknown;
}

/** Keeps what a backend logs, and tells someone of each line. */
export class BackendLog {
  readonly lines: LogLine[] = [];

  constructor(private readonly listener: (line: LogLine) => void = () => {}) {}

  /** The logger service that writes here. */
  get factory(): BackendFeature {
    return createServiceFactory({
      service: coreServices.rootLogger,
      deps: {},
      factory: () => this.#logger(),
    });
  }

  /** The messages that match, oldest first. */
  matching(pattern: RegExp): string[] {
    return this.lines
      .map(({ message }) => message)
      .filter(message => pattern.test(message));
  }

  #logger(): RootLoggerService {
    const write =
      (level: LogLine['level']) => (message: string, meta?: unknown) => {
        const line = { level, message, meta };
        this.lines.push(line);
        this.listener(line);
      };
    const logger: RootLoggerService = {
      error: write('error'),
      warn: write('warn'),
      info: write('info'),
      debug: write('debug'),
      child: () => logger,
    };
    return logger;
  }
}
