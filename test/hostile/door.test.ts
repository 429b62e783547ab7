// Attacks with what a client may send: hidden tools, odd and huge arguments, secrets in refusals, costly patterns.

import { afterAll, beforeAll, expect } from "vitest";
import type { CallRequest } from "../../src/domain/call.ts";
import type { EntryDraft } from "../../src/domain/entry.ts";
import { fault, Faulted } from "../../src/domain/fault.ts";
import { pattern } from "../../src/execution/pattern.ts";
import { openCallRecord } from "../../src/transcript/call-record.ts";
import { expectVerifies, listing, openShop, scaling, striking, told, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";
import { status } from "../support/proxy.ts";

const secret = "S3cr3tPassw0rdx9Qq7";
let shop: Shop;

/** Only looking is allowed, and nothing else exists for this agent. */
const onlyReads = `version: 1
rules:
  - id: look
    effect: allow
    match: { effects: [read] }
    reason: Looking is free.
`;

/** The clock, which every call looks at, can be made to break: not yet for the call's own id. */
let breaks = false;
function now(): number {
  const defect = new Error(`a defect with password=${secret}`);
  if (breaks && defect.stack?.includes("newCallId") === false) throw defect;
  return Date.now();
}

beforeAll(async () => {
  shop = await openShop({ outside: { now } });
});
afterAll(async () => {
  await shop?.stop();
});

promise(
  "hostile:secret-in-fault",
  "an admission webhook quotes the environment of the container that it refuses",
  async () => {
    const { world, wire } = shop;
    const words = `env DB_PASSWORD=${secret} is not allowed`;
    wire.rule = striking(
      "dryRun",
      status(403, "Forbidden", `admission webhook "guard.example.com" denied the request: ${words}`),
    );
    const answer = await world.call("workloads_scale", scaling("shop-dev", 5));
    wire.rule = () => ({ kind: "pass" });
    expect(
      told(answer)
        .slice(0, 2)
        .map((line) => line.replace(/:[0-9a-f]{8}\]/, "]")),
    ).toEqual([
      "ERROR admission_denied: The cluster's admission webhook guard.example.com refuses this. Nothing was run.",
      'the cluster says: "env DB_PASSWORD=[MASKED:password] is not allowed"',
    ]);
    expect([JSON.stringify(await world.entries()), world.log()].filter((text) => text.includes(secret))).toEqual([]);
  },
);

promise("hostile:secret-in-fault", "something inside breaks with a password in its message", async () => {
  const { world } = shop;
  breaks = true;
  const answer = await world.call("objects_list", listing).catch((thrown: unknown) => String(thrown));
  breaks = false;
  expect(answer).toContain("internal: call_");
  await expect
    .poll(() => world.log().includes("a defect with password=[MASKED:password"), { timeout: 60_000 })
    .toBe(true);
  expect(world.log().includes(secret)).toBe(false);
});

promise("hostile:odd-arguments", "prototypes, nulls, lists, half a megabyte of text, names or numbers", async () => {
  const { world } = shop;
  const odd: Record<string, unknown> = {
    prototype: JSON.parse('{"__proto__":{"limit":3}}'),
    constructor: { constructor: { name: "x" }, toString: 1, toJSON: 1, hasOwnProperty: 1 },
    text: { search: "password=".concat("a1B2".repeat(120_000)) },
    names: Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`name-${index}`, "x"])),
    numbers: { limit: Array.from({ length: 100_000 }, (_, index) => index) },
    deep: { selector: nested(60) },
    null: null,
    list: [],
    words: "kind: pods",
  };
  for (const [name, arguments_] of Object.entries(odd)) {
    const response = await fetch(world.url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${world.tokens.agent}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "objects_list", arguments: arguments_ },
      }),
    });
    expect([name, response.status, /"text":"ERROR (\w+)/.exec(await response.text())?.[1]]).toEqual([
      name,
      200,
      "invalid_input",
    ]);
  }
  const entries = await world.entries();
  const refused = entries.filter(
    (one) => one["kind"] === "call.settled" && JSON.stringify(one).includes("invalid_input"),
  );
  expect(refused).toHaveLength(Object.keys(odd).length);
  await expectVerifies(world);
});

