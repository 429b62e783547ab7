// The first entries of a gateway, and a session's first and last.

import { expect } from "vitest";
import type { EntryDraft } from "../../../src/domain/entry.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import { openSessionEntries } from "../../../src/wiring/session-entries.ts";
import { startEntries } from "../../../src/wiring/started.ts";
import { promise } from "../../support/promise.ts";
import { agent, digest, draft, openIn, temporaryFolder } from "./support.ts";

const as = (config: string, policy: string, tools: string) => ({
  version: "1.2.3",
  config: digest(config),
  policy: digest(policy),
  repaired: 0,
  tools: digest(tools),
});

promise("transcript:what-changed", "against the last start, and the policy in force at its end", async () => {
  const folder = await temporaryFolder();
  const begin = async (config: string, policy: string, tools: string): Promise<readonly string[]> => {
    const transcript = await openIn(folder);
    const entries = startEntries(as(config, policy, tools), transcript.lastStart);
    await transcript.append(entries);
    await transcript.close();
    return entries.map(({ kind, details }) =>
      "from" in details ? `${kind} ${String(details.from)[0]}${String(details.to)[0]}` : kind,
    );
  };
  expect(await begin("1", "a", "7")).toEqual(["gateway.started"]);
  expect(await begin("1", "a", "7")).toEqual(["gateway.started"]);
  expect(await begin("2", "b", "8")).toEqual([
    "gateway.started",
    "config.changed 12",
    "policy.changed ab",
    "tool.changed 78",
  ]);
  const transcript = await openIn(folder);
  await transcript.append([draft("policy.changed", null, { from: digest("b"), to: digest("c"), diff: "~ r" })]);
  await transcript.close();
  expect(await begin("2", "c", "8")).toEqual(["gateway.started"]);
});

promise("transcript:sessions", "opened by the first call alone, closed with its counts, and each once", async () => {
  const written: EntryDraft[] = [];
  const counts = { age: 9, calls: 3, changes: 1, denied: 2, tainted: false };
  const entries = openSessionEntries({
    append: async (drafts) => {
      written.push(...drafts);
      return await Promise.resolve([]);
    },
    sessions: { before: () => counts },
    lost: () => undefined,
  });
  const [one, two] = ["ses_1", "ses_2"].map((id) => ({ id: id as SessionId, door: "http" as const }));
  if (one === undefined || two === undefined) return;
  entries.called(one, agent);
  entries.called(one, agent);
  entries.called(two, agent);
  await entries.ended(one.id, "idle");
  await entries.ended(one.id, "idle");
  await entries.ended("ses_3" as SessionId, "idle");
  await entries.all("the gateway stopped");
  await entries.all("the gateway stopped");
  const did = { calls: 3, changes: 1, denied: 2 };
  expect(written.map(({ kind, session, details }) => [kind, session?.id, details])).toEqual([
    ["session.opened", "ses_1", { door: "http", client: "editor" }],
    ["session.opened", "ses_2", { door: "http", client: "editor" }],
    ["session.closed", "ses_1", { reason: "idle", ...did }],
    ["session.closed", "ses_2", { reason: "the gateway stopped", ...did }],
  ]);
});
