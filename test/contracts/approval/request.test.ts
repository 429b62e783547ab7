// The request and its card: what the digests bind, and what others' text can't do to whoever reads it.

import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect } from "vitest";
import { cardText } from "../../../src/approval/card.ts";
import { digestOf } from "../../../src/approval/digest.ts";
import { neutralise } from "../../../src/approval/neutral.ts";
import { approvalDigest, makeRequest } from "../../../src/approval/request.ts";
import { promise } from "../../support/promise.ts";
import { decision, hour, ids, jo, minute, plannedCall, preview, request, requirement, start } from "./matter.ts";

const fixed = { id: ids.approval(), nonce: "aa".repeat(16) };

promise("approval:digest-binds", "each of the five parts changes it, and nothing else does", () => {
  const base = request(fixed);
  const others = {
    call: request({ ...fixed, call: { digest: "55".repeat(32) } }),
    nonce: request({ ...fixed, nonce: "bb".repeat(16) }),
    uid: request({
      ...fixed,
      preview: { ...preview, preconditions: preview.preconditions.map((one) => ({ ...one, uid: "uid-2" })) },
    }),
    diff: request({ ...fixed, preview: { ...preview, digest: "66".repeat(32) } }),
    requirements: request({ ...fixed, requirements: [requirement({ count: 2 })] }),
  };
  const digests = [base, ...Object.values(others)].map((one) => one.approvalDigest);
  expect(new Set(digests).size).toBe(6);
  const same = request({
    ...fixed,
    id: ids.approval(),
    now: start + hour,
    environment: "test",
    call: { reason: "other" },
  });
  expect(same.approvalDigest).toBe(base.approvalDigest);
});

promise("approval:digest-binds", "it is the SHA-256 of the canonical JSON that approval.md names", () => {
  const requirements = [requirement()];
  const parts = { callDigest: "c", nonce: "n", uids: ["b", "a"], diffDigest: "d", requirements };
  const canonical =
    '{"callDigest":"c","diffDigest":"d","nonce":"n","requirements":[{"approvers":["group:sre"],"assurance":"same-device",' +
    '"count":1,"expires":3600,"rule":"production-changes","validFor":600}],"uids":["a","b"]}';
  expect(approvalDigest(parts)).toBe(createHash("sha256").update(canonical).digest("hex"));
  expect(approvalDigest({ ...parts, uids: ["a", "b"] })).toBe(approvalDigest(parts));
});

promise("approval:card-once", "the card holds what the gateway knows, and its digest", () => {
  const made = request();
  expect(made.card).toEqual({
    tool: "workloads_scale",
    effect: "change",
    cluster: "prod-1",
    environment: "prod",
    object: "Deployment shop/api",
    requester: "jo",
    agent: "scaler",
    reason: "more load is coming",
    rules: ["reads", "production-changes"],
    diff: ["~ spec.replicas: 3 -> 5"],
    checks: [["HPA ", { quoted: "api" }, " sets this count too"]],
    undo: "workloads_scale replicas 3",
    expiresAt: start + hour,
  });
  expect(made.cardDigest).toBe(digestOf(made.card));
  expect(Object.isFrozen(made) && Object.isFrozen(made.card.diff)).toBe(true);
  expect(cardText(made.card)).toBe(
    [
      "workloads_scale (change): Deployment shop/api",
      "  cluster   prod-1 (environment prod)",
      "  asked by  jo, through scaler",
      '  reason    "more load is coming" (the agent\'s words, unverified)',
      "  rules     reads, production-changes",
      "  undo      workloads_scale replicas 3",
      "  expires   2026-11-21 13:00:00 UTC",
      "  effect",
      "    ~ spec.replicas: 3 -> 5",
      '  ! HPA "api" sets this count too',
    ].join("\n"),
  );
});

promise("approval:card-once", "a client's own name for itself is marked as its claim", () => {
  const agentOf = (given: object): string =>
    makeRequest({
      ...fixed,
      call: plannedCall({ principal: { ...plannedCall().principal, ...given } }),
      decision: decision([requirement()]),
      preview,
      environment: "",
      now: start,
    }).card.agent;
  expect(agentOf({ actors: [], client: "claude-code" })).toBe("claude-code (its own claim)");
  expect(agentOf({ actors: [], client: "" })).toBe("an unnamed client");
  expect(agentOf({ actors: [], kind: "agent", subject: "bot-7" })).toBe("bot-7");
});

promise(
  "approval:expires",
  "the shortest of the requirements' times counts, and a decision that asks nobody makes no request",
  () => {
    const made = request({ requirements: [requirement({ expires: 3600 }), requirement({ expires: 60 })] });
    expect([made.expiresAt, made.card.expiresAt]).toEqual([start + minute, start + minute]);
    expect(() => request({ requirements: [] })).toThrow("names its approvers");
    const allowed = { ...decision([requirement()]), effect: "allow" as const };
    expect(() =>
      makeRequest({ ...fixed, call: plannedCall(), decision: allowed, preview, environment: "", now: start }),
    ).toThrow();
  },
);

