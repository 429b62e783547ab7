// Work that is waited for no longer than this.

/** What came of the work within these milliseconds; undefined where nothing did. A timer costs a call next to nothing, an aborted wait an exception with its stack. */
export async function inTime<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  const { promise: tired, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, milliseconds, undefined);
  return await Promise.race([work, tired]).finally(() => clearTimeout(timer));
}
