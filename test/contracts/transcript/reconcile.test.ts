// What reconciling says of each identity and each way to read a log; the real API server's own log is in test/cluster/reconcile.test.ts.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import type { OwnIdentities } from "../../../src/transcript/reconcile/judge.ts";
import { reconcile, type Reconciled } from "../../../src/transcript/reconcile/reconcile.ts";
import { verifyTranscript } from "../../../src/transcript/verify.ts";
import { promise } from "../../support/promise.ts";
import {
  callId,
  decided,
  granted,
  openIn,
  received,
  revoked,
  settled,
  start,
  temporaryFolder,
  digest,
  draft,
} from "./support.ts";

const account = (name: string): string => `system:serviceaccount:sallyport-system:${name}`;
const own: OwnIdentities = {
  gateway: account("gateway"),
  reader: account("reader"),
  preview: account("preview"),
  run: "system:serviceaccount:sallyport-sessions:run-",
  systemNamespace: "sallyport-system",
  sessionsNamespace: "sallyport-sessions",
  probe: "preview-probe",
  objects: ["run-", "anchor-"],
};
const run = `${own.run}g1`;
const call = callId(1);

interface Event {
  readonly user?: string;
  readonly as?: string;
  readonly id?: string;
  readonly verb?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly group?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly jti?: string;
  readonly code?: number;
  readonly after?: number;
  readonly stage?: string;
}

/** One event; the call's own write unless said. */
function event(over: Event = {}): string {
  const { user = run, as = "", id = `${call}.3`, verb = "patch", group = "apps", resource = "deployments" } = over;
  const { subresource = "scale", namespace = "prod", name = "api", jti = "jti", code = 200, after = 100 } = over;
  const time = new Date(start + after).toISOString();
  return JSON.stringify({
    kind: "Event",
    auditID: id,
    stage: over.stage ?? "ResponseComplete",
    requestURI: `/apis/${group}/v1/namespaces/${namespace}/${resource}/${name}/${subresource}`,
    verb,
    user: { username: user, extra: { "authentication.kubernetes.io/credential-id": [`JTI=${jti}`] } },
    ...(as === "" ? {} : { impersonatedUser: { username: as } }),
    sourceIPs: ["10.0.0.1"],
    userAgent: "sallyport/1.2.3",
    objectRef: { resource, subresource, namespace, name, apiGroup: group },
    responseStatus: { code },
    requestReceivedTimestamp: time,
    stageTimestamp: time,
  });
}
const first = event({ user: "nobody", namespace: "elsewhere", after: -1000 });
const last = event({ user: "nobody", namespace: "elsewhere", after: 60_000 });

/** The record of one change, of one read, and of one whose end is not known. */
async function recorded(): Promise<string> {
  const folder = await temporaryFolder();
  const transcript = await openIn(folder);
  const begun = { version: "1.2.3", config: digest("c"), policy: digest("b"), repaired: 0, work: ["call_own"] };
  await transcript.append([draft("gateway.started", null, begun)]);
  await transcript.append([
    received(call, { cluster: "shop" }),
    decided(call),
    granted(call, "g1", { cluster: "shop" }),
  ]);
  await transcript.append([settled(call, { effect: "applied", grant: "g1", cluster: "shop" }), revoked(call, "g1")]);
  const read = callId(2);
  await transcript.append([
    received(read, { tool: "objects_get" }),
    decided(read, { effect: "read", accesses: ["get pods prod/*"] }),
    granted(read, "r1", { issuer: "reader", account: own.reader, jti: "reading" }),
    settled(read, { grant: "r1" }),
  ]);
  await transcript.close();
  return folder;
}

async function compared(
  lines: readonly string[],
  over: { namespaces?: string[]; system?: string[] } = {},
): Promise<Reconciled> {
  const log = join(await temporaryFolder(), "audit.log");
  await writeFile(log, [first, ...lines, last, ""].join("\n"));
  const options = { namespaces: ["prod"], system: ["system:serviceaccount:kube-system:*"], cluster: "", ...over };
  return await reconcile({ log, folders: [await recorded()], own, ...options });
}

const says = (found: Reconciled): readonly string[] => [
  ...found.theft.map((one) => `theft ${one.says}`),
  ...found.differ.map((one) => `differ ${one.says}`),
  ...found.bypass.map((one) => `bypass ${one.identity} ${one.count}`),
  ...found.missing.map((one) => `missing ${one.says}`),
];

