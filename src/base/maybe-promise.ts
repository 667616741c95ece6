/** A value that is there at once in the usual case and later in the rare one. */
export type MaybePromise<T> = T | Promise<T>;
