// The owner process's side of commands that read evidence or keep it: whoever may goes on record with what they did.

import * as z from "zod";
import { bodyClasses, type Append, type EntryDraft, type EntryKind } from "../domain/entry.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";
import { roles, type Role } from "../domain/role.ts";
import { coversIn, type Asked } from "../transcript/holds.ts";
import type { AnchorStanding } from "../transcript/anchoring.ts";
import type { Keeping, Signatory } from "../transcript/keeping.ts";
import type { Retention } from "../transcript/retention.ts";
import { kindsOfEntries } from "../transcript/schemas.ts";

/** What commands may put on record, and the roles one of which it takes: nothing of a call, an approval or a grant. */
export const notable = {
  "reconcile.ran": ["operator"],
  "evidence.viewed": ["auditor"],
  "evidence.searched": ["auditor"],
  "evidence.exported": ["auditor"],
  "evidence.verified": ["auditor"],
  "review.completed": ["auditor", "operator"],
} as const satisfies { readonly [K in EntryKind]?: readonly Role[] };
export type Notable = keyof typeof notable;
const kinds = Object.keys(notable) as readonly Notable[];

/** A person who comes to the owner's socket, and the roles that they hold. */
export interface Keeper extends Signatory {
  readonly roles: ReadonlySet<Role>;
}

const noting = z.strictObject({ kind: z.enum(kinds), details: z.record(z.string(), z.unknown()) });

const reason = z.string().trim().min(3).max(300);
const name = z.string().max(100);
const purging = z.strictObject({
  before: z.union([z.literal(""), z.iso.date()]),
  session: name,
  classes: z.array(z.enum([...bodyClasses, "envelopes"])).min(1),
  why: reason,
  due: z.boolean().default(false),
});
const placing = z.strictObject({ hold: name, covers: z.record(z.string(), z.string().max(300)), reason });
const releasing = z.strictObject({ hold: name, reason });

export interface EvidenceParts {
  readonly append: Append;
  readonly keeping: Keeping;
  readonly retention: Retention & { readonly envelopes: number };
  /** Entries on record now, and the root over them, hex. */
  readonly head: () => Tree;
  /** A person's words go to the transcript: they pass the masker like everything else. */
  readonly mask: (text: string) => string;
  readonly keeper: Keeper;
  /** Does whoever asked for a release still hold the role, by what the configuration says now? */
  readonly stillOperator: (asked: Pick<Asked, "accounts" | "as">) => boolean;
  /** Keeps what is new at every anchor, now. */
  readonly anchor: () => Promise<readonly AnchorStanding[]>;
}

export type EvidenceMethod =
  | "evidence.may"
  | "evidence.note"
  | "evidence.purge"
  | "evidence.anchor"
  | "evidence.place"
  | "evidence.ask"
  | "evidence.confirm";
export type EvidenceMethods = { readonly [method in EvidenceMethod]: (params: JsonObject) => Promise<JsonObject> };

/**
 * `evidence.note` of `{kind, details}` answers `{kind: "noted", index}`; `evidence.purge` `{kind: "purged", keys, kept, doubt, entries}`;
 * `evidence.anchor` `{kind: "anchored", anchors}`, how each stands; the others, of `{hold, reason}`, what became of the hold. Faults: denied for whoever does not hold the role;
 * invalid_input for anything that is not as published; transcript_unavailable.
 */
