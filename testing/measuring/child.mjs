// A process of its own for each part of a benchmark, so that its work counts for nobody else.
import { fork } from 'node:child_process';

/** What says who signs in and how the network is reached, which the machine's is not to say. */
const LEFT_OUT = /^(AZURE|IDENTITY|MSI|IMDS)_|_proxy$/i;

/** A process that answers one command after the other. */
export class Child {
  #process;
  #waiting;

  /**
   * @param {string} script
   * @param {{ args?: string[], env?: Record<string, string>, execArgv?: string[], execPath?: string }} [options]
   */
  constructor(
    script,
    { args = [], env = {}, execArgv = [], execPath = process.execPath } = {},
  ) {
    this.#process = fork(script, args, {
      execArgv,
      execPath,
      env: { ...inherited(), ...env },
    });
    this.#process.on('message', ({ value, error }) => {
      if (error === undefined) this.#waiting.resolve(value);
      else this.#waiting.reject(new Error(error));
    });
    this.#process.once('exit', code =>
      this.#waiting?.reject(new Error(`${script} exited with ${code}`)),
    );
  }

  ask(command, options) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#process.send({ command, options });
    });
  }

  /** Ends it, whatever it does. */
  kill() {
    this.#process.kill('SIGKILL');
  }

  /** Lets it end, and waits until it has. */
  end() {
    return new Promise(resolve => {
      this.#process.once('exit', resolve).disconnect();
    });
  }
}

/** Makes this process one that answers the commands, until nobody is there to ask. */
export function answer(commands, clean = () => {}) {
  process.on('message', async ({ command, options }) => {
    const reply = await Promise.resolve(options)
      .then(commands[command])
      .then(
        value => ({ value }),
        error => ({ error: error.stack }),
      );
    process.send(reply);
  });
  // Ctrl-C ends the process that asks, and thereby this one.
  process.on('SIGINT', () => {});
  process.once('disconnect', async () => {
    await clean();
    process.exit();
  });
}

function inherited() {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !LEFT_OUT.test(name)));
}
