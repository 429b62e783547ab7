// The owner process's side of `sallyport calls`: what the local socket answers about calls that run on.

import * as z from "zod";
import { fault, Faulted } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";
import { agentOf } from "../domain/principal.ts";
import type { LiveCall, LongCalls } from "./long-calls.ts";

export type CallMethod = "calls.list" | "calls.cancel";

/** At least four characters of an id's beginning or end, or all of it. */
const cancelling = z.strictObject({ id: z.string().regex(/^((call|apr)_)?[0-9a-f-]{4,36}$/) });

/** Each method by its name. Replies are `{kind: "calls" | "cancelled" | "refused", …}`. Fault: invalid_input, for parameters that do not parse. */
export function callMethods(longCalls: Pick<LongCalls, "list" | "cancel">): {
  readonly [method in CallMethod]: (params: JsonObject) => Promise<JsonObject>;
} {
  return {
    "calls.list": async () => await Promise.resolve({ kind: "calls", calls: longCalls.list().map(fieldsOf) }),
    "calls.cancel": async (params) => {
      const parsed = cancelling.safeParse(params);
      if (!parsed.success)
        throw new Faulted(
          fault("invalid_input", { problems: [{ path: "id", rule: "at least four characters of an id" }] }),
        );
      const wanted = parsed.data.id.replace(/^(call|apr)_/, "");
      const named = (id: string): boolean => id.replace(/^(call|apr)_/, "").startsWith(wanted) || id.endsWith(wanted);
      const [found, second] = longCalls.list().filter((one) => named(one.call) || named(one.id));
      if (found === undefined) return await Promise.resolve({ kind: "refused", code: "not_found" });
      if (second !== undefined) return { kind: "refused", code: "ambiguous" };
      longCalls.cancel(found.call);
      return { kind: "cancelled", call: fieldsOf(found) };
    },
  };
}

function fieldsOf({ call, id, tool, principal, since, progress }: LiveCall): JsonObject {
  return { call, id, tool, requester: principal.subject, agent: agentOf(principal), since, progress };
}
