/** Small checks that a value from the wire has the shape its type claims. */
export type Check<T> = (value: unknown) => value is T;

/** One check for each property; an optional one may be `undefined`. */
type Shape<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K> ? Check<T[K] | undefined> : Check<T[K]>;
};

export const isString: Check<string> = (value): value is string => typeof value === "string";

export const isBoolean: Check<boolean> = (value): value is boolean => typeof value === "boolean";

/** An integer from 0 that JavaScript holds exactly: every number on the wire. */
export const isCount: Check<number> = (value): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

export const isArrayOf =
  <T>(check: Check<T>): Check<T[]> =>
  (value): value is T[] =>
    Array.isArray(value) && value.every(check);

export const isNull: Check<null> = (value): value is null => value === null;

export const isNullOr =
  <T>(check: Check<T>): Check<T | null> =>
  (value): value is T | null =>
    value === null || check(value);

/** For an optional property. */
export const isOptional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || check(value);

/** An object with at least these properties; further ones are ignored. */
export const isShape =
  <T extends object>(shape: Shape<T>): Check<T> =>
  (value): value is T =>
    typeof value === "object" &&
    value !== null &&
    (Object.entries(shape) as [keyof T, Check<unknown>][]).every(([key, check]) =>
      check((value as Partial<T>)[key]),
    );
