// The client that a token was issued to, on its way through everything that knows a caller: rules, requests, cards, entries, answers.

import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { cardText } from "../../../src/approval/card.ts";
import { openKeptCalls } from "../../../src/approval/kept-calls.ts";
import { seek } from "../../../src/approval/seek.ts";
import { idsFrom } from "../../../src/domain/ids.ts";
import { sameCaller, type Principal, type PrincipalFields } from "../../../src/domain/principal.ts";
import { callerKey } from "../../../src/mcp/sessions.ts";
import { decide, noFacts } from "../../../src/policy/decide.ts";
import { recordedCall } from "../../../src/policy/recorded.ts";
import { openReceipts } from "../../../src/transcript/receipts.ts";
import { promise } from "../../support/promise.ts";
import { folder, jo, keep, openStore, request, result, transcript } from "../approval/fixtures.ts";
import { policyOf } from "../policy/support.ts";
import {
  decided,
  entriesIn,
  openIn,
  quickDisk,
  received,
  settled,
  start,
  temporaryFolder,
} from "../transcript/support.ts";

const person: PrincipalFields = { ...jo, actors: [] };
const through = (clientId: string | null, principal: PrincipalFields = jo): Principal =>
  ({ ...principal, ...(clientId === null ? {} : { clientId }) }) as Principal;
const clients = ["cursor", "vscode", null];

promise(
  "identity:two-clients-two-callers",
  "sessions, kept answers and requests of one person keep two clients apart",
  async () => {
    const pairs = clients.flatMap((one) => clients.map((other) => [one, other] as const));
    for (const [one, other] of pairs) {
      expect(sameCaller(through(one), through(other))).toBe(one === other);
      expect(callerKey(through(one)) === callerKey(through(other))).toBe(one === other);
    }
    const store = await openStore();
    const { append } = transcript();
    const digest = "77".repeat(32);
    const asked = (clientId: string | null) => request({ call: { principal: through(clientId), digest } });
    const first = (await seek(store, append, [], asked("cursor"))).request;
    expect((await seek(store, append, [], asked("cursor"))).request.id).toBe(first.id);
    const other = await seek(store, append, [], asked("vscode")).then(
      (sought) => sought.request.id,
      (thrown: unknown) => String(thrown),
    );
    expect(other).not.toBe(first.id);
  },
);

promise(
  "identity:two-clients-two-callers",
  "a call that ran on answers the client that asked, also after a restart",
  async () => {
    const at = folder();
    const random = (count: number): Uint8Array => randomBytes(count);
    const opened = () => openKeptCalls({ folder: at, random, answerFor: 60_000, now: () => start, cutOff: result });
    const id = idsFrom(() => start, random).call();
    await (await opened()).begin({ id, tool: "workloads_wait", startedAt: start, ...through("cursor") });
    const kept = (await opened()).get(id);
    if (kept === undefined) throw new Error("the call was not kept");
    expect(clients.map((one) => sameCaller(kept, through(one)))).toEqual([true, false, false]);
  },
);

promise("identity:client-carried", "the stored request and its card say through which client, proven", async () => {
  const store = await openStore();
  const kept = async (principal: Principal) => {
    const { id } = await keep(store, request({ call: { principal } }));
    const { card, call } = (await store.get(id)) ?? request();
    return { agent: card.agent, clientId: call.principal.clientId };
  };
  expect(await kept(through("cursor"))).toEqual({ agent: "scaler, through client cursor", clientId: "cursor" });
  expect(await kept(through("cursor", person))).toEqual({ agent: "client cursor", clientId: "cursor" });
  expect(await kept(through(null, person))).toEqual({ agent: "claude-code (its own claim)", clientId: undefined });
  expect(await kept(through("bot", { ...person, subject: "bot", kind: "agent" }))).toEqual({
    agent: "bot",
    clientId: "bot",
  });
  const { card } = request({ call: { principal: through("cursor\nfake: row", person) } });
  expect(
    cardText(card)
      .split("\n")
      .filter((line) => line.includes("fake")),
  ).toEqual([expect.stringMatching(/^ {2}asked by {2}jo, through client cursor.*fake: row$/)]);
});

promise(
  "identity:client-carried",
  "entries say it, receipts are for that client, and a replay knows it again",
  async () => {
    const at = await temporaryFolder();
    const ids = idsFrom(
      () => start,
      (count) => randomBytes(count),
    );
    const log = await openIn(at, { disk: quickDisk });
    const call = ids.call();
    const session = { id: ids.session(), door: "http" as const };
    const by = (draft: ReturnType<typeof received>) => ({ ...draft, session, principal: through("cursor", person) });
    await log.append([received(call), decided(call), settled(call)].map(by));
    expect((await entriesIn(at)).map((entry) => entry["principal"])).toEqual(
      Array.from({ length: 3 }, () => ({ iss: jo.issuer, sub: "jo", act: [], client_id: "cursor" })),
    );
    const receipts = openReceipts(at);
    const reading = async (clientId: string | null) => (await receipts.read(call, through(clientId, person))) !== null;
    expect(await Promise.all(clients.map(reading))).toEqual([true, false, false]);
    const recorded = recordedCall({
      call,
      at: "",
      principal: { iss: jo.issuer, sub: "jo", act: [], client_id: "cursor" },
      received: {},
      decided: { ...(decided(call).details as object), accesses: [], facts: {}, policy: "11" },
    });
    expect(recorded?.call.principal.clientId).toBe("cursor");
  },
);

promise("identity:client-carried", "a rule can ask for the client, and where none was said it is missing", () => {
  const policy = policyOf(
    {
      id: "reads",
      effect: "allow",
      match: { tools: ["objects_list"] },
      when: 'has(principal.clientId) && principal.clientId == "cursor"',
    },
    {
      id: "not-there",
      effect: "deny",
      match: { tools: ["objects_list"] },
      when: 'has(principal.clientId) && principal.clientId == "vscode"',
    },
  );
  const effect = (clientId: string | null): string =>
    decide(
      policy,
      { tool: "objects_list", effect: "read", cluster: "c", accesses: [], arguments: {}, principal: through(clientId) },
      noFacts,
    ).effect;
  expect(clients.map(effect)).toEqual(["allow", "deny", "deny"]);
});