promise("transcript:reconcile", "each identity of ours may do what its entry says, and nothing else", async () => {
  const write = event();
  const pods = { group: "", resource: "pods", subresource: "", verb: "get", name: "api-1" };
  const read = { ...pods, user: own.reader, id: `${callId(2)}.1`, jti: "reading" };
  const made = { user: own.gateway, verb: "create", group: "", resource: "serviceaccounts", subresource: "" };
  const cases: readonly (readonly [what: string, line: string, found: readonly string[]])[] = [
    ["its own read", event(read), []],
    [
      "a read of another kind",
      event({ ...read, resource: "secrets" }),
      [`differ get secrets prod/api-1: is not among what ${callId(2)} was granted`],
    ],
    ["a read of no call", event({ ...read, id: "x" }), ["theft get pods prod/api-1: no entry explains this read"]],
    [
      "a read with a token of nobody",
      event({ ...read, jti: "other" }),
      ["theft get pods prod/api-1: with a token of the reader's that no entry knows"],
    ],
    [
      "a write by the reader",
      event({ ...read, verb: "delete" }),
      ["theft delete pods prod/api-1: the reader's account only reads"],
    ],
    ["a refused one", event({ ...read, verb: "delete", code: 403 }), []],
    [
      "a write by the preview account",
      event({ user: own.preview }),
      ["theft patch apps/deployments/scale prod/api: the preview account only rehearses"],
    ],
    [
      "its probe",
      event({
        user: own.preview,
        group: "",
        resource: "configmaps",
        subresource: "",
        namespace: "sallyport-system",
        name: "preview-probe",
      }),
      [],
    ],
    ["a grant of ours", event({ ...made, name: "run-g1", namespace: "sallyport-sessions", id: "x" }), []],
    [
      "a grant of nobody",
      event({ ...made, name: "run-g2", namespace: "sallyport-sessions", id: "x" }),
      ["theft create serviceaccounts sallyport-sessions/run-g2: for a grant that no entry knows"],
    ],
    [
      "something else by the gateway's account",
      event({ ...made, name: "web" }),
      ["theft create serviceaccounts prod/web: the gateway's account makes grants and nothing else"],
    ],
    [
      "another grant's account",
      event({ user: `${own.run}g9` }),
      ["theft patch apps/deployments/scale prod/api: with a grant that no entry knows"],
    ],
    [
      "another token of its account",
      event({ jti: "other", id: `${call}.8` }),
      ["theft patch apps/deployments/scale prod/api: with a token of g1 that no entry knows"],
    ],
    [
      "an audit id twice",
      event({ after: 200 }),
      ["differ patch apps/deployments/scale prod/api: its audit id was used before: each request of ours has its own"],
    ],
    ["a copy of the event", write, []],
    [
      "acting as the gateway",
      event({ user: "eve", as: own.gateway, namespace: "elsewhere" }),
      ["theft patch apps/deployments/scale elsewhere/api: somebody else acted as an account of ours"],
    ],
    ["another person", event({ user: "eve", id: "x" }), ["bypass eve 1"]],
    ["another person under a call's audit id", event({ user: "eve", id: `${call}.9` }), ["bypass eve 1"]],
    ["another person as a third", event({ user: "eve", as: "adam", id: "x" }), ["bypass eve as adam 1"]],
    ["another person in our own namespace", event({ user: "eve", namespace: "sallyport-sessions" }), ["bypass eve 1"]],
    [
      "another person's command",
      event({ user: "eve", verb: "get", group: "", resource: "pods", subresource: "exec", code: 101, id: "x" }),
      ["bypass eve 1"],
    ],
    ["another person elsewhere", event({ user: "eve", namespace: "elsewhere" }), []],
    [
      "another person's question",
      event({
        user: "eve",
        verb: "create",
        group: "authorization.k8s.io",
        resource: "selfsubjectaccessreviews",
        subresource: "",
      }),
      [],
    ],
    ["what the control plane does", event({ user: "system:serviceaccount:kube-system:replicaset-controller" }), []],
  ];
  for (const [what, line, expected] of cases)
    expect([what, says(await compared([write, line]))]).toEqual([what, expected]);
  expect(says(await compared([]))).toEqual(["missing workloads_scale was applied, and the log shows no write of it"]);
  // A gateway that was killed between making a grant and saying so leaves it to the next one to sweep.
  const left = { ...made, name: "run-g5", namespace: "sallyport-sessions" };
  const [begun, swept] = [event({ ...left, id: `${call}.7` }), event({ ...left, verb: "delete", id: "x", after: 300 })];
  expect(says(await compared([write, swept, begun]))).toEqual([]);
  expect(says(await compared([write, swept]))).toEqual([
    "theft delete serviceaccounts sallyport-sessions/run-g5: for a grant that no entry knows",
  ]);
  const anchor = event({
    ...made,
    resource: "secrets",
    name: "anchor-g7",
    namespace: "sallyport-system",
    id: "call_own.3",
  });
  const forged = event({ ...left, name: "run-g8", id: "call_own.4" });
  expect(says(await compared([write, anchor, forged]))).toEqual([
    "theft create serviceaccounts sallyport-sessions/run-g8: for a grant that no entry knows",
  ]);
  const quiet = await compared([write, event({ user: "eve", id: "x" })], { system: ["eve"] });
  expect([says(quiet), quiet.system.map(({ identity, count }) => `${identity} ${count}`)]).toEqual([[], ["eve 1"]]);
});

