// How large an answer may be, by what it is an answer to (tools.md, section 2).

import { isJsonObject } from "../domain/json.ts";

/** Bytes of a whole answer, whatever it is. */
export const hardCap = 24_576;

const kib = 1_024;
const short = ["access_review", "conditions_wait", "events_list", "kinds_explain", "metrics_top", "objects_list"];
/** The second holds another call's answer. */
const long = ["pods_exec", "approval_wait"];

/** Bytes of one tool's whole answer: lists, objects and events 8 KiB; whole objects and commands 16; logs, diagnoses and diffs 10. */
export function capOf(tool: string, arguments_: unknown): number {
  if (long.includes(tool)) return 16 * kib;
  if (short.includes(tool)) return 8 * kib;
  if (tool !== "objects_get") return 10 * kib;
  return isJsonObject(arguments_) && arguments_["view"] === "full" ? 16 * kib : 8 * kib;
}
