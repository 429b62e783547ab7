// Random bytes out of a store that is filled at once: to ask the system for the dozen of one nonce costs as much as for thousands.

/** Bytes that are fetched at a time; the Web Cryptography API gives no more than 65,536. */
const stored = 8192;

/**
 * Bytes of `fill`'s randomness, each given out once and wiped from the store as it goes, so that no nonce and no key
 * lies there after it was handed over. `fill` overwrites all that it is given with unpredictable bytes.
 */
export function randomFrom(fill: (bytes: Uint8Array<ArrayBuffer>) => unknown): (count: number) => Uint8Array {
  const store = new Uint8Array(stored);
  let next = stored;
  return (count) => {
    const taken = new Uint8Array(count);
    if (count > stored) {
      fill(taken);
      return taken;
    }
    if (count > stored - next) {
      fill(store);
      next = 0;
    }
    taken.set(store.subarray(next, next + count));
    store.fill(0, next, next + count);
    next += count;
    return taken;
  };
}