function nested(depth: number): unknown {
  return depth === 0 ? "x" : { a: nested(depth - 1) };
}

promise(
  "hostile:hidden",
  "access_review is asked about a tool that policy hides and about one that does not exist",
  async () => {
    const hiding = await openShop({ policy: onlyReads });
    try {
      const { world } = hiding;
      const listed = (await world.agent.listTools()).tools.map((one) => one.name);
      expect(listed).not.toContain("workloads_scale");
      const valid = scaling("shop-dev", 2);
      const asked = [
        { tool: "workloads_scale", arguments: {} },
        { tool: "workloads_scale", arguments: valid },
        { tool: "no_such_tool", arguments: valid },
      ];
      const answers = await Promise.all(asked.map(async (one) => told(await world.call("access_review", one))));
      expect(new Set(answers.map((one) => one.join("\n"))).size).toBe(1);
      const called = await Promise.allSettled(
        ["workloads_scale", "no_such_tool"].map((name) => world.agent.callTool({ name, arguments: valid })),
      );
      expect(new Set(called.map((one) => (one.status === "rejected" ? String(one.reason) : "answered"))).size).toBe(1);
      expect((await world.call("objects_list", listing)).isError).toBe(false);
    } finally {
      await hiding.stop();
    }
  },
);

promise("hostile:costly-pattern", "patterns that make every character cost a thousand steps", () => {
  for (const source of ["[\\pL\\pN]{1000}", "(a|b|ab){500}c", "(?:x{0,60}y{0,60}){8}"])
    expect(() => pattern(source, "grep", Date.now)).toThrow(Faulted);
  let now = 0;
  const plain = pattern(`(?i)${"e".repeat(150)}|timeout|\\b5\\d\\d\\b`, "grep", () => (now += 400));
  expect([plain("a TIMEOUT here"), plain("status 503"), plain("fine")]).toEqual([true, true, false]);
  expect(() => plain("and no end")).toThrow(Faulted);
});

const request = {
  id: "call_0190aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa",
  principal: { issuer: "local", subject: "agent", kind: "agent", groups: [], actors: [], client: "", verifier: "test" },
  session: { id: "ses_0190aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa", door: "http" },
  tool: "objects_list",
  arguments: { search: "x" },
  receivedAt: 0,
  signal: new AbortController().signal,
  hold: 0,
  progress: () => undefined,
} as unknown as CallRequest;

function recordOn(written: EntryDraft[], fails: () => boolean, mask = (value: object): object => value) {
  return openCallRecord({
    append: async (drafts) => {
      if (fails()) throw new Faulted(fault("transcript_unavailable"));
      written.push(...drafts);
      return [];
    },
    request,
    again: false,
    mask: mask as Parameters<typeof openCallRecord>[0]["mask"],
    now: () => 0,
    log: () => undefined,
    cluster: () => "practice",
    facts: () => null,
    streamed: () => [],
  });
}

promise("hostile:first-entry", "the disk fails once, and the refusal that follows is written", async () => {
  const written: EntryDraft[] = [];
  let failures = 1;
  const record = recordOn(written, () => failures-- > 0);
  const call = { arguments: {}, digest: "", reason: null, previewOnly: false } as unknown as Parameters<
    typeof record.received
  >[0];
  await expect(record.received(call)).rejects.toThrow(Faulted);
  await record.refused(fault("transcript_unavailable"), null);
  expect(written.map((one) => one.kind)).toEqual(["call.received", "call.decided", "call.settled"]);
});

promise(
  "hostile:odd-arguments",
  "arguments and details that can't be masked are withheld, and the call is on record",
  async () => {
    const written: EntryDraft[] = [];
    const record = recordOn(
      written,
      () => false,
      () => {
        throw new Faulted(fault("output_withheld"));
      },
    );
    const outcome = await record.refused(fault("denied", { tell: "x" }), null);
    expect(outcome).toMatchObject({ kind: "refused", fault: { code: "denied", detail: {} } });
    expect(written[0]?.details).toMatchObject({ arguments: { "sallyport/left_out": "could not be masked" } });
  },
);
