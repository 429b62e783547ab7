// Logs as whole lines under caps of bytes, lines and time: a line cut in half could hide half a secret from the masker.

import type { LogOptions } from "../tool.ts";
import type { KubeClient, KubeRequest } from "./contract.ts";

export interface LogText {
  /** Whole lines only; ends with a line end unless the log itself does not. */
  readonly text: string;
  readonly lines: number;
  /** Which cap left something out; null where all is there. */
  readonly cut: "bytes" | "lines" | "time" | null;
}

/** Most lines of one read (tools.md, `logs_read`). */
const mostLines = 20_000;

/** How often a log is asked for again with fewer lines, until they fit. */
const mostTries = 4;

/**
 * Reads one container's log. `ask` makes one request, the `get` of `pods/log`; its `timeout` caps the time. Where the last `tailLines` are more
 * than `limitBytes`, the server gives the oldest of them: it is asked again for as many as fit, since the newest count. Faults: no_logs and the cluster's.
 */
export async function readLog(
  client: Pick<KubeClient, "text">,
  ask: () => KubeRequest,
  log: LogOptions,
): Promise<LogText> {
  let { tailLines } = log;
  let left: LogText["cut"] = null;
  for (let tries = 1; ; tries++) {
    const request = ask();
    const query: Record<string, string> = {
      ...request.query,
      container: log.container,
      // One byte more than the cap: the server cuts without a word, and only the surplus shows that it did.
      limitBytes: String(log.limitBytes + 1),
      ...(log.previous ? { previous: "true" } : {}),
      ...(log.timestamps ? { timestamps: "true" } : {}),
      ...(tailLines === undefined ? {} : { tailLines: String(tailLines) }),
      ...(log.sinceSeconds === undefined ? {} : { sinceSeconds: String(log.sinceSeconds) }),
      ...(log.sinceTime === undefined ? {} : { sinceTime: log.sinceTime }),
    };
    const answer = await client.text({ ...request, query, accept: "text/plain, */*", maxBytes: log.limitBytes });
    const read = wholeLines(answer.text, answer.why, mostLines);
    const fewer = Math.floor(Math.min(read.lines, tailLines ?? 0) * 0.9);
    if (read.cut !== "bytes" || fewer < 1 || tries === mostTries) return { ...read, cut: read.cut ?? left };
    tailLines = fewer;
    left = "bytes";
  }
}

/** The whole lines of a text, at most `most`, the newest kept. What was cut off by bytes or time ends in a torn line, which goes. */
export function wholeLines(text: string, cut: "bytes" | "time" | null, most: number): LogText {
  const whole = cut === null ? text : text.slice(0, text.lastIndexOf("\n") + 1);
  const lines = whole.split("\n");
  const ends = lines.at(-1) === "";
  if (ends) lines.pop();
  if (lines.length <= most) return { text: whole, lines: lines.length, cut };
  return { text: lines.slice(-most).join("\n") + (ends ? "\n" : ""), lines: most, cut: cut ?? "lines" };
}
