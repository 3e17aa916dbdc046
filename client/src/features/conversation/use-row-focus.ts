import { type FocusEvent, type KeyboardEvent, type RefObject, useState } from "react";
import type { VirtuosoHandle } from "react-virtuoso";
import type { ListRows, RowFocus } from "./row-focus";

/** The keys that move the focus from row to row. */
const KEYS = /^(Arrow(Up|Down)|Page(Up|Down)|Home|End)$/;

/** Loads what moves the focus in a list as soon as something in it has the focus. */
class LazyRowFocus {
  private loaded: RowFocus | null = null;
  private loading: Promise<RowFocus> | null = null;

  constructor(
    private readonly list: RefObject<VirtuosoHandle | null>,
    readonly rows: ListRows,
  ) {}

  /** Focuses a row that the list is being brought to, and marks it for a moment. */
  readonly show = (number: number) => this.use((focus) => focus.show(number));

  readonly onFocus = ({ target }: FocusEvent<HTMLElement>) =>
    this.use((focus) => focus.onFocus(target));

  readonly onBlur = (event: FocusEvent<HTMLElement>) => this.loaded?.onBlur(event);

  readonly onRendered = () => this.loaded?.onRendered();

  readonly onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { nativeEvent, currentTarget } = event;
    const moves = KEYS.test(event.key);
    // Otherwise the first key would also scroll.
    if (this.loaded === null && moves) event.preventDefault();
    this.use((focus) => focus.onKeyDown(nativeEvent, currentTarget, moves));
  };

  /** At once if it is loaded. If that fails, the next use tries again. */
  private use(work: (focus: RowFocus) => void): void {
    if (this.loaded === null) {
      this.loading ??= this.load();
      this.loading.then(work, () => {
        this.loading = null;
      });
    } else work(this.loaded);
  }

  private async load(): Promise<RowFocus> {
    const { RowFocus } = await import("./row-focus");
    this.loaded = new RowFocus(this.list, this.rows);
    return this.loaded;
  }
}

/** The keys and the focus of a list of `count` rows that are numbered from `first` on. */
export function useRowFocus(
  list: RefObject<VirtuosoHandle | null>,
  first: number,
  count: number,
  goToEnd: () => void,
): LazyRowFocus {
  const [focus] = useState(() => new LazyRowFocus(list, { first, count, goToEnd }));
  Object.assign(focus.rows, { first, count, goToEnd });
  return focus;
}
