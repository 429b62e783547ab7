// One figure of a run, and the table of all of them.

export interface Figure {
  readonly figure: string;
  readonly measured: number;
  readonly unit: "ms" | "µs" | "calls/s" | "calls" | "entries/s" | "per s" | "MiB" | "bytes" | "MB";
  /** The bare minimum in the same run; null where there is none. */
  readonly floor: number | null;
  readonly goal: string;
  /** null where there is no goal. */
  readonly reached: boolean | null;
  /** What else there is to know, in a few words. */
  readonly note: string;
}

export const ratioOf = ({ measured, floor }: Pick<Figure, "measured" | "floor">): number | null =>
  floor === null || floor === 0 ? null : measured / floor;

/** Aligned columns; notes stand below the figure they belong to. */
export function tableOf(figures: readonly Figure[]): string {
  const head = ["figure", "measured", "floor", "ratio", "goal", "reached"];
  const rows = figures.map((one) => {
    const ratio = ratioOf(one);
    return [
      one.figure,
      amount(one.measured, one.unit),
      one.floor === null ? "-" : amount(one.floor, one.unit),
      ratio === null ? "-" : `${ratio.toFixed(1)}x`,
      one.goal === "" ? "-" : one.goal,
      one.reached === null ? "-" : one.reached ? "yes" : "NO",
    ];
  });
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  const body = rows.flatMap((row, index) => {
    const note = figures[index]?.note ?? "";
    return note === "" ? [line(row)] : [line(row), `    ${note}`];
  });
  return [line(head), rule, ...body, ""].join("\n");
}

function amount(value: number, unit: Figure["unit"]): string {
  const digits = unit === "ms" ? (value < 10 ? 2 : 0) : unit === "MB" ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}
