type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles when both types are the same. */
export const same = <A, B>(_: Same<A, B>): void => undefined;

/** Compiles when the value is of the type. */
export const is = <T>(_: T): void => undefined;
