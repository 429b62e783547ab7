// The owner process's side of commands that do something with evidence: what they did goes on record.

import { z } from "zod";
import { bodyClasses, type Append, type EntryDraft, type EntryKind } from "../domain/entry.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import type { Purge } from "../transcript/retention.ts";
import { kindsOfEntries } from "../transcript/schemas.ts";

/** What the commands of whoever owns the state folder may put on record: nothing of a call, an approval or a grant. */
export const notable = ["reconcile.ran", "evidence.exported"] as const satisfies readonly EntryKind[];
export type Notable = (typeof notable)[number];

const noting = z.strictObject({ kind: z.enum(notable), details: z.record(z.string(), z.unknown()) });

const purging = z.strictObject({
  before: z.union([z.literal(""), z.iso.date()]),
  session: z.string().max(100),
  classes: z.array(z.enum(bodyClasses)).min(1),
  why: z.string().min(3).max(300),
});

export interface EvidenceParts {
  readonly append: Append;
  readonly purge: (what: Purge, by: PrincipalFields) => Promise<number>;
  /** Who stands in the entries. */
  readonly by: PrincipalFields;
}

export interface EvidenceMethods {
  readonly "evidence.note": (params: JsonObject) => Promise<JsonObject>;
  readonly "evidence.purge": (params: JsonObject) => Promise<JsonObject>;
}

/** `evidence.note` of `{kind, details}`; answers `{kind: "noted", index}`; `evidence.purge` answers `{kind: "purged", keys}`. Faults: invalid_input for anything that is not as published; transcript_unavailable. */
export function evidenceMethods({ append, purge, by }: EvidenceParts): EvidenceMethods {
  return {
    async "evidence.note"(params) {
      const parsed = noting.safeParse(params);
      const details = parsed.success ? kindsOfEntries[parsed.data.kind].details.safeParse(parsed.data.details) : parsed;
      if (!parsed.success || !details.success)
        throw new Faulted(fault("invalid_input", { problem: "not an entry as it is published" }));
      const draft = { kind: parsed.data.kind, session: null, call: null, principal: by, details: details.data };
      const [receipt] = await append([draft as EntryDraft]);
      return { kind: "noted", index: receipt?.index ?? -1 };
    },
    async "evidence.purge"(params) {
      const parsed = purging.safeParse(params);
      if (!parsed.success) throw new Faulted(fault("invalid_input", { problem: "not what may be purged" }));
      return { kind: "purged", keys: await purge(parsed.data, by) };
    },
  };
}
