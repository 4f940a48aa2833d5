/** What is asked to go wrong, oldest first, each as often as it says. */
export abstract class Faults<F extends { times?: number }> {
  #active: Array<{ fault: F; left: number }> = [];

  /** Adds one; the result takes it back. */
  add(fault: F): () => void {
    const added = { fault, left: fault.times ?? Infinity };
    this.#active.push(added);
    return () => {
      this.#active = this.#active.filter(other => other !== added);
    };
  }

  clear(): void {
    this.#active = [];
  }

  /** The first that is meant, if any, which is then used once. */
  protected takeFirst(isMeant: (fault: F) => boolean): F | undefined {
    const found = this.#active.find(
      ({ fault, left }) => left > 0 && isMeant(fault),
    );
    if (found) found.left -= 1;
    return found?.fault;
  }
}
