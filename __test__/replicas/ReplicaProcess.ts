import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Command, Outcome, ReplicaOptions } from './replica';

const SCRIPT = path.join(__dirname, 'replica.ts');

/** A replica of a backend, in a process of its own. */
export class ReplicaProcess {
  static async start(options: ReplicaOptions): Promise<ReplicaProcess> {
    const replica = new ReplicaProcess(options);
    await replica.#ready;
    return replica;
  }

  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  readonly #ready: Promise<void>;
  #errors = '';
  #count = 0;

  private constructor(options: ReplicaOptions) {
    const args = ['--import', 'tsx', SCRIPT, JSON.stringify(options)];
    this.#child = spawn(process.execPath, args, {
      cwd: path.join(__dirname, '..', '..'),
    });
    this.#child.stderr.on('data', data => (this.#errors += data));
    this.#ready = new Promise((resolve, reject) => {
      this.#child.once('exit', () => {
        reject(new Error(this.#errors));
        // What it was told to read has ended with it.
        for (const [id] of this.#waiting)
          this.#settle({ id, error: this.#errors });
      });
      createInterface({ input: this.#child.stdout }).on('line', line =>
        line === 'ready' ? resolve() : this.#heard(line),
      );
    });
  }

  /** Contents by path or URL. */
  async read(
    way: Command['way'],
    url: string,
  ): Promise<Record<string, string>> {
    this.#count += 1;
    const command: Command = { id: this.#count, way, url };
    const outcome = await new Promise<Outcome>(resolve => {
      this.#waiting.set(command.id, resolve);
      this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    });
    if (outcome.error) throw new Error(outcome.error);
    return outcome.contents ?? {};
  }

  /** What it has logged that matches. */
  async logged(pattern: RegExp): Promise<string[]> {
    const messages = Object.values(await this.read('log', ''));
    return messages.filter(message => pattern.test(message));
  }

  end(): void {
    this.#child.kill();
  }

  #heard(line: string): void {
    if (line.startsWith('{')) this.#settle(JSON.parse(line));
  }

  #settle(outcome: Outcome): void {
    this.#waiting.get(outcome.id)?.(outcome);
    this.#waiting.delete(outcome.id);
  }
}
