import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { standIn } from '../../testing/azure-devops';

/** What came of one read. */
export interface Outcome {
  content?: string;
  error?: { name: string; message: string };
  /** How long it took. */
  ms: number;
}

/** What `getCredentials` gave. */
export interface Found {
  headers?: { Authorization: string };
  type?: string;
  token?: string;
  error?: { name: string; message: string };
}

/** Where a process reads. */
export interface ProcessOptions {
  /** Its `integrations.azure`. */
  integrations?: unknown[];
  /** Variables of its environment, besides those of this process; undefined takes one away. */
  env?: Record<string, string | undefined>;
  /** A command to start it with, as `['unshare', '-n', …]`. */
  within?: string[];
}

/** The variables that say who signs in, and how the network is reached, on a test's machine. */
const LEFT_OUT = /^(AZURE|IDENTITY|MSI|IMDS)_|_proxy$/i;

/**
 * A process that reads through this package: with an environment and token caches of its own, so
 * that nothing is remembered from another test.
 */
export class ReaderProcess {
  /** Everything that any such process has printed but contents and tokens that were asked for. */
  static readonly printed: string[] = [];

  static readonly #started = new Set<ReaderProcess>();

  static start(options: ProcessOptions = {}): ReaderProcess {
    const reader = new ReaderProcess(options);
    ReaderProcess.#started.add(reader);
    return reader;
  }

  /** Ends those that are still there. */
  static endAll(): void {
    for (const reader of ReaderProcess.#started) reader.end();
    ReaderProcess.#started.clear();
  }

  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  private constructor({ integrations = [], env, within }: ProcessOptions) {
    const script = path.join(__dirname, 'reader.mjs');
    const [program, ...args] = [
      ...(within ?? []),
      process.execPath,
      script,
      JSON.stringify(integrations),
    ];
    this.#child = spawn(program, args, {
      cwd: path.join(__dirname, '..', '..'),
      env: { ...inherited(), ...throughProxy(), ...env },
    });
    this.#child.stderr.on('data', data =>
      ReaderProcess.printed.push(String(data)),
    );
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** Reads the URLs all at once. */
  async read(
    urls: string[],
    options: { abortAfterMs?: number } = {},
  ): Promise<Outcome[]> {
    const outcomes = await this.#ask<Outcome[]>({
      command: 'read',
      urls,
      ...options,
    });
    for (const { error } of outcomes) {
      if (error) ReaderProcess.printed.push(error.message);
    }
    return outcomes;
  }

  /** Reads one URL. */
  async readOne(url: string): Promise<Outcome> {
    const [outcome] = await this.read([url]);
    return outcome;
  }

  async credentials(url: string): Promise<Found | null> {
    return this.#ask({ command: 'credentials', url });
  }

  /** Reads the URL in so many worker threads at once. */
  async readInWorkers(url: string, count: number): Promise<string[]> {
    return this.#ask({ command: 'workers', url, count });
  }

  /** Sets variables of its environment. */
  async setEnvironment(variables: Record<string, string>): Promise<void> {
    await this.#ask({ command: 'environment', variables });
  }

  end(): void {
    this.#lines.close();
    this.#child.kill();
  }

  async #ask<T>(command: object): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(ReaderProcess.printed.slice(-3).join(''));
    return JSON.parse(value);
  }
}

/** Everything goes through the proxy, which only leads to the TLS hosts; NO_PROXY helps nobody. */
function throughProxy(): NodeJS.ProcessEnv {
  const { proxyUrl, caFile } = standIn();
  return {
    HTTP_PROXY: proxyUrl,
    HTTPS_PROXY: proxyUrl,
    NODE_EXTRA_CA_CERTS: caFile,
  };
}

function inherited(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !LEFT_OUT.test(name)));
}
