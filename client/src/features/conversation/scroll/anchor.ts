/** Keeps a row in place: `part` of it is above a line `y` pixels below the top of the list. */
export interface RowAnchor {
  readonly row: number;
  readonly part: number;
  readonly y: number;
}

/** What keeps its place on the screen: the end of the list, some pixels away, or a row. */
export type Anchor = RowAnchor | { readonly fromEnd: number };

/** Where the list is, as measured: `row` is the first that begins in view. */
export interface Position {
  readonly fromEnd: number;
  readonly row: RowAnchor | null;
}
