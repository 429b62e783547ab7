// Whether the same ASCII stands in two places, compared eight bytes at a time: where lines repeat parts, they are long.

export function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/**
 * Do the same `length` bytes stand in both places? Those of the second must be ASCII. Eight of these are, as a number,
 * neither NaN nor a zero: so equal numbers are equal bytes.
 */
export function isSame(one: DataView, at: number, ascii: DataView, from: number, length: number): boolean {
  if (at + length > one.byteLength) return false;
  if (length < 8) return isSameShort(one, at, ascii, from, length);
  const last = length - 8;
  for (let byte = 0; byte < last; byte += 8)
    if (one.getFloat64(at + byte, true) !== ascii.getFloat64(from + byte, true)) return false;
  return one.getFloat64(at + last, true) === ascii.getFloat64(from + last, true);
}

function isSameShort(one: DataView, at: number, ascii: DataView, from: number, length: number): boolean {
  for (let byte = 0; byte < length; byte++) if (one.getUint8(at + byte) !== ascii.getUint8(from + byte)) return false;
  return true;
}
