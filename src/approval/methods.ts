// The owner process's side of `sallyport approvals`: what the local socket answers, for one verified person.

import * as z from "zod";
import { approvalStates } from "../domain/approval.ts";
import type { Append } from "../domain/entry.ts";
import { fault, Faulted } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";
import { maySee, type Ballot, type Mode, type Voter } from "./ballot.ts";
import { digestOf } from "./digest.ts";
import { isEnd } from "./states.ts";
import { firstProblem } from "./stored.ts";
import type { ApprovalStore, KeptRequest } from "./stores/contract.ts";
import { decideRequest, revoke, withdraw } from "./verdict.ts";

export interface Desk {
  readonly store: ApprovalStore;
  readonly append: Append;
  readonly mode: Mode;
  /** Verified for this connection, at this moment. */
  readonly voter: Voter;
  /** A person's words go to the transcript and perhaps to the agent: they pass the masker like everything else. */
  readonly mask: (text: string) => string;
  readonly now: () => number;
}

export type ApprovalMethod =
  | "approvals.list"
  | "approvals.show"
  | "approvals.approve"
  | "approvals.reject"
  | "approvals.withdraw";

/** At least four characters of an id's beginning or end, or all of it. */
const id = z.string().regex(/^(apr_)?[0-9a-f-]{4,36}$/, "at least four characters of an approval id");
const listing = z.strictObject({
  all: z.boolean().default(false),
  /** The `seen` of an earlier answer: wait until there is something else to say. */
  seen: z.string().default(""),
  wait: z.number().int().min(0).max(30_000).default(0),
});
const one = z.strictObject({ id });
const answer = z.strictObject({ id, reason: z.string().max(2000).default(""), tellAgent: z.boolean().default(false) });

/**
 * Each method by its name. Replies are `{kind: "requests" | "request" | what became of it | "refused", …}`.
 * Fault: invalid_input, for parameters that do not parse.
 */
export function approvalMethods(desk: Desk): {
  readonly [method in ApprovalMethod]: (params: JsonObject) => Promise<JsonObject>;
} {
  return {
    "approvals.list": async (params) => plain(await list(desk, parse(listing, params))),
    "approvals.show": async (params) =>
      await withRequest(desk, parse(one, params).id, (request) => Promise.resolve({ kind: "request", request })),
    "approvals.approve": async (params) => {
      const asked = parse(answer, params);
      return await withRequest(desk, asked.id, (request) =>
        decideRequest(desk.store, desk.append, ballot(desk, request, "approve", asked)),
      );
    },
    "approvals.reject": async (params) => {
      const asked = parse(answer, params);
      return await withRequest(desk, asked.id, (request) => {
        const no = ballot(desk, request, "reject", asked);
        return (request.state === "approved" ? revoke : decideRequest)(desk.store, desk.append, no);
      });
    },
    "approvals.withdraw": async (params) =>
      await withRequest(desk, parse(one, params).id, (request) =>
        withdraw(desk.store, desk.append, request.id, desk.voter, desk.now()),
      ),
  };
}

function parse<T>(shape: z.ZodType<T>, params: JsonObject): T {
  const parsed = shape.safeParse(params);
  if (parsed.success) return parsed.data;
  throw new Faulted(fault("invalid_input", { problem: firstProblem(parsed.error) }));
}

function ballot(
  { voter, mode, mask, now }: Desk,
  request: KeptRequest,
  answer: Ballot["answer"],
  asked: { readonly reason: string; readonly tellAgent: boolean },
): Ballot {
  const { reason, tellAgent } = asked;
  return { id: request.id, by: voter, answer, reason: mask(reason), tellAgent, mode, now: now() };
}

/** Requests that this person may see; with `wait`, not before they differ from what was `seen` or the time is over. */
async function list(desk: Desk, { all, seen, wait }: z.output<typeof listing>): Promise<object> {
  const changed = Promise.withResolvers<void>();
  const stop = desk.store.onChange(() => changed.resolve());
  const timer = setTimeout(() => changed.resolve(), wait);
  try {
    const now = await look(desk, all);
    if (wait === 0 || now.seen !== seen) return now;
    await changed.promise;
    return await look(desk, all);
  } finally {
    clearTimeout(timer);
    stop();
  }
}

async function look(desk: Desk, all: boolean) {
  const states = all ? null : approvalStates.filter((state) => !isEnd(state));
  const requests = (await desk.store.list(states)).filter((request) =>
    maySee(request, desk.voter, { mode: desk.mode, now: desk.now() }),
  );
  const seen = digestOf(requests.map(({ id, state, verdicts }) => [id, state, verdicts.length]));
  return { kind: "requests", requests, seen };
}

/** Finds the one request that the text names among those that this person may see, and does it. */
async function withRequest(
  desk: Desk,
  text: string,
  work: (request: KeptRequest) => Promise<object>,
): Promise<JsonObject> {
  const wanted = text.replace(/^apr_/, "");
  const found = (await desk.store.list(null)).filter(
    (request) =>
      (request.id.slice(4).startsWith(wanted) || request.id.endsWith(wanted)) &&
      maySee(request, desk.voter, { mode: desk.mode, now: desk.now() }),
  );
  const [request, second] = found;
  if (request === undefined) return { kind: "refused", code: "not_found", state: null };
  if (second !== undefined) return { kind: "refused", code: "ambiguous", state: null };
  return plain(await work(request));
}

/** As it crosses the socket. */
const plain = (reply: object): JsonObject => JSON.parse(JSON.stringify(reply)) as JsonObject;
