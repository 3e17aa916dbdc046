/** Who is told of changes. */
export class Listeners {
  private readonly all = new Set<() => void>();

  /** Calls back after every change; the answer ends that. */
  readonly add = (listener: () => void): (() => void) => {
    this.all.add(listener);
    return () => this.all.delete(listener);
  };

  tell(): void {
    for (const listener of this.all) listener();
  }
}
