// The API server's own audit log (audit.k8s.io/v1 Event, one a line), read while the server writes it.

import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { JsonObject } from "../../src/domain/json.ts";

/** Its events, oldest first. The server may be in the midst of a line, which is waited for; one that never ends throws. */
export async function auditEvents(path: string): Promise<readonly JsonObject[]> {
  for (const until = Date.now() + 10_000; ; await pause(20)) {
    const text = await readFile(path, "utf8");
    if (text !== "" && !text.endsWith("\n") && Date.now() < until) continue;
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as JsonObject);
  }
}
