// `sallyport evidence report` over what a real gateway recorded: every claimed query finds its rows, in each format and place.

import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { controlsMapping } from "../../docs/controls-page.ts";
import { at, textAt } from "../../src/domain/json.ts";
import { openShop, scaling, type Shop } from "../faults/shop.ts";
import { promise } from "../support/promise.ts";

const policy = `version: 1
rules:
  - { id: reading, effect: allow, match: { effects: [read] }, reason: Everyone may look. }
  - id: looking
    effect: allow
    match: { effects: [change, destroy], verbs: [get, list, watch] }
    reason: What a change must see.
  - { id: secrets, effect: deny, match: { kinds: [secrets] }, reason: Secrets are closed. }
  - id: dev
    effect: allow
    match: { effects: [change], tools: [workloads_scale], namespaces: [shop-dev] }
    reason: Dev is free.
  - id: prod
    effect: require-approval
    match: { effects: [change], tools: [workloads_scale], namespaces: [shop-prod] }
    approval: { approvers: ["group:approvers"] }
    reason: A person agrees.
  - id: two
    effect: require-approval
    match: { effects: [destroy], tools: [workloads_scale], namespaces: [shop-prod] }
    approval: { approvers: ["group:approvers"], count: 2 }
    reason: Two people agree.
`;
const config = `hold: 0
limits: { inFlight: 1000, callsPerMinute: 12, bytesPerMinute: 1073741824 }
issuers:
  - { kind: oidc, name: corp, issuer: "https://id.example.com", audience: [sallyport] }`;

const period = "2020-01-01/2120-01-01";

let shop: Shop;
let out: string;
let ahead = 0;
let hangup: () => void = () => undefined;

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), "sallyport-report-"));
  const outside = {
    now: () => Date.now() + ahead,
    // Once, while the clock is right: what this day does to it later is no finding of a cluster's.
    get clockTimes() {
      const never = 2_000_000_000;
      return { first: ahead === 0 ? 0 : never, every: never, again: 100 };
    },
    onHangup(run: () => void) {
      hangup = run;
      return () => undefined;
    },
  };
  const vault = JSON.stringify(join(out, "vault.checkpoints"));
  const anchored = `${config}\ntranscript: { anchors: [{ kind: file, name: vault, path: ${vault} }] }`;
  shop = await openShop({ policy, config: anchored, outside });
  await play(shop);
}, 180_000);
afterAll(async () => {
  await shop?.stop();
  await rm(out, { recursive: true, force: true });
});

/** A day at the shop: all that a gateway records without other people's systems. */
async function play({ world }: Shop): Promise<void> {
  const done = async (...words: readonly string[]): Promise<void> => {
    const { code, out: said, err } = await world.sallyport(words);
    expect({ words, code, said: code === 0 ? "" : said + err }).toEqual({ words, code: 0, said: "" });
  };
  const recorded = async (kind: string): Promise<void> => {
    const look = async (): Promise<boolean> => (await world.entries()).some((one) => one["kind"] === kind);
    await vi.waitUntil(look, { timeout: 60_000, interval: 50 });
  };
  await recorded("clock.checked");
  const read = await world.call("objects_get", { kind: "Deployment", namespace: "shop-prod", name: "api" });
  await world.call("objects_get", { kind: "Secret", namespace: "shop-dev", name: "db" });
  await world.call("objects_get", { kind: "ConfigMap", namespace: "shop-dev", name: "sh.helm.release.v1.shop.v1" });
  await world.call("workloads_scale", scaling("shop-dev", 2));
  await world.call("workloads_scale", scaling("shop-prod", 4));
  await world.approve();
  await world.call("workloads_scale", scaling("shop-prod", 4));
  await world.call("workloads_scale", scaling("shop-prod", 0));
  await world.agent.readResource({ uri: `sallyport://calls/${textAt(read.facts, "call")}` });
  await fetch(world.url, { method: "POST", headers: { authorization: "Bearer nobody" }, body: "{}" });
  const about = ["--issuer", "corp", "--subject", "bot", "--owner", "olga@example.com", "--purpose", "Deploys"];
  await done("agents", "register", "ci", ...about);
  await done("agents", "review", "ci", "--note", "still needed");
  await done("agents", "disable", "ci", "--now", "--reason", "token leaked");
  await writeFile(join(world.folder, "policy.yaml"), `${policy}  - nonsense\n`);
  hangup();
  await recorded("alert.raised");
  await writeFile(join(world.folder, "policy.yaml"), policy.replace("Dev is free.", "Dev is free to all."));
  hangup();
  await recorded("policy.changed");
  for (let calls = 0; calls < 16; calls++) await world.call("objects_list", { kind: "pods", namespace: "shop-dev" });
  ahead = 3 * 3_600_000;
  await writeFile(join(out, "audit.log"), `${JSON.stringify(event)}\n`);
  await world.sallyport(["transcript", "reconcile", "--audit-log", join(out, "audit.log")]);
  await done("transcript", "search", "--decision", "deny");
  await done("evidence", "review", "--decision", "deny", "--findings", "none");
  await done("transcript", "anchor");
  await done("transcript", "hold", "place", "case-1", "--everything", "--reason", "audit of October");
  await world.restart(() => done("transcript", "rotate-key"));
  // What ran out of its time while nobody looked is ended when somebody does.
  await world.call("workloads_scale", scaling("shop-prod", 0));
  await recorded("approval.expired");
  await done("evidence", "report", "--period", period);
}

