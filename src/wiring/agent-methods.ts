// The owner process's side of `sallyport agents`: what the local socket answers to the owner alone about agents' accounts.

import * as z from "zod";
import { fault, Faulted } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { PrincipalFields, Subject } from "../domain/principal.ts";
import { accountName, reviewDue, stateOf, type Account } from "../identity/accounts.ts";
import type { Accounts, Changed } from "./accounts.ts";
import type { Killed } from "./kill-switch.ts";

export type AgentMethod =
  | "agents.list"
  | "agents.show"
  | "agents.register"
  | "agents.disable"
  | "agents.enable"
  | "agents.review";

export interface AgentDesk {
  readonly accounts: Accounts;
  /** Who runs the gateway, and so makes the change. */
  readonly by: PrincipalFields;
  /** Ends all that the identity runs; where no gateway runs, nothing does. */
  readonly end: (identity: Subject) => Promise<Killed>;
  /** Whom the configuration knows to vouch for agents, and under which `iss` a principal has it; null where only a cluster knows that. */
  readonly issuers: readonly { readonly name: string; readonly issuer: string | null }[];
  /** Agents that the configuration itself names: they need no account, and may have one. */
  readonly configured: readonly Subject[];
  readonly reviewDays: number;
  /** A person's words go to the transcript: they pass the masker like everything else. */
  readonly mask: (text: string) => string;
  readonly now: () => number;
}

const day = 86_400_000;
const defaultLife = 365 * day;
const longestLife = 10 * 365 * day;

/** Text that one can read and tell from another on one line. */
const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .refine((text) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(text), "holds characters that can't be seen");
const note = line(500).or(z.literal("")).default("");
const name = z.string().regex(accountName, "must be small letters, digits and - alone, 40 at most");
const expires = z.string().max(40).default("");
const registering = z.strictObject({
  name,
  issuer: line(1024),
  subject: line(1024),
  owner: line(200),
  purpose: line(500),
  expires,
  reviewDays: z.number().int().min(1).max(366).optional(),
});
const one = z.strictObject({ name });
const disabling = z.strictObject({ name, reason: note, now: z.boolean().default(false) });
const enabling = z.strictObject({ name, expires });
const reviewing = z.strictObject({ name, note, expires });

/**
 * Each method by its name. Replies are `{kind: "agents" | "agent" | "changed" | "refused", …}`.
 * Fault: invalid_input, for parameters that do not parse.
 */
export function agentMethods(desk: AgentDesk): {
  readonly [method in AgentMethod]: (params: JsonObject) => Promise<JsonObject>;
} {
  const { accounts, by, mask, now } = desk;
  const told = (changed: Changed): JsonObject =>
    changed.kind === "changed"
      ? { kind: "changed", agent: fieldsOf(changed.account, now()), recorded: changed.lacks.length === 0 }
      : { ...changed };
  return {
    "agents.list": async () => await Promise.resolve(listOf(desk)),
    "agents.show": async (params) => {
      const wanted = parse(one, params).name;
      const found = accounts.list().find((account) => account.name === wanted);
      return await Promise.resolve(
        found === undefined ? { kind: "refused", code: "not_found" } : { kind: "agent", agent: fieldsOf(found, now()) },
      );
    },
    "agents.register": async (params) => {
      const asked = parse(registering, params);
      const { owner, purpose } = { owner: mask(asked.owner), purpose: mask(asked.purpose) };
      const [expiresAt, reviewDays] = [
        expiryOf(asked.expires, now()) ?? now() + defaultLife,
        asked.reviewDays ?? desk.reviewDays,
      ];
      const registration = { name: asked.name, issuer: issuerOf(desk, asked.issuer), subject: asked.subject };
      return told(await accounts.register({ ...registration, owner, purpose, expiresAt, reviewDays }, by));
    },
    "agents.disable": async (params) => {
      const asked = parse(disabling, params);
      const changing = accounts.disable(asked.name, mask(asked.reason), asked.now, by);
      const found = asked.now ? accounts.list().find(({ name: one_ }) => one_ === asked.name) : undefined;
      if (found === undefined) return told(await changing);
      // It is shut already; what it runs does not wait for the record of that.
      const [changed, ended] = await Promise.all([changing, desk.end(found)]);
      const reply = told(changed);
      return { ...reply, recorded: reply["recorded"] === true && ended.recorded, ended: endedFields(ended) };
    },
    "agents.enable": async (params) => {
      const asked = parse(enabling, params);
      return told(await accounts.enable(asked.name, expiryOf(asked.expires, now()), by));
    },
    "agents.review": async (params) => {
      const asked = parse(reviewing, params);
      return told(await accounts.review(asked.name, mask(asked.note), expiryOf(asked.expires, now()), by));
    },
  };
}