export function evidenceMethods(parts: EvidenceParts): EvidenceMethods {
  const { append, keeping, retention, keeper, mask } = parts;
  function asked<T>(role: Role | readonly Role[], shape: z.ZodType<T>, params: JsonObject, problem: string): T {
    may(keeper, role);
    const parsed = shape.safeParse(params);
    if (!parsed.success) throw new Faulted(fault("invalid_input", { problem }));
    return parsed.data;
  }
  return {
    async "evidence.may"(params) {
      const asking = z.strictObject({ role: z.enum(roles) }).safeParse(params);
      if (!asking.success) throw new Faulted(fault("invalid_input", { problem: "not a role" }));
      may(keeper, asking.data.role);
      return await Promise.resolve({ kind: "may" });
    },
    async "evidence.note"(params) {
      const parsed = noting.safeParse(params);
      if (!parsed.success) throw new Faulted(fault("invalid_input", { problem: "not what commands put on record" }));
      const { kind } = parsed.data;
      const shape: z.ZodType<object> = kindsOfEntries[kind].details;
      const told = { ...withSize(kind, parsed.data.details, parts.head().size), ...masked(parsed.data.details, mask) };
      const details = asked(notable[kind], shape, told as JsonObject, "not an entry as it is published");
      if (kind === "review.completed") ofThisRecord(parsed.data.details, parts.head());
      const draft = { kind, session: null, call: null, principal: keeper.by, details };
      const [receipt] = await append([draft as EntryDraft]);
      return { kind: "noted", index: receipt?.index ?? -1 };
    },
    async "evidence.purge"(params) {
      const { due, why, classes, ...what } = asked("operator", purging, params, "not what may be purged");
      const whole = classes.includes("envelopes");
      // Never before their term, and all of that age: a choice among entries could hide what somebody did.
      if (whole && !(due && what.before === "" && what.session === ""))
        throw new Faulted(
          fault("invalid_input", { problem: "entries are purged when they are due, and only all of them" }),
        );
      const bodies = classes.filter((one) => one !== "envelopes");
      const limits = { ...(due ? { due: retention } : {}), ...(whole ? { envelopes: retention.envelopes } : {}) };
      const purged = await keeping.purge({ ...what, classes: bodies, why: mask(why), ...limits }, keeper.by);
      const { keys, kept, doubt, envelopes = null } = purged;
      const entries = envelopes === null ? null : { ...envelopes, held: [...envelopes.held] };
      return { kind: "purged", keys, kept: kept.map((one) => ({ ...one })), doubt, entries };
    },
    async "evidence.anchor"(params) {
      asked("operator", z.strictObject({}), params, "nothing is to be said of it");
      const anchors = (await parts.anchor()).map(({ name, kind, place, last, behind, trouble }) => ({
        name,
        kind,
        place,
        behind,
        trouble,
        last: last === null ? null : { size: last.size, at: new Date(last.at).toISOString() },
      }));
      return { kind: "anchored", anchors };
    },
    async "evidence.place"(params) {
      const placed = asked("operator", placing, params, "a hold has a name, what it covers and a reason");
      const covers = coversIn(placed.covers);
      if (covers === null) throw new Faulted(fault("invalid_input", { problem: "not what a hold can cover" }));
      return { ...(await keeping.place(placed.hold, covers, mask(placed.reason), keeper)) };
    },
    async "evidence.ask"(params) {
      const { hold, reason: why } = asked("operator", releasing, params, "a release has a name and a reason");
      return { ...(await keeping.askRelease(hold, mask(why), keeper, parts.stillOperator)) };
    },
    async "evidence.confirm"(params) {
      const { hold, reason: why } = asked("operator", releasing, params, "a release has a name and a reason");
      return { ...(await keeping.confirmRelease(hold, mask(why), keeper, parts.stillOperator)) };
    },
  };
}

function may({ roles, by }: Keeper, wanted: Role | readonly Role[]): void {
  const enough = [wanted].flat();
  if (!enough.some((role) => roles.has(role)))
    throw new Faulted(fault("denied", {}, `${by.subject} is no ${enough.join(" or ")} of the record`));
}

/** How large the record was is the writer's own word. */
function withSize(kind: Notable, details: JsonObject | object, size: number): object {
  return kind === "reconcile.ran" || kind === "review.completed" ? details : { ...details, size };
}

interface Tree {
  readonly size: number;
  readonly root: string;
}

const review = z.looseObject({
  scope: z.record(z.string(), z.string().max(300)),
  findings: z.string().trim().min(3).max(2000),
  size: z.int().min(1),
  root: z.string(),
});

/** Of another record's tree, of a scope that nobody could ask for again, or without findings, a review says nothing. Fault: invalid_input. */
function ofThisRecord(details: { readonly [key: string]: unknown }, head: Tree): void {
  const said = review.safeParse(details);
  if (!said.success)
    throw new Faulted(
      fault("invalid_input", { problem: "a review has a scope, and findings of 3 to 2000 characters" }),
    );
  const { scope, size, root } = said.data;
  const covers = coversIn(scope);
  if (covers === null || Object.keys(covers).length === 0)
    throw new Faulted(fault("invalid_input", { problem: "not what a review can be of" }));
  if (size > head.size || (size === head.size && root !== head.root))
    throw new Faulted(fault("invalid_input", { problem: "not the tree of this record" }));
}

/** What was asked for, why, and what was found, in a person's words. */
function masked(details: { readonly [key: string]: unknown }, mask: (text: string) => string): object {
  const words = ["query", "why", "findings"].flatMap((key) => {
    const said = details[key];
    return typeof said === "string" ? [[key, mask(said.trim())] as const] : [];
  });
  const { scope } = details;
  return { ...Object.fromEntries(words), ...(isTexts(scope) ? { scope: eachMasked(scope, mask) } : {}) };
}

const isTexts = (scope: unknown): scope is { readonly [field: string]: string } =>
  z.record(z.string(), z.string()).safeParse(scope).success;

function eachMasked(scope: { readonly [field: string]: string }, mask: (text: string) => string): JsonObject {
  return Object.fromEntries(Object.entries(scope).map(([field, said]) => [field, mask(said)]));
}
