// Exports: what each format makes of every kind of entry, and of entries that were written to break it.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect } from "vitest";
import { transcriptCommand } from "../../../src/commands/transcript.ts";
import type { EntryDetails, EntryDraft, EntryKind } from "../../../src/domain/entry.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import { cefLine } from "../../../src/transcript/exporters/cef.ts";
import type { Exported } from "../../../src/transcript/exporters/contract.ts";
import { exporters } from "../../../src/transcript/exporters/index.ts";
import { ocsfEvent } from "../../../src/transcript/exporters/ocsf.ts";
import { beginning, feed } from "../../../src/transcript/feed.ts";
import { kindsOfEntries } from "../../../src/transcript/schemas.ts";
import { counted, syslogMessage } from "../../../src/transcript/syslog.ts";
import { promise } from "../../support/promise.ts";
import { problemsWith } from "./ocsf-rules.ts";
import {
  agent,
  approvedChange,
  callId,
  decided,
  digest,
  draft,
  openIn,
  plainRead,
  quickDisk,
  received,
  session,
  settled,
  start,
  temporaryFolder,
} from "./support.ts";

const account = { agent: "bot", issuer: "https://id.example", subject: "bot" };
const terms = { expires: "2026-06-01T00:00:00.000Z", reviewBy: "2026-05-01T00:00:00.000Z" };

/** A day with most kinds of entries, and every decision, outcome and effect. */
function day(): readonly EntryDraft[] {
  const own = <K extends EntryKind>(kind: K, details: EntryDetails[K]): EntryDraft => draft(kind, null, details);
  const called = <K extends EntryKind>(kind: K, details: EntryDetails[K]): EntryDraft =>
    draft(kind, callId(7), details);
  const by = <K extends EntryKind>(kind: K, details: EntryDetails[K]): EntryDraft => ({
    ...draft(kind, callId(7), details),
    call: null,
  });
  const object = {
    cluster: "c",
    kind: "Deployment",
    namespace: "prod",
    name: "api",
    uid: "u",
    before: "7",
    after: "8",
  };
  return [
    own("gateway.started", { version: "1.2.3", config: digest("c"), policy: digest("b"), repaired: 0 }),
    own("identity.refused", { count: 3, since: "2026-03-01T09:59:00.000Z" }),
    by("session.opened", { door: "http", client: "editor" }),
    ...plainRead(callId(1)),
    ...approvedChange(callId(2), "apr_2", "g2"),
    decided(callId(3), { decision: "deny", forbid: "no-system", rules: [], code: "denied" }),
    settled(callId(3), { outcome: "refused", code: "denied" }),
    ...(["create", "destroy", "execute"] as const).map((effect) =>
      decided(callId(4), { effect: effect === "create" ? "change" : effect, accesses: [`${effect} pods prod/x`] }),
    ),
    settled(callId(4), { effect: "applied", objects: [object], masked: [{ type: "password", count: 2 }] }),
    settled(callId(4), { effect: "applied", objects: [{ ...object, before: "" }] }),
    settled(callId(4), { effect: "applied", objects: [{ ...object, after: "" }] }),
    settled(callId(4), { effect: "applied", objects: [object, object] }),
    settled(callId(4), { outcome: "failed", code: "deadline_exceeded", effect: "unknown" }),
    called("call.unknown", { reason: "the gateway stopped", grant: "" }),
    called("approval.notified", { approval: "apr_3", after: 60, to: ["group:lead"] }),
    called("approval.expired", { approval: "apr_3" }),
    called("approval.withdrawn", { approval: "apr_3" }),
    called("approval.stale", { approval: "apr_3", changed: "the replicas" }),
    called("approval.decided", {
      approval: "apr_4",
      state: "rejected",
      approvalDigest: digest("a"),
      cardDigest: digest("e"),
      approver: { issuer: "local", subject: "root", channel: "terminal", assurance: "same-device" },
      answer: "reject",
      reason: "no",
    }),
    called("grant.revoked", { grant: "g3", complete: false }),
    own("grant.swept", { grant: "g3", cluster: "c", objects: ["Role prod/run-g3"], why: "left over" }),
    own("policy.changed", { from: digest("a"), to: digest("b"), diff: "+ rule" }),
    own("alert.raised", { alert: "unknown grant object", about: { grant: "g9" } }),
    by("evidence.viewed", { call: callId(1), found: true }),
    own("agent.registered", { ...account, owner: "ada", purpose: "nightly reports", ...terms }),
    own("agent.disabled", { ...account, reason: "gone", now: true }),
    own("agent.enabled", { ...account, ...terms }),
    own("agent.reviewed", { ...account, note: "", ...terms }),
    by("limit.exceeded", { limit: "callsPerMinute", count: 12, since: "2026-03-01T09:59:00.000Z" }),
    own("audit.degraded", { reason: "the disk is full" }),
    own("audit.recovered", { repaired: 0 }),
    own("key.rotated", { from: "a+1", to: "a+2" }),
    own("gateway.stopped", { reason: "restart" }),
  ];
}

