// Sessions over HTTP: one a caller, until it is idle.

import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { idsFrom } from "../../src/domain/ids.ts";
import type { Principal, PrincipalFields } from "../../src/domain/principal.ts";
import { sessionsByCaller } from "../../src/mcp/sessions.ts";
import { promise } from "../support/promise.ts";

function clocked() {
  const ids = idsFrom(Date.now, (count) => randomBytes(count));
  const ended: string[] = [];
  const clock = { now: 0 };
  const door = {
    now: () => clock.now,
    newSessionId: () => ids.session(),
    newCallId: () => ids.call(),
    endSession: async (session: string) => void ended.push(session),
    broke: () => undefined,
  };
  return { door, ended, clock };
}
function caller(subject: string, actor = "a", client = "c"): Principal {
  const actors = [{ issuer: "i", subject: actor }];
  const fields: PrincipalFields = { issuer: "i", subject, kind: "agent", groups: [], actors, client, verifier: "v" };
  return fields as Principal;
}

promise("mcp:sessions-end", "half an hour after a caller's last call", () => {
  const { door, ended, clock } = clocked();
  const sessions = sessionsByCaller(1_000);
  const first = sessions.of(door, caller("alice"));
  clock.now = 999;
  expect(sessions.of(door, caller("alice", "a", "another name"))).toEqual(first);
  clock.now = 1_998;
  expect(sessions.of(door, caller("alice"))).toEqual(first);
  clock.now = 2_998;
  expect(sessions.of(door, caller("bob")).id).not.toBe(first.id);
  expect(ended).toEqual([first.id]);
  expect(sessions.of(door, caller("alice")).id).not.toBe(first.id);
});

promise("mcp:sessions-end", "of the longest idle caller, when there are too many", async () => {
  const { door, ended } = clocked();
  const sessions = sessionsByCaller(1_000, 2);
  const [one, two, three, four] = ["1", "2", "3", "4"].map((name) => sessions.of(door, caller("bot", name)).id);
  expect(ended).toEqual([one]);
  await sessions.end();
  expect(ended).toEqual([one, two, three, four]);
});