promise("transcript:reconcile", "rotated and compressed files are one log, and what is no event is told", async () => {
  const folder = join(await temporaryFolder(), "logs");
  await mkdir(folder);
  await writeFile(join(folder, "audit-2026-03-01.log.gz"), gzipSync(`${first}\n${event({ user: "eve", id: "x" })}\n`));
  await writeFile(join(folder, "audit.log"), `${event()}\n${last}\n{"kind":"Ev`);
  await writeFile(join(folder, "notes.txt"), "not a log");
  const options = { folders: [await recorded()], own, system: [], cluster: "", namespaces: [] };
  const found = await reconcile({ log: folder, ...options });
  expect([found.log.files, found.log.events, found.log.unreadable, found.calls, found.namespaces, says(found)]).toEqual(
    [2, 4, 0, 2, ["prod"], ["bypass eve 1"]],
  );
  await writeFile(join(folder, "audit.log"), `${event()}\nnoise\n${last}\n`);
  const noisy = await reconcile({ log: folder, ...options });
  expect([noisy.ok, noisy.log.unreadable]).toEqual([false, 1]);
  await expect(reconcile({ log: join(folder, "none"), ...options })).rejects.toMatchObject({ code: "ENOENT" });
});

promise("transcript:reconcile", "one cluster's log is held against that cluster's calls alone", async () => {
  const folder = await recorded();
  const transcript = await openIn(folder);
  const other = callId(3);
  await transcript.append([
    received(other, { cluster: "field" }),
    decided(other, { cluster: "field" }),
    granted(other, "g3", { cluster: "field", jti: "third" }),
    settled(other, { effect: "applied", grant: "g3", cluster: "field" }),
    revoked(other, "g3"),
  ]);
  await transcript.close();
  const log = join(await temporaryFolder(), "audit.log");
  await writeFile(log, [first, event(), last, ""].join("\n"));
  const common = { log, folders: [folder], own, namespaces: ["prod"], system: [] };
  await expect(reconcile({ ...common, cluster: "" })).rejects.toThrow("several clusters (field, shop)");
  expect(says(await reconcile({ ...common, cluster: "shop" }))).toEqual([]);
  expect(says(await reconcile({ ...common, cluster: "field" }))).toEqual([
    "theft patch apps/deployments/scale prod/api: with a grant that no entry knows",
    "missing workloads_scale was applied, and the log shows no write of it",
  ]);
});

promise("transcript:compared-with-nothing", "an empty file, an empty folder and a file of another kind", async () => {
  const folder = await temporaryFolder();
  const options = { folders: [await recorded()], own, system: [], cluster: "", namespaces: [] };
  await mkdir(join(folder, "logs"));
  await writeFile(join(folder, "empty.log"), "");
  await writeFile(join(folder, "table.csv"), "index,time\n0,now\n1,then\n");
  const told = async (name: string): Promise<unknown> =>
    await reconcile({ ...options, log: join(folder, name) }).catch((thrown: unknown) => thrown);
  for (const [name, found] of [
    ["logs", "0 lines in 0 files are none"],
    ["empty.log", "0 lines in 1 files are none"],
    ["table.csv", "2 lines in 1 files are none"],
  ] as const) {
    const why = await told(name);
    expect(why).toBeInstanceOf(RangeError);
    expect(String(why)).toContain(`${join(folder, name)} holds no audit event (${found})`);
  }
  await writeFile(join(folder, "audit.log"), [first, event(), last, ""].join("\n"));
  await expect(reconcile({ ...options, log: join(folder, "audit.log"), cluster: "shpo" })).rejects.toThrow(
    "the entries name no cluster shpo, but shop: say whose log it is (--cluster)",
  );
});

promise("transcript:compared-with-nothing", "an entry of such a comparison is none for verification", async () => {
  const folder = await recorded();
  const transcript = await openIn(folder);
  const nothing = { events: 0, calls: 0, theft: 0, bypass: 0, missing: 0, differ: 0, namespaces: [] };
  await transcript.append([
    draft("reconcile.ran", null, { cluster: "nope", from: "", to: "", log: digest("e"), ...nothing }),
  ]);
  await transcript.close();
  const { verdicts } = await verifyTranscript(folder, { now: start + 86_400_000 });
  expect(verdicts.find(({ question }) => question === "COMPLETENESS")?.verdict).toBe("not-checked");
});