async function exported(drafts: readonly EntryDraft[]): Promise<readonly Exported[]> {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { disk: quickDisk });
  await transcript.append(drafts);
  await transcript.close();
  return (await feed(folder, beginning, 1 << 20)).entries;
}

promise("export:ocsf", "each entry of a day with every decision, outcome and end", async () => {
  const entries = await exported(day());
  const types: string[] = [];
  for (const one of entries) {
    const event = ocsfEvent(one);
    expect([one.entry.kind, problemsWith(event)]).toEqual([one.entry.kind, []]);
    expect(event).toMatchObject({
      time: start,
      metadata: { uid: `${one.entry.gateway.id}:${one.index}`, event_code: one.entry.kind, sequence: one.index },
      unmapped: { index: one.index, leaf: one.leaf, details: one.entry.details },
    });
    types.push(`${one.entry.kind} ${Number(event["type_uid"])}`);
  }
  expect(types).toEqual([
    "gateway.started 600203",
    "identity.refused 300201",
    "session.opened 300201",
    "call.received 600300",
    "call.decided 600302",
    "call.settled 600302",
    "call.received 600300",
    "call.previewed 600302",
    "call.decided 600303",
    "approval.requested 300401",
    "approval.decided 300403",
    "approval.spent 300403",
    "call.decided 600303",
    "grant.issued 300301",
    "call.settled 600303",
    "grant.revoked 300502",
    "call.decided 600303",
    "call.settled 600300",
    "call.decided 600301",
    "call.decided 600304",
    "call.decided 600399",
    "call.settled 600303",
    "call.settled 600301",
    "call.settled 600304",
    "call.settled 600303",
    "call.settled 600303",
    "call.unknown 600300",
    "approval.notified 300403",
    "approval.expired 300403",
    "approval.withdrawn 300403",
    "approval.stale 300403",
    "approval.decided 300403",
    "grant.revoked 300502",
    "grant.swept 300502",
    "policy.changed 300403",
    "alert.raised 200401",
    "evidence.viewed 300402",
    "agent.registered 300401",
    "agent.disabled 300409",
    "agent.enabled 300408",
    "agent.reviewed 300403",
    "limit.exceeded 600300",
    "audit.degraded 200401",
    "audit.recovered 200403",
    "key.rotated 300403",
    "gateway.stopped 600204",
  ]);
});

promise("export:ocsf", "every published kind has its class, whatever its details hold", async () => {
  const [model] = await exported([draft("gateway.stopped", null, { reason: "x" })]);
  if (model === undefined) throw new Error("nothing was exported");
  const json = fc.dictionary(
    fc.constantFrom(
      "tool",
      "decision",
      "outcome",
      "effect",
      "objects",
      "accesses",
      "rules",
      "approver",
      "count",
      "since",
      "grant",
      "expires",
      "reason",
      "state",
      "masked",
      "policy",
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...(Object.keys(kindsOfEntries) as EntryKind[])), json, (kind, details) => {
      const event = ocsfEvent({ ...model, entry: { ...model.entry, kind, details: details as JsonObject } });
      expect([kind, problemsWith(JSON.parse(JSON.stringify(event)))]).toEqual([kind, []]);
    }),
    { numRuns: 400 },
  );
});

promise("export:ocsf", "the rules themselves tell a broken event", async () => {
  const [one] = await exported(plainRead(callId(1)));
  if (one === undefined) throw new Error("nothing was exported");
  const event = ocsfEvent(one);
  const breaks: readonly (readonly [JsonObject, string])[] = [
    [{ type_uid: 600399 }, "type_uid is not class_uid * 100 + activity_id"],
    [{ category_uid: 3 }, "category_uid is not its class's"],
    [{ time: start / 1000 }, `time is not a timestamp: ${start / 1000}`],
    [{ severity_id: 7 }, "severity_id is not a integer: 7"],
    [
      { src_endpoint: {} },
      "src_endpoint.: none of ip, uid, name, hostname, svc_name, instance_uid, interface_uid, interface_name, domain",
    ],
    [{ colour: "red" }, "colour is not an attribute there"],
    [{ api: {} }, "api.operation is missing"],
  ];
  for (const [change, problem] of breaks) expect(problemsWith({ ...event, ...change })).toEqual([problem]);
});

