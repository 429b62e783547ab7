// The words of the name scanner: how a value can be joined to a name, and quotation marks in every spelling.

/**
 * How a value is joined to its name. `tight` is `=` or `:` without a space around it, `loose` one with spaces,
 * `colon` a colon and a space, `flag` a command-line flag and a space, `said` words (`password is x`, SQL's
 * `PASSWORD 'x'`), `call` an argument, `tag` an element of XML, `value` the `value` beside a `name`.
 */
export type Joint = "tight" | "loose" | "colon" | "flag" | "said" | "call" | "tag" | "value";

export interface Joined {
  readonly joint: Joint;
  /** Where the value starts, spaces skipped. */
  readonly at: number;
  /** The name itself stood in quotes (JSON, code). */
  readonly quotedName: boolean;
  /** The second of a user and a password: secret whatever the name's strength. */
  readonly paired?: true;
  /** Joined by a blank in the manner of a known kind of file (netrc, Dockerfile, nginx …). */
  readonly inFile?: boolean;
}

/** A name around a keyword, as far as an identifier reaches. */
export interface Name {
  readonly start: number;
  readonly end: number;
}

const quote = /^(?:\\{0,8}["'`]|%22|%27|&quot;|&#3[49];|\\{1,4}u002[27])/;

/** The length of a quotation mark in any spelling at `at`, or 0. */
export function quoteLength(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code !== 0x22 && code !== 0x27 && code !== 0x60 && code !== 0x5c && code !== 0x25 && code !== 0x26) return 0;
  return quote.exec(text.slice(at, at + 16))?.[0].length ?? 0;
}
