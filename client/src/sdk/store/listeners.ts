/** A set of listeners that are called after changes. */
export class Listeners {
  private readonly all = new Set<() => void>();

  /** Adds a listener. Returns a function that removes it. */
  readonly add = (listener: () => void): (() => void) => {
    this.all.add(listener);
    return () => this.all.delete(listener);
  };

  tell(): void {
    for (const listener of this.all) listener();
  }
}