/** RFC 4180 read back: rows of cells. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let found = cell.exec(text); found !== null; found = cell.exec(text)) {
    row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? "");
    if (found[3] === "\r\n") {
      rows.push(row);
      row = [];
    }
    if (cell.lastIndex === text.length) return rows;
  }
  throw new Error(`not RFC 4180 at ${cell.lastIndex}`);
}

const about = { version: "1.2.3", at: "2026-03-01T10:00:00.000Z", query: "", size: 0, root: "" };

promise("export:csv", "every entry is one row of the same columns", async () => {
  const entries = await exported(day());
  const [header, ...rows] = parseCsv(
    exporters.csv.head(about) + entries.map((one) => exporters.csv.record(one)).join(""),
  );
  expect(header).toEqual(
    "index,time,kind,session,session_number,call,principal_issuer,principal,actors,client,cluster,tool,decision,rules,forbid,outcome,code,effect,accesses,objects,approval,answer,approver,reason,grant,account,masked,policy,config,gateway,version,leaf,details".split(
      ",",
    ),
  );
  expect(rows.map((row) => [row.length, row[0], row[2], JSON.parse(row.at(-1) ?? "")])).toEqual(
    entries.map(({ index, entry }) => [header?.length, String(index), entry.kind, entry.details]),
  );
  const decision = rows.find((row) => row[2] === "approval.decided");
  expect(decision?.slice(5, 10)).toEqual([callId(2), "https://id.example", "ada", "coding-agent", "editor"]);
  expect([decision?.[20], decision?.[21], decision?.[22], decision?.[23]]).toEqual([
    "apr_2",
    "approve",
    "grace",
    "fine",
  ]);
});

promise("export:csv", "whatever an agent writes stays in its cell, and is no formula there", async () => {
  const [model] = await exported([received(callId(1))]);
  if (model === undefined) throw new Error("nothing was exported");
  const nasty = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string(),
    fc.constantFrom(
      "=1+1",
      "+1",
      "-1",
      "@SUM(A1)",
      "\t=1",
      "\r=1",
      "\n=1",
      '","=1',
      "=HYPERLINK(1)",
      '"\r\n=1',
      " =1",
      "＝1",
    ),
  );
  fc.assert(
    fc.property(nasty, nasty, (tool, sub) => {
      const principal = { iss: "i", sub, act: [{ iss: "i", sub: tool }] };
      const one: Exported = {
        ...model,
        entry: { ...model.entry, principal, details: { tool, reason: sub, rules: [tool, sub] } },
      };
      const [row = [], ...more] = parseCsv(exporters.csv.record(one));
      expect([row.length, more]).toEqual([33, []]);
      for (const cell of row) expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
      expect([row[7], row[11]].map((cell) => cell?.replace(/^'/, ""))).toEqual(
        [sub, tool].map((text) => text.replace(/^'/, "")),
      );
    }),
  );
});

promise("export:cef", "header and extension read back, and hold what was written", async () => {
  const [model] = await exported([received(callId(1))]);
  if (model === undefined) throw new Error("nothing was exported");
  const nasty = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom("a|b", "a=b act=allow", "\\", "\\|", "x\nact=allow", "\r\nCEF:0|", "\u2028", "\u0000"),
  );
  fc.assert(
    fc.property(nasty, nasty, (tool, sub) => {
      const one: Exported = {
        ...model,
        entry: { ...model.entry, principal: { iss: "i", sub, act: [] }, details: { tool, reason: sub } },
      };
      const line = cefLine(one);
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      const [, header = "", extension = ""] =
        /^CEF:0\|((?:[^|\\]|\\.)*(?:\|(?:[^|\\]|\\.)*){5})\|(.*)$/su.exec(line) ?? [];
      expect(header.split(/(?<!\\)(?:\\\\)*\|/).length).toBe(6);
      const keys = [...extension.matchAll(/(?:^| )([A-Za-z0-9]+)=(?:[^\\=]|\\.)*?(?=$| [A-Za-z0-9]+=)/gsu)].map(
        (found) => found[1],
      );
      expect(keys.filter((key) => key === "act")).toEqual([]);
      expect(keys[0]).toBe("rt");
    }),
  );
  const [plain] = await exported([decided(callId(1), { decision: "deny", rules: ["a", "b"] })]);
  expect(
    plain === undefined
      ? ""
      : cefLine(plain)
          .replace(/deviceExternalId=\S+/, "")
          .replace(/cs6=\S+/, ""),
  ).toBe(
    "CEF:0|Sallyport|Sallyport|1.2.3|call.decided|call decided workloads_scale|4|rt=1772359200000 externalId=0 cat=call act=deny suser=ada suid=https://id.example sproc=coding-agent requestMethod=workloads_scale  cs1Label=rules cs1=a, b cs2Label=objects cs2=patch apps/deployments/scale prod/api " +
      `cs3Label=session cs3=${session} cs4Label=call cs4=${callId(1)} cs5Label=effect cs5=change cs6Label=leaf `,
  );
});

promise("export:html", "no tag, script or reference comes from an entry", async () => {
  const hostile = `</td><script>alert(1)</script><img src=x onerror="a()">'&`;
  const entries = await exported([
    received(callId(1), { tool: hostile, reason: hostile, arguments: { [hostile]: hostile } }),
    { ...received(callId(2)), principal: { ...agent, subject: hostile, client: hostile } },
  ]);
  const page =
    exporters.html.head({ ...about, query: hostile }) +
    entries.map((one) => exporters.html.record(one)).join("") +
    exporters.html.tail(about, 2);
  const tags = new Set([...page.matchAll(/<\/?([a-z!0-9]+)/gi)].map((found) => found[1]?.toLowerCase()));
  expect([...tags].sort()).toEqual([
    "!doctype",
    "body",
    "dd",
    "dl",
    "dt",
    "h1",
    "head",
    "html",
    "meta",
    "p",
    "style",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "title",
    "tr",
  ]);
  expect(page).not.toMatch(/\b(src|href|onerror)="/);
  expect(page).toContain("default-src 'none'");
  expect(page.match(/<tr>/g)).toHaveLength(3);
});

promise("export:syslog", "a message says its priority, time, host and kind, and its length in octets", () => {
  const message = syslogMessage({
    severity: 4,
    at: "2026-03-01T10:00:00.000Z",
    host: "gäte way",
    version: '1"]\\',
    id: "alert.raised",
    text: "CEF:0|é",
  });
  expect(message).toBe(
    String.raw`<107>1 2026-03-01T10:00:00.000Z g_te_way sallyport - alert.raised [origin software="Sallyport" swVersion="1\"\]\\"] CEF:0|é`,
  );
  expect(counted(message)).toBe(`${message.length + 1} ${message}`);
  expect(syslogMessage({ severity: 1, at: "-", host: "", version: "", id: "", text: "" })).toContain(
    "<110>1 - - sallyport - - [",
  );
});

async function run(folder: string, words: readonly string[]): Promise<{ out: string; err: string }> {
  let [out, err] = ["", ""];
  const command = transcriptCommand(
    {
      env: { SALLYPORT_HOME: folder },
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      colour: false,
      now: () => start + 60_000,
      cores: 2,
      shipped: "policies",
      version: "1.2.3",
    },
    () => Promise.resolve(""),
  ).exitOverride();
  await command.parseAsync(["export", ...words], { from: "user" });
  return { out, err };
}

promise("export:command", "the same twice, whole or a part, over several segments", async () => {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder, { disk: quickDisk, segmentSize: 3000 });
  for (const one of day()) await transcript.append([one]);
  await transcript.close();
  for (const format of ["ocsf", "csv", "cef", "html"]) {
    const first = await run(folder, ["--format", format]);
    expect([format, await run(folder, ["--format", format])]).toEqual([format, first]);
  }
  const lines = (await run(folder, ["--format", "ocsf"])).out.trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { metadata: { sequence: number } }).metadata.sequence)).toEqual([
    ...lines.keys(),
  ]);
  const denied = await run(folder, ["--format", "csv", "--decision", "deny"]);
  expect(denied.out.split("\r\n")).toHaveLength(3);
  const path = join(folder, "denied.csv");
  await writeFile(path, "before");
  const written = await run(folder, ["--format", "csv", "--decision", "deny", "--out", path]);
  expect([await readFile(path, "utf8"), written.out, written.err]).toEqual([
    denied.out,
    "",
    expect.stringMatching(/^1 entries to .*denied\.csv, SHA-256 [0-9a-f]{64}\n$/),
  ]);
  await expect(run(folder, ["--format", "csv", "--out", join(folder, "none", "x")])).rejects.toThrow(
    "can't be written (ENOENT)",
  );
  await expect(run(folder, ["--format", "xml"])).rejects.toThrow("Allowed choices are ocsf, csv, cef, html");
  expect((await readdir(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
  const report = await run(folder, ["--format", "html", "--name", "a b'c", "--since", "2026-01-01"]);
  expect(report.out).toContain("--name &#39;a b&#39;\\&#39;&#39;c&#39; --since 2026-01-01T00:00:00.000Z");
});
