// What a command wrote, as it came: kept with its times, masked as one text a stream, and parted into segments for the record.

import type { Masked } from "../domain/output.ts";
import type { StreamSegment } from "../domain/run.ts";
import type { Hears } from "../kubernetes/contract.ts";
import type { MaskIncoming } from "./contract.ts";

type Stream = StreamSegment["stream"];
export const streams = ["stdout", "stderr"] as const satisfies readonly Stream[];

/** A segment's longest time in milliseconds and most bytes; with more segments than these both are doubled until they fit. */
export const most = { time: 1_000, bytes: 16 * 1024, segments: 32 };

export interface Heard extends Hears {
  /**
   * What came so far, masked. Not `whole`: an unfinished last line goes, for it could hide half a secret from the masker.
   * The texts of a stream's segments joined are the text of that stream. Faults: output_withheld.
   */
  told(masking: Pick<MaskIncoming, "pieces">, whole: boolean): Told;
}

export interface Told {
  readonly text: { readonly [S in Stream]: string };
  /** In the order of their ends. */
  readonly segments: readonly StreamSegment[];
}

/** A stretch of one stream's text with the times at which its first and last character came. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}
type Line = Stretch & { readonly masked: readonly Masked[] };
interface Arrival {
  readonly text: string;
  readonly at: number;
}

/** `now`: milliseconds since 1970; where it steps back the times stand still. */
export function hear(now: () => number): Heard {
  let began = now();
  let latest = 0;
  const elapsed = (): number => (latest = Math.max(latest, Math.round(now() - began)));
  const [stdout, stderr] = [openStream(), openStream()];
  const heard = { stdout, stderr };
  return {
    began() {
      began = now();
    },
    took: (stream, bytes) => heard[stream].take(bytes, elapsed()),
    told(masking, whole) {
      const lines = { stdout: masked(stdout, masking, whole), stderr: masked(stderr, masking, whole) };
      const text = (of: readonly Line[]): string => of.map((one) => one.text).join("");
      return { text: { stdout: text(lines.stdout), stderr: text(lines.stderr) }, segments: segmentsIn(lines) };
    },
  };
}

interface OpenStream {
  take(bytes: Uint8Array, at: number): void;
  /** Each with its line end, but for a last one without. */
  lines(): readonly Stretch[];
}

function openStream(): OpenStream {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const arrivals: Arrival[] = [];
  return {
    take: (bytes, at) => void arrivals.push({ text: decoder.decode(bytes, { stream: true }), at }),
    lines() {
      const rest = decoder.decode();
      return linesOf(rest === "" ? arrivals : [...arrivals, { text: rest, at: arrivals.at(-1)?.at ?? 0 }]);
    },
  };
}

function linesOf(arrivals: readonly Arrival[]): readonly Stretch[] {
  const lines: Stretch[] = [];
  let open = false;
  for (const { text, at } of arrivals)
    for (const part of text.match(/[^\n]*\n|[^\n]+/g) ?? []) {
      const begun = open ? lines.pop() : undefined;
      lines.push({ from: begun?.from ?? at, to: at, text: (begun?.text ?? "") + part });
      open = !part.endsWith("\n");
    }
  return lines;
}

/** Lines that may stand by themselves: those over which something is hidden are one. */
function masked(stream: OpenStream, masking: Pick<MaskIncoming, "pieces">, whole: boolean): readonly Line[] {
  const all = stream.lines();
  const came = whole || all.at(-1)?.text.endsWith("\n") !== false ? all : all.slice(0, -1);
  const pieces = masking.pieces(came.map((one) => one.text));
  const lines: Line[] = [];
  let open: Line | null = null;
  for (const [number, { from, to }] of came.entries()) {
    const piece = pieces[number] ?? { text: "", masked: [] };
    open = joined(open, { from, to, ...piece });
    if (!open.text.endsWith("\n")) continue;
    lines.push(open);
    open = null;
  }
  return open === null ? lines : [...lines, open];
}

function joined(one: Line | null, other: Line): Line {
  if (one === null) return other;
  const counts = new Map(one.masked.map(({ type, count }) => [type, count]));
  for (const { type, count } of other.masked) counts.set(type, (counts.get(type) ?? 0) + count);
  const rows = [...counts].map(([type, count]) => ({ type, count }));
  return { from: one.from, to: other.to, text: one.text + other.text, masked: rows };
}

function segmentsIn(lines: { readonly [S in Stream]: readonly Line[] }): readonly StreamSegment[] {
  for (let wider = 1; ; wider *= 2) {
    const segments = streams.flatMap((stream) =>
      parted(lines[stream], most.time * wider, most.bytes * wider).map((one) => ({ stream, ...one })),
    );
    if (segments.length <= most.segments) return segments.sort((a, b) => a.to - b.to || a.from - b.from);
  }
}

/** A single line may be larger, or have taken longer. */
function parted(lines: readonly Line[], time: number, bytes: number): readonly Line[] {
  const parts: Line[] = [];
  let size = 0;
  for (const line of lines) {
    const last = parts.at(-1);
    const more = Buffer.byteLength(line.text);
    if (last !== undefined && line.to - last.from <= time && size + more <= bytes) {
      parts[parts.length - 1] = joined(last, line);
      size += more;
    } else {
      parts.push(line);
      size = more;
    }
  }
  return parts;
}
