import { createColors } from 'picocolors';

/** After how long a status line is shown: what is done by then needs none. */
const SHOWN_AFTER_MS = 500;

/** How often it is drawn. */
const EVERY_MS = 100;

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** Where a command writes, and how. */
export interface TerminalOptions {
  /** Results are JSON. */
  json: boolean;
  /** Whether there are colours; as the environment says where it is missing. */
  color?: boolean;
}

/**
 * What a person sees of a command. Results go to standard output; what is under way, and what failed, to
 * standard error, so that a pipe gets results alone.
 *
 * https://no-color.org
 */
export class Terminal {
  readonly json: boolean;
  /** For standard output. */
  readonly colors: ReturnType<typeof createColors>;
  /** For standard error. */
  readonly errorColors: ReturnType<typeof createColors>;

  constructor({ json, color }: TerminalOptions) {
    this.json = json;
    this.colors = createColors(color ?? isColored(process.stdout));
    this.errorColors = createColors(color ?? isColored(process.stderr));
  }

  /** Prints a line of the result. */
  print(line = ''): void {
    process.stdout.write(`${line}\n`);
  }

  /** Prints the result as JSON. */
  printJson(result: unknown): void {
    this.print(JSON.stringify(result, undefined, 2));
  }

  /** Says on standard error what a person should know beside the result. */
  note(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  /**
   * Does something while a line says what is under way: on a terminal only, and only where it takes longer
   * than half a second.
   */
  async while<T>(
    status: string | (() => string),
    work: () => Promise<T>,
  ): Promise<T> {
    const line = new StatusLine(status);
    try {
      return await work();
    } finally {
      line.end();
    }
  }
}

/** One line of standard error that is drawn again and again. */
class StatusLine {
  readonly #status: string | (() => string);
  readonly #begin?: NodeJS.Timeout;
  #draw?: NodeJS.Timeout;
  #frame = 0;

  constructor(status: string | (() => string)) {
    this.#status = status;
    if (!process.stderr.isTTY || process.env.TERM === 'dumb') return;
    this.#begin = setTimeout(() => {
      this.#draw = setInterval(() => this.#show(), EVERY_MS);
      this.#show();
    }, SHOWN_AFTER_MS);
  }

  end(): void {
    clearTimeout(this.#begin);
    if (!this.#draw) return;
    clearInterval(this.#draw);
    process.stderr.write('\r\x1b[K');
  }

  #show(): void {
    const status =
      typeof this.#status === 'string' ? this.#status : this.#status();
    const frame = FRAMES[this.#frame % FRAMES.length];
    this.#frame += 1;
    const most = (process.stderr.columns || 80) - 3;
    process.stderr.write(`\r${frame} ${status.slice(0, most)}\x1b[K`);
  }
}

function isColored(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return Boolean(stream.isTTY) && TERM !== 'dumb';
}
