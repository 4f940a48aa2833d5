import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { until } from '../../testing/until';

const SCRIPT = path.join(__dirname, '../../examples/demo/demo.ts');

/** The demo, in a process of its own, as `npm run demo -- --serve` runs it. */
export class Demo {
  /** Starts it, and waits until it has said where its page is. */
  static async start(): Promise<Demo> {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', SCRIPT, '--serve', '--any-build'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const demo = new Demo(child);
    await demo.#untilServing();
    return demo;
  }

  #output = '';

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.on('data', piece => (this.#output += piece));
    child.stderr!.on('data', piece => (this.#output += piece));
  }

  /** All that it has written until now. */
  get output(): string {
    return this.#output;
  }

  /** The address of its page. */
  get url(): string {
    const [, url] = /as they come:\s+(http:\S+)/.exec(this.#output) ?? [];
    return url;
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.child.once('exit', resolve));
    this.child.kill('SIGINT');
    await ended;
  }

  async #untilServing(): Promise<void> {
    await until(() => {
      if (this.child.exitCode !== null) throw new Error(this.#output);
      return this.url;
    });
  }
}
