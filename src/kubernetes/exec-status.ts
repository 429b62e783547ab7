// How a command's end is told: its exit code, or why it could not be run.

import { fault, Faulted, type EffectLeft, type Fault } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Exchange } from "./exchange.ts";
import { clusterFault, type Asked } from "./faults.ts";
import { readStatus, type Status } from "./status.ts";

/**
 * The exit code of a command that ran; null where it is only known that it was not zero. Throws exec_failed where the Status says
 * that it did not run, or does not say that it did: then its effect is not known once anything of it had come.
 */
export function exitOf(
  { status, stdout, stderr }: { readonly status: JsonObject | null; readonly stdout: Buffer; readonly stderr: Buffer },
  asked: Asked,
): number | null {
  if (status?.["status"] === "Success") return 0;
  const told = readStatus(0, status);
  const code = told?.causes.find((cause) => cause.reason === "ExitCode")?.message ?? "";
  if (/^\d{1,10}$/.test(code)) return Number(code);
  // A kubelet that tells no cause (KWOK) still quotes the process: "exit status 3", "command terminated with …".
  if (told !== null && (told.reason === "NonZeroExitCode" || /\b(?:exit status|exit code) \d+$/.test(told.message)))
    return null;
  const why = told === null ? "" : reasonOf(told);
  const effect: EffectLeft = why !== "" && stdout.length + stderr.length === 0 ? "none" : "unknown";
  throw new Faulted(failed(why, asked, `${asked.path}: ${told?.reason ?? "no Status"}`, effect));
}

/** A refusal of the connection: what the other codes do not say better is that the command could not be run. */
export function execFault(ending: Exchange, found: Fault, asked: Asked): Fault {
  if (ending.kind === "broken" && ending.code === "SUBPROTOCOL")
    return failed("protocol", asked, found.cause, "unknown");
  if (ending.kind !== "answered") return found;
  if (found.code !== "invalid_object" && found.code !== "immutable_field") return found;
  return failed("", asked, found.cause, "none");
}

/** By the fixed phrases of the API server, the kubelet and the runtimes; the message itself never passes. */
function reasonOf({ message }: Pick<Status, "message">): string {
  if (
    /container not found|pod does not exist|container .* (?:is )?not running|cannot exec in a (?:stopped|deleted)/.test(
      message,
    )
  )
    return "container";
  if (/executable file not found|no such file or directory|exec format error|permission denied/.test(message))
    return "program";
  return /error dialing backend|dial tcp|no route to host|connection refused|unable to upgrade connection/.test(message)
    ? "node"
    : "";
}

function failed(why: string, asked: Asked, cause: string, effect: EffectLeft): Fault {
  const { code, detail } = clusterFault(
    "exec_failed",
    { name: asked.sent.name, ...(why === "" ? {} : { why }) },
    cause,
  );
  return fault(code, detail, cause, effect);
}