promise(
  "approval:card-honest",
  "a failed preview, an empty one, and values that are masked say so; risks come first",
  () => {
    const diff = (given: object): readonly string[] => request({ preview: { ...preview, ...given } }).card.diff;
    const [change] = preview.changes;
    if (change === undefined) throw new Error("the preview has a change");
    expect(request({ preview: null }).card.diff).toEqual(["effect unknown: the preview failed"]);
    expect(diff({ changes: [] })).toEqual(["can't be inspected: the preview shows no object"]);
    expect(diff({ changes: [{ ...change, before: null, after: null, lines: [] }] })).toEqual(["can't be inspected"]);
    expect(diff({ changes: [{ ...change, lines: [] }] })).toEqual(["no difference to what is there now"]);
    const lines = [
      { sign: "~" as const, risk: false, path: "spec.replicas", before: "3", after: "5" },
      { sign: "+" as const, risk: true, path: "env[PW].value", before: null, after: '"[MASKED:password]"' },
      { sign: "-" as const, risk: false, path: "spec.paused", before: "true", after: null },
    ];
    expect(diff({ changes: [{ ...change, lines }] })).toEqual([
      '!+ env[PW].value: "[MASKED:password]" (can\'t be inspected)',
      "~ spec.replicas: 3 -> 5",
      "- spec.paused: true",
    ]);
    const many = Array.from({ length: 2003 }, (_one, index) => ({ ...lines[0], path: `p${index}` }));
    const long = diff({ changes: [{ ...change, lines: many }] });
    expect([long.length, long.at(-1)]).toEqual([2001, "can't be inspected: 3 more lines"]);
  },
);

promise("approval:card-honest", "without changes the objects are the call's accesses", () => {
  const access = { cluster: "prod-1", group: "", version: "v1", subresource: "", namespace: "shop", optional: false };
  const accesses = [
    { ...access, verb: "get" as const, resource: "pods", kind: "Pod", name: "a" },
    { ...access, verb: "create" as const, resource: "jobs", kind: "Job", name: "run-1" },
    { ...access, verb: "delete" as const, resource: "nodes", kind: "Node", namespace: "", name: "" },
  ];
  expect(request({ preview: null, call: { accesses } }).card.object).toBe("Job shop/run-1, Node *");
});

promise("approval:card-neutral", "each trick of Unicode is written out", () => {
  const tricks: { readonly [given: string]: string } = {
    "scale up\u202e3 ot nwod": "scale up\\u{202E}3 ot nwod",
    "zero\u200bwidth\ufeff\u00ad": "zero\\u{200B}width\\u{FEFF}\\u{AD}",
    "a\nAPPROVED by kim\r\tb": "a\\u{A}APPROVED by kim\\u{D}\\u{9}b",
    "\u001b[2Jclear": "\\u{1B}[2Jclear",
    "tag\u{e0041}block": "tag\\u{E0041}block",
    "private\ue000use": "private\\u{E000}use",
    "lone\ud800": "lone\\u{D800}",
    "line\u2028par\u2029": "line\\u{2028}par\\u{2029}",
    "no\u00a0break": "no\\u{A0}break",
    "e\u0301": "é",
    "a\u0316\u0317\u0318\u0319\u031c": "a\u0316\u0317\u0318\\u{319}\\u{31C}",
    "<!channel> `x` *y* <https://a|b>": "<!channel> `x` *y* <https://a|b>",
    "Größe 规模 🚀": "Größe 规模 🚀",
  };
  for (const [given, shown] of Object.entries(tricks))
    expect(request({ call: { reason: given } }).card.reason).toBe(shown);
});

promise(
  "approval:card-neutral",
  "whatever the text, no line of the card begins with it and every character can be seen",
  () => {
    const hostile = fc.string({ unit: "binary", maxLength: 800 });
    fc.assert(
      fc.property(hostile, hostile, hostile, (reason, name, value) => {
        const [change] = preview.changes;
        if (change === undefined) return;
        const lines = [{ sign: "~" as const, risk: true, path: name, before: value, after: value }];
        const changes = [{ ...change, name, lines }];
        const made = request({
          call: { reason, cluster: name },
          preview: { ...preview, changes, checks: [[{ quoted: value }]] },
        });
        expect(made.card.reason.length).toBeLessThanOrEqual(301);
        const text = cardText(made.card);
        expect(text.split("\n")).toHaveLength(10);
        expect(text).not.toMatch(/[\p{Cf}\p{Co}\p{Cs}\u2028\u2029]|(?!\n)\p{Cc}/u);
      }),
      { numRuns: 300 },
    );
  },
);

promise("approval:card-neutral", "a cut is shown, never inside an escape, and 100 kB cost no more than a line", () => {
  expect(neutralise("x".repeat(100_000), 300)).toBe(`${"x".repeat(300)}…`);
  expect(neutralise("x".repeat(300), 300)).toBe("x".repeat(300));
  expect(neutralise(`${"x".repeat(297)}\u202ey`, 300)).toBe(`${"x".repeat(297)}…`);
  expect(neutralise("\u0301".repeat(5000), 300).length).toBeLessThanOrEqual(301);
  const big = request({ call: { arguments: { text: "y".repeat(100_000) }, reason: "z".repeat(100_000) } });
  expect(JSON.stringify(big.card).length).toBeLessThan(2000);
  expect(big.call.principal).toEqual(jo);
});
