// A receipt is for its own caller, says what the entries say, and is found in whichever segment it lies.

import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { idsFrom, type CallId } from "../../../src/domain/ids.ts";
import type { PrincipalFields } from "../../../src/domain/principal.ts";
import { openReceipts } from "../../../src/transcript/receipts.ts";
import { promise } from "../../support/promise.ts";
import {
  agent,
  decided,
  digest,
  draft,
  openIn,
  plainRead,
  quickDisk,
  received,
  settled,
  start,
  temporaryFolder,
} from "./support.ts";

promise(
  "transcript:receipts",
  "with decision, outcome, diff, places and the signed head, from whichever segment",
  async () => {
    const folder = await temporaryFolder();
    let clock = start;
    const now = (): number => clock;
    const ids = idsFrom(now, (count) => randomBytes(count));
    const transcript = await openIn(folder, { now, disk: quickDisk, segmentSize: 4_000 });
    const scaled = ids.call();
    const noise = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        clock += 60_000;
        await transcript.append(plainRead(ids.call()));
      }
    };
    await transcript.append([received(scaled), decided(scaled, { decision: "require-approval" })]);
    await transcript.append([
      draft("call.previewed", scaled, {
        tool: "workloads_scale",
        diff: ["~ spec.replicas: 3 -> 5"],
        diffDigest: digest("e"),
        objects: [],
      }),
    ]);
    await noise(40);
    const approved = "apr_01950000-0000-7000-8000-000000000001";
    await transcript.append([decided(scaled, { approval: approved, cluster: "prod" })]);
    const object = {
      cluster: "prod",
      kind: "Deployment",
      namespace: "shop",
      name: "api",
      uid: "u",
      before: "1",
      after: "2",
    };
    const [last] = await transcript.append([
      settled(scaled, {
        cluster: "prod",
        effect: "applied",
        objects: [object],
        masked: [{ type: "password", count: 1 }],
      }),
    ]);
    await transcript.checkpoint();
    await noise(20);

    const receipts = openReceipts(folder);
    const first = await receipts.read(scaled, agent);
    expect(first).toEqual({
      call: scaled,
      tool: "workloads_scale",
      cluster: "prod",
      preview: false,
      decision: "allow",
      approval: approved,
      outcome: "completed",
      code: "",
      effect: "applied",
      receivedAt: "2026-03-01T10:00:00.000Z",
      endedAt: "2026-03-01T10:40:00.000Z",
      objects: [{ kind: "Deployment", namespace: "shop", name: "api" }],
      masked: [{ type: "password", count: 1 }],
      diff: ["~ spec.replicas: 3 -> 5"],
      entries: [
        { kind: "call.received", index: 0 },
        { kind: "call.decided", index: 1 },
        { kind: "call.previewed", index: 2 },
        { kind: "call.decided", index: (last?.index ?? 0) - 1 },
        { kind: "call.settled", index: last?.index },
      ],
      checkpoint: {
        origin: `sallyport.dev/${transcript.gateway}`,
        size: (last?.index ?? 0) + 1,
        root: expect.any(String) as string,
      },
    });
    // A call of a later segment, while the segments before it are only counted.
    const late = ids.call();
    const [, , end] = await transcript.append([received(late), decided(late), settled(late)]);
    expect((await receipts.read(late, agent))?.entries.at(-1)).toEqual({ kind: "call.settled", index: end?.index });
    expect(await receipts.read(scaled, agent)).toEqual(first);
  },
);

promise(
  "transcript:receipts",
  "and for nobody else: another subject, another issuer, another actor, none",
  async () => {
    const folder = await temporaryFolder();
    const ids = idsFrom(
      () => start,
      (count) => randomBytes(count),
    );
    const transcript = await openIn(folder, { disk: quickDisk });
    const call = ids.call();
    await transcript.append([received(call), decided(call), settled(call)]);
    const receipts = openReceipts(folder);
    const [actor = { issuer: "", subject: "" }] = agent.actors;
    const others: readonly PrincipalFields[] = [
      { ...agent, subject: "eve" },
      { ...agent, issuer: "https://other.example" },
      { ...agent, actors: [] },
      { ...agent, actors: [{ ...actor, subject: "other-agent" }] },
      { ...agent, actors: [actor, actor] },
    ];
    for (const other of others) expect(await receipts.read(call, other)).toBeNull();
    expect((await receipts.read(call, { ...agent, client: "another", groups: ["x"] }))?.call).toBe(call);
    expect(await receipts.read(ids.call(), agent)).toBeNull();
    expect(await receipts.read("call_00000000-0000-7000-8000-000000000000" as CallId, agent)).toBeNull();
    expect(await receipts.read("call_ffffffff-ffff-7fff-bfff-ffffffffffff" as CallId, agent)).toBeNull();
  },
);

promise(
  "transcript:receipts",
  "of a call that is open, refused, of unknown end, or stands in another's arguments",
  async () => {
    const folder = await temporaryFolder();
    const ids = idsFrom(
      () => start,
      (count) => randomBytes(count),
    );
    const transcript = await openIn(folder, { disk: quickDisk });
    const [open, denied, bad, lost] = [ids.call(), ids.call(), ids.call(), ids.call()];
    await transcript.append([received(open, { arguments: { id: denied } }), decided(open)]);
    await transcript.append([
      received(denied),
      decided(denied, { decision: "deny", code: "denied" }),
      settled(denied, { outcome: "refused", code: "denied" }),
    ]);
    await transcript.append([
      received(bad),
      decided(bad, { decision: "deny", code: "invalid_input" }),
      settled(bad, { outcome: "refused", code: "invalid_input" }),
    ]);
    await transcript.append([
      received(lost),
      decided(lost),
      draft("call.unknown", lost, { reason: "stopped", grant: "" }),
    ]);
    const receipts = openReceipts(folder);
    const seen = await Promise.all([open, denied, bad, lost].map((call) => receipts.read(call, agent)));
    expect(seen.map((one) => [one?.decision, one?.outcome, one?.code, one?.effect, one?.entries.length])).toEqual([
      ["allow", "open", "", "none", 2],
      ["deny", "refused", "denied", "none", 3],
      ["", "refused", "invalid_input", "none", 3],
      ["allow", "unknown", "", "unknown", 3],
    ]);
    // A line that is still being written is none yet.
    await appendFile(join(folder, "transcript", "segments", "00000000.ndjson"), '{"call":"');
    expect((await receipts.read(lost, agent))?.outcome).toBe("unknown");
  },
);
