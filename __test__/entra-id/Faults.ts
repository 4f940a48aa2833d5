/** What to do with a request in place of answering it properly. */
export interface Fault<Request> {
  /** The requests that it is for; all where it is missing. */
  match?: (request: Request) => boolean;
  /** How often it happens; always where it is missing. */
  times?: number;
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Ends the connection without an answer. */
  resetConnection?: boolean;
}

/** The faults that are asked for, oldest first. */
export class Faults<Request> {
  #active: Array<Fault<Request> & { left: number }> = [];

  /** Adds one; the result takes it back. */
  add(fault: Fault<Request>): () => void {
    const added = { ...fault, left: fault.times ?? Infinity };
    this.#active.push(added);
    return () => {
      this.#active = this.#active.filter(other => other !== added);
    };
  }

  clear(): void {
    this.#active = [];
  }

  /** The one that this request gets, if any, which is then used once. */
  take(request: Request): Fault<Request> | undefined {
    const found = this.#active.find(
      ({ left, match }) => left > 0 && (match?.(request) ?? true),
    );
    if (found) found.left -= 1;
    return found;
  }
}
