import { EventEmitter, once } from 'node:events';
import type { diagnose } from '../../ts/diagnosis/diagnose';
import type { Diagnosis } from '../../ts/diagnosis/report';

type Config = Parameters<typeof diagnose>[0];

/** A diagnosis that was asked for. */
export interface Asked {
  urls: string[];
  signal: AbortSignal;
  isUnderWay: boolean;
  /** Ends it with what it found. */
  finish(found?: Partial<Diagnosis>): void;
  /** Ends it with nothing found. */
  fail(error: Error): void;
}

/** Takes the place of what asks Azure DevOps: says what was asked for, and a test says when it ends. */
export class Doctor {
  readonly asked: Asked[] = [];
  readonly #events = new EventEmitter();
  /** Whether each diagnosis ends at once. */
  isQuick = true;

  readonly diagnose: typeof diagnose = (config, options) =>
    new Promise((resolve, reject) => {
      const { urls = [], signal } = options!;
      const asked: Asked = {
        urls,
        signal: signal!,
        isUnderWay: true,
        finish: found => {
          asked.isUnderWay = false;
          resolve({ ...diagnosisOf(config), ...found });
        },
        fail: error => {
          asked.isUnderWay = false;
          reject(error);
        },
      };
      signal!.addEventListener('abort', () => asked.fail(signal!.reason));
      this.asked.push(asked);
      this.#events.emit('asked');
      if (this.isQuick) asked.finish();
    });

  /** The diagnosis that is asked for as the first, second and so on, once it is. */
  async whenAsked(count: number): Promise<Asked> {
    while (this.asked.length < count) await once(this.#events, 'asked');
    return this.asked[count - 1];
  }
}

function diagnosisOf(config: Config): Diagnosis {
  const hosts = config?.getOptionalConfigArray('integrations.azure') ?? [];
  return {
    isHealthy: true,
    runtime: {
      version: '1.2.3',
      node: process.version,
      platform: 'linux-x64',
      binary: 'a.node',
      proxies: [],
      trust: 'nobody',
    },
    configuration: { source: 'the backend', files: [], problems: [] },
    hosts: hosts.map(host => ({
      host: host.getString('host'),
      route: 'directly',
      checks: [],
    })),
    organizations: [],
    urls: [],
  };
}