/** One event of a cluster's audit log, of nobody that a record tells of. */
const event = {
  kind: "Event",
  auditID: "1",
  stage: "ResponseComplete",
  requestURI: "/api/v1/namespaces/kube-system/pods",
  verb: "list",
  user: { username: "system:kube-scheduler" },
  objectRef: { resource: "pods", namespace: "kube-system" },
  responseStatus: { code: 200 },
  requestReceivedTimestamp: new Date().toISOString(),
  stageTimestamp: new Date().toISOString(),
};

const report = async (...words: readonly string[]) =>
  await shop.world.sallyport(["evidence", "report", "--period", period, ...words]);
const sha = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What no practice cluster and no two people can play here; the golden day has entries of each. */
const elsewhere = ["answers-withheld", "approvals-escalated", "approvers-linked", "commands-run", "purges", "streams"];

/** The cells of a report by its columns. */
function table(csv: string): readonly { readonly [column: string]: string }[] {
  const [head = [], ...rows] = csv
    .split("\r\n")
    .slice(0, -1)
    .map((line) =>
      [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^,"]*),/g)].map(([, cell = ""]) =>
        cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
      ),
    );
  return rows.map((cells) => Object.fromEntries(head.map((name, index) => [name, cells[index] ?? ""])));
}

promise("evidence:gateway", "all queries that expect rows, some others' systems aside", async () => {
  const { code, out: csv, err } = await report("--format", "csv");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const counts = new Map(table(csv).map(({ name = "", rows = "" }) => [name, Number(rows)]));
  const claimed = Object.entries(controlsMapping().queries).filter(
    ([name, { expect: none, planned }]) => none === undefined && planned === undefined && !elsewhere.includes(name),
  );
  expect(claimed.filter(([name]) => !((counts.get(name) ?? 0) > 0)).map(([name]) => name)).toEqual([]);
  const failed = table(csv).filter(({ reads }) => reads === "explain" || reads === "FAILED");
  expect(failed.map(({ control, name }) => `${String(control)}: ${String(name)}`)).toEqual([]);
});

/** Does the newest head count all entries, and end the log of heads? */
async function isSigned(): Promise<boolean> {
  const folder = join(shop.world.folder, "transcript");
  const names = (await readdir(join(folder, "segments"))).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, "segments", name), "utf8")));
  const [note, log] = await Promise.all(
    ["checkpoint", "checkpoints.log"].map((name) => readFile(join(folder, name), "utf8")),
  );
  const lines = texts.join("").replaceAll("\0", "").split("\n").length - 1;
  return Number(note?.split("\n")[1]) === lines && log?.endsWith(note ?? "-") === true;
}

/** A copy of the transcript as it stands: nothing writes to it. */
async function copied(name: string): Promise<string> {
  const copy = join(out, name);
  // By itself a head is still to be signed over the last entries: then no file changes any more.
  await expect.poll(isSigned, { timeout: 60_000 }).toBe(true);
  // What is being written this moment is about to be renamed.
  await cp(join(shop.world.folder, "transcript"), copy, { recursive: true, filter: (path) => !path.endsWith(".new") });
  return copy;
}

promise(
  "evidence:command",
  "a folder: the report with each query's rows beside it, whose digests are the report's, for their owner alone",
  async () => {
    const copy = await copied("copy");
    const folder = join(out, "october");
    const asked = [copy, "--controls", "ac-2,AU-9(3),SI-15", "--format", "csv"];
    const { code, err } = await report(...asked, "--out", `${folder}/`);
    const csv = await readFile(join(folder, "report.csv"), "utf8");
    expect({ code, err }).toEqual({ code: 0, err: `${join(folder, "report.csv")}, SHA-256 ${sha(csv)}\n` });
    const queries = table(csv).filter(({ evidence }) => evidence === "query");
    const found = await Promise.all(
      queries.map(async ({ name = "", rows_file: file = "", rows = "" }) => {
        const text = await readFile(join(folder, file), "utf8");
        const { mode } = await stat(join(folder, file));
        return [name, file, sha(text), text.split("\n").length - 1 === Number(rows), mode & 0o077];
      }),
    );
    expect(found).toEqual(
      queries.map(({ name, rows_sha256 }) => [name, `rows/${String(name)}.ndjson`, rows_sha256, true, 0]),
    );
    const names = ["accounts-changed", "accounts-reviewed", "answers-masked", "answers-withheld"];
    const files = names.flatMap((name) => [`${name}.csv`, `${name}.ndjson`]);
    expect((await readdir(join(folder, "rows"))).sort()).toEqual(files);
    const masked = await readFile(join(folder, "rows", "answers-masked.csv"), "utf8");
    expect(masked.split("\r\n")[1]).toMatch(/password/);
  },
);

