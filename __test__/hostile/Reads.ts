import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';

/** What came of a read. */
export type Outcome =
  | { length: number; text?: string; sha256?: string }
  | { error: string }
  | { ended: 'hang' | 'crash' };

/** How a file, tree or search is read. */
export type What = 'buffer' | 'stream' | 'slow stream' | 'tree' | 'search';

/**
 * Readers in a process of their own, so that what they do to it can be seen: ours, or upstream's. A
 * process that crashed or hangs makes room for another.
 */
export class Reads {
  readonly #waiting = new Map<number, (outcome: never) => void>();
  #child: Promise<ChildProcess> | undefined;
  #last = 0;

  constructor(
    private readonly by: 'ours' | 'upstream',
    private readonly caFile: string,
    private readonly settings: object = {},
    private readonly patience = 20_000,
  ) {}

  /** Reads a URL. */
  async read(url: string, what: What = 'buffer'): Promise<Outcome> {
    return this.#ask<Outcome>({ url, what });
  }

  /** The most memory that the process has had, in MiB. */
  async mostMemory(): Promise<number> {
    const told = await this.#ask<{ kilobytes: number }>({});
    return told.kilobytes / 1024;
  }

  async close(): Promise<void> {
    (await this.#child)?.kill('SIGKILL');
  }

  async #ask<T>(question: object): Promise<T> {
    this.#child ??= this.#start();
    const child = await this.#child;
    this.#last += 1;
    const id = this.#last;
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        resolve({ ended: 'hang' } as T);
      }, this.patience);
      this.#waiting.set(id, outcome => {
        clearTimeout(timer);
        resolve(outcome);
      });
      child.send({ id, ...question });
    });
  }

  async #start(): Promise<ChildProcess> {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      NODE_EXTRA_CA_CERTS: this.caFile,
    };
    for (const name of Object.keys(env)) {
      if (/^(https?|all)_proxy$/i.test(name)) delete env[name];
    }
    const child = fork(path.join(__dirname, 'reads.mjs'), [this.by], { env });
    await new Promise(resolve => child.once('message', resolve));
    if (this.by === 'ours') child.send({ settings: this.settings });
    child.on('message', ({ id, ...told }: { id: number }) =>
      this.#tell(id, told),
    );
    child.once('exit', () => {
      this.#child = undefined;
      for (const id of [...this.#waiting.keys()])
        this.#tell(id, { ended: 'crash' });
    });
    return child;
  }

  #tell(id: number, outcome: object): void {
    this.#waiting.get(id)?.(outcome as never);
    this.#waiting.delete(id);
  }
}
