import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';
import { until } from '../../testing/until';

/** Why there is no Redis here; nothing where there is. */
export function whyNoRedis(): string | undefined {
  const { error } = spawnSync('redis-server', ['--version']);
  return error?.message;
}

/** A real Redis, which writes all that it is told to a file. */
export class Redis {
  static async start(): Promise<Redis> {
    const redis = new Redis(await freePort());
    await redis.start();
    return redis;
  }

  readonly #port: number;
  readonly #directories: string[] = [];
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Starts it, empty. */
  async start(): Promise<void> {
    const directory = temporaryFolder('redis');
    this.#directories.push(directory);
    const options = {
      port: this.#port,
      bind: '127.0.0.1',
      dir: directory,
      save: '',
      appendonly: 'yes',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ]);
    const child = spawn('redis-server', args);
    this.#process = child;
    let said = '';
    child.stdout.on('data', data => (said += data));
    await until(() => {
      if (child.exitCode !== null) throw new Error(`No Redis: ${said}`);
      return this.#listens();
    });
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child) return;
    const exited = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }

  /** Stops it in the middle of whatever it does: connections stay, and nothing is answered. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Every key and value that it was ever told, among the commands. */
  everything(): string {
    const files = this.#directories.flatMap(directory =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => path.join(entry.parentPath, entry.name)),
    );
    return files.map(file => readFileSync(file, 'latin1')).join('\n');
  }

  #listens(): Promise<boolean> {
    return new Promise(resolve => {
      const socket = connect(this.#port, '127.0.0.1');
      socket.once('connect', () => resolve(socket.destroy() !== undefined));
      socket.once('error', () => resolve(false));
    });
  }
}

/**
 * A port that nobody listens on, and that stays free while its Redis is down: operating systems take
 * the ports of outgoing connections from above these.
 */
async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const server = createServer();
  const isFree = await new Promise<boolean>(resolve => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  await new Promise(resolve => server.close(resolve));
  return isFree ? port : freePort();
}
