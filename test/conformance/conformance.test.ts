// The official MCP conformance suite, as npm run test:conformance runs it.

import { expect } from "vitest";
import { promise } from "../support/promise.ts";
import { fixtureDoor, realDoor, verdicts, type Door } from "./doors.ts";
import { revisions } from "./run.ts";

async function allPass(open: () => Promise<Door>): Promise<void> {
  const door = await open();
  try {
    const ran = await Promise.all(revisions.map(async (revision) => [revision, await door.run(revision)] as const));
    for (const [revision, one] of ran) {
      const found = verdicts(one, door.mustPass[revision]);
      expect({ revision, failed: found.filter(({ failed }) => failed.length > 0) }).toEqual({ revision, failed: [] });
      expect(found.length, revision).toBeGreaterThan(5);
    }
  } finally {
    await door.stop();
  }
}

promise(
  "clients:conformance",
  "every required server scenario of both revisions, with the suite's tools behind our door",
  async () => await allPass(fixtureDoor),
  180_000,
);

promise(
  "clients:conformance",
  "every scenario that asks for no tool of the suite's own, on the real server",
  async () => await allPass(realDoor),
  180_000,
);