function parse<T>(shape: z.ZodType<T>, params: JsonObject): T {
  const parsed = shape.safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(issue?.path.map(String).join(".") ?? "", issue?.message ?? "");
}

function wrong(path: string, rule: string): Faulted {
  return new Faulted(fault("invalid_input", { problems: [{ path, rule }] }));
}

/** The issuer as principals have it: by the configuration's name for it, or in full. An unknown one would only ever be a mistyped one. */
function issuerOf({ issuers }: AgentDesk, asked: string): string {
  const found = issuers.find((known) => known.name === asked || known.issuer === asked);
  if (found !== undefined && found.issuer !== null) return found.issuer;
  // A cluster's own name as an issuer stands nowhere in the configuration, so it is taken as it is written.
  if (issuers.some((known) => known.issuer === null) && URL.canParse(asked)) return asked;
  if (found !== undefined)
    throw wrong(
      "issuer",
      "is a cluster: write its issuer in full, as kubectl get --raw /.well-known/openid-configuration says it",
    );
  throw wrong("issuer", `is not one of the configuration's: ${issuers.map((known) => known.name).join(", ")}`);
}

/** When an account ends: `90d`, `2027-01-31` (its end, UTC) or an RFC 3339 time; null for "". */
export function expiryOf(text: string, now: number): number | null {
  if (text === "") return null;
  const days = /^([1-9]\d{0,3})d$/.exec(text)?.[1];
  const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const date = isDate ? Date.parse(text) + (text.includes("T") ? 0 : day) : Number.NaN;
  const at = days === undefined ? date : now + Number(days) * day;
  if (Number.isNaN(at))
    throw wrong("expires", "must be a number of days (90d), a date (2027-01-31) or a time (RFC 3339)");
  if (at <= now) throw wrong("expires", "must lie ahead");
  if (at > now + longestLife) throw wrong("expires", "must lie within ten years");
  return at;
}

function listOf({ accounts, configured, now }: AgentDesk): JsonObject {
  const registered = accounts.list();
  const others = configured.filter(
    (agent) => !registered.some(({ issuer, subject }) => issuer === agent.issuer && subject === agent.subject),
  );
  return {
    kind: "agents",
    agents: registered.map((account) => fieldsOf(account, now())),
    byConfiguration: others.map(({ issuer, subject }) => ({ issuer, subject })),
  };
}

const isoOf = (at: number): string => new Date(at).toISOString();

function fieldsOf(account: Account, now: number): JsonObject {
  const { registeredAt, expiresAt, reviewedAt, disabled, lastUsedAt, ...same } = account;
  return {
    ...same,
    state: stateOf(account, now),
    reviewOverdue: now >= reviewDue(account),
    registered: isoOf(registeredAt),
    expires: isoOf(expiresAt),
    reviewed: isoOf(reviewedAt),
    reviewBy: isoOf(reviewDue(account)),
    lastUsed: lastUsedAt === null ? null : isoOf(lastUsedAt),
    disabled: disabled === null ? null : { ...disabled, at: isoOf(disabled.at) },
  };
}

function endedFields({ calls, withdrawn, sessions, milliseconds }: Killed): JsonObject {
  return {
    calls: calls.map(({ call, tool, outcome, grants }) => ({
      call,
      tool,
      ...endOf(outcome),
      grants: grants.map((one) => ({ ...one })),
    })),
    approvals: withdrawn.map(({ id, call, card }) => ({ approval: id, tool: call.tool, object: card.object })),
    sessions,
    milliseconds,
  };
}

/** How the call ended, and what it may have left in the cluster. */
function endOf(outcome: Outcome | null): { readonly end: string; readonly effect: string } {
  switch (outcome?.kind) {
    case "completed":
      return { end: "completed", effect: outcome.effect };
    case "refused":
    case "failed":
      return { end: outcome.fault.code, effect: outcome.fault.effect };
    case "suspended":
      return { end: "withdrawn", effect: "none" };
    case "running":
    case undefined:
      return { end: "not yet", effect: "unknown" };
  }
}
