// What a command wrote as an asciicast v2 recording (docs.asciinema.org/manual/asciicast/v2): a header, then an event a line.

export interface Shown {
  /** Milliseconds since the command began. */
  readonly at: number;
  readonly text: string;
}

/** A terminal that nobody had: commands run without one. */
const size = { width: 80, height: 24 };

/**
 * The recording, which anything that knows the format plays. `began`: milliseconds since 1970; `shown` in order. A line
 * feed becomes what a terminal's driver would make of it, or each line would begin where the one before ended.
 */
export function asciicast(title: string, began: number, shown: readonly Shown[]): string {
  const header = { version: 2, ...size, timestamp: Math.floor(began / 1000), title };
  const events = shown.map(({ at, text }) => [at / 1000, "o", text.replace(/\r?\n/g, "\r\n")]);
  return [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join("");
}