promise(
  "evidence:same-bytes",
  "each format, to a file and to standard output, and the line that gives it again",
  async () => {
    const copy = await copied("again");
    for (const format of ["md", "csv", "oscal"]) {
      const words = [copy, "--format", format, "--seed", "an auditor's own"];
      const [one, other] = [await report(...words), await report(...words, "--out", join(out, `again.${format}`))];
      expect(await readFile(join(out, `again.${format}`), "utf8")).toBe(one.out);
      expect([one.code, other.code, other.out]).toEqual([0, 0, ""]);
    }
    const { out: page } = await report(copy, "--controls", "AC-2", "--seed", "an auditor's own");
    const again = `sallyport evidence report --period ${period} --controls AC-2 --format md --seed 'an auditor'\\''s own'`;
    expect(page).toContain(again);
  },
);

promise(
  "evidence:unverified",
  "exit code 3 and a whole report that begins with why; the same for a checkpoint that it does not reach",
  async () => {
    const copy = await copied("changed");
    const segment = join(copy, "segments", "00000000.ndjson");
    const whole = await readFile(segment, "utf8");
    await writeFile(segment, whole.replace('"decision":"deny"', '"decision":"allow"'));
    const changed = await report(copy);
    const why = expect.stringMatching(/^The transcript does not verify \(.*INTEGRITY/) as string;
    expect([changed.code, changed.err]).toEqual([3, why]);
    expect(changed.out.split("\n")[2]).toBe(`> **${changed.err}**`);
    expect(changed.out).toContain("## What no gateway can evidence");

    const cut = await copied("cut");
    await writeFile(join(cut, "segments", "00000000.ndjson"), whole.split("\n").slice(0, 20).join("\n"));
    const anchor = join(shop.world.folder, "transcript", "checkpoint");
    const short = await report(cut, "--controls", "AU-9(3)", "--format", "oscal", "--anchor", anchor);
    expect([short.code, short.err]).toEqual([3, expect.stringMatching(/EXTENT/)]);
    expect(short.out).toContain('"target-id": "au-9.3_obj"');
  },
);

promise(
  "evidence:command",
  "a report on the gateway's own record leaves an entry, one on a copy does not",
  async () => {
    const told = async () => {
      const found = (await shop.world.entries()).filter((entry) => entry["kind"] === "evidence.exported");
      return found.map((entry) => at(entry, "details"));
    };
    const before = await told();
    await report("--controls", "AC-2", "--format", "csv");
    const after = await told();
    await report(await copied("unrecorded"));
    expect(await told()).toEqual(after);
    const query = `sallyport evidence report --period ${period} --controls AC-2 --format csv`;
    const entry = {
      what: "evidence report",
      to: "standard output",
      query,
      count: 4,
      why: "",
      size: expect.any(Number) as number,
    };
    expect(after).toEqual([...before, entry]);
  },
);

promise("evidence:command", "what it does not take, each with its sentence and exit code", async () => {
  const copy = await copied("asked");
  const mapping = join(out, "mapping.yaml");
  await writeFile(mapping, "version: 1\nqueries: {}\n");
  const ran = async (...words: readonly string[]): Promise<readonly [number, string]> => {
    const { code, err } = await shop.world.sallyport(["evidence", "report", ...words]);
    return [code, err.split("\n").at(-1) ?? ""];
  };
  const asked = [copy, "--period", period];
  const nowhere = join(out, "nowhere");
  expect({
    backwards: (await ran("--period", "2026-11-01/2026-10-01"))[1],
    noPeriod: (await ran("--period", "October"))[1],
    unknown: (await ran(...asked, "--controls", "AC-2,XX-1"))[1].slice(0, 42),
    planned: await ran(...asked, "--controls", "AC-2(12)", "--format", "oscal"),
    mapping: await ran(...asked, "--mapping", mapping),
    nothing: await ran(nowhere, "--period", period),
    key: await ran(...asked, "--key", nowhere),
  }).toEqual({
    backwards: expect.stringContaining("Give two dates or UTC times in their order, such as 2026-10-01/2026-11-01."),
    noPeriod: expect.stringContaining("Give two dates or UTC times in their order"),
    unknown: "The mapping has no control XX-1. It has AC",
    planned: [2, "None of these controls is shown by entries yet: OSCAL has nothing to say of them."],
    mapping: [3, expect.stringContaining("mapping.yaml: beyond:")],
    nothing: [
      1,
      `There is no transcript in ${nowhere}: SALLYPORT_HOME or the command line names the folder, and a gateway makes its record at its first start.`,
    ],
    key: [2, `${nowhere} can't be read (ENOENT).`],
  });
});
