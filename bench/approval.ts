// `npm run bench:approval`: from a person's yes to the running call, a thousand requests listed, and a burst of two hundred with Slack.

import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "@modelcontextprotocol/client";
import { openPractice, openReal, type Place } from "../practice/places.ts";
import { at, isJsonObject, textAt, type JsonObject } from "../src/domain/json.ts";
import { writeTokenFile } from "../src/identity/verifiers/index.ts";
import { connectOwner, type OwnerClient } from "../src/owner/client.ts";
import { consoleClient, openFront, visit, type Front } from "../test/console/visitor.ts";
import { openIssuer, type Issuer } from "../test/support/issuer.ts";
import { openWorkspace, tokens as slackTokens } from "../test/support/slack/workspace.ts";
import { clientTransport, openWorld, type World } from "../test/support/world.ts";
import { byTurns, median, percentile, round } from "./clock.ts";
import { ratioOf, tableOf, type Figure } from "./figures.ts";

const clicks = 20;
const pendingAtOnce = 1_000;
const [agents, each] = [4, 50];

/** One person of `approvers` agrees to any change. */
const policy = `version: 1
rules:
  - id: look
    effect: allow
    match: { effects: [read, change], verbs: [get, list] }
    reason: Looking is free.
  - id: scale
    effect: require-approval
    match: { effects: [change], verbs: [patch], kinds: [apps/deployments/scale] }
    approval: { approvers: ["group:approvers"] }
    reason: A person agrees.
`;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const { version } = JSON.parse(await readFile(join(import.meta.dirname, "..", "package.json"), "utf8")) as {
  readonly version: string;
};
const state = join(import.meta.dirname, "..", ".sallyport");
await mkdir(state, { recursive: true, mode: 0o700 });
const folder = await mkdtemp(join(state, "bench-approval-"));
const before = loadavg();
try {
  const place = await openPlace();
  try {
    const figures = [...(await fromTheClick(place)), ...(await inABurst(place))];
    report(place, figures);
  } finally {
    await place.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function openPlace(): Promise<Place> {
  if (process.argv.includes("--practice")) return await openPractice(folder);
  const opened = await openReal(folder, say);
  return opened.kind === "opened" ? opened.place : await openPractice(folder);
}

function scaling(replicas: number): JsonObject {
  return { kind: "Deployment", namespace: "shop-prod", name: "api", replicas, reason: "measuring an approval" };
}

/** The yes in the terminal and in the console by turns, then the thousand. */
async function fromTheClick(place: Place): Promise<readonly Figure[]> {
  const front = await openFront();
  const people = { kim: { groups: [] } };
  const issuer = await openIssuer({ resources: [], people, clients: [consoleClient(front.origin)] });
  const world = await openWorld({
    kubeconfigPath: place.kubeconfigPath,
    enroll: ["shop-prod"],
    policy,
    config: `hold: 45
issuers:
  - { kind: oidc, name: bench, issuer: "${issuer.url}", audience: ["${front.origin}/mcp"] }
console: { url: "${front.origin}", issuer: bench, clientId: console }
people:
  - { name: Kim, accounts: [{ issuer: "${issuer.url}", subject: kim }], groups: [approvers] }
`,
  });
  front.leadTo(() => world.url);
  try {
    const figures = await clickFigures(place, { world, front, issuer });
    return [...figures, ...(await listFigures({ world, front, issuer }))];
  } finally {
    await world.stop();
    front.close();
    await issuer.stop();
  }
}

interface Scene {
  readonly world: World;
  readonly front: Front;
  readonly issuer: Issuer;
}

async function clickFigures(place: Place, { world, front, issuer }: Scene): Promise<readonly Figure[]> {
  say("Approvals in the terminal and in the console, by turns …");
  const owner = await ownerOf(world);
  const kim = await visit(front.origin, issuer, "kim");
  const inTerminal = async (id: string): Promise<number> => {
    const clicked = Date.now();
    const answered = await owner.call("approvals.approve", { id, token: world.tokens.approver });
    if (answered.kind !== "result") throw new Error("the terminal's yes was refused");
    return clicked;
  };
  const inConsole = async (id: string): Promise<number> => {
    const page = await kim.text(`/console/requests/${id}`);
    const digest = /name="digest" value="([^"]+)"/.exec(page)?.[1] ?? "";
    const clicked = Date.now();
    const answered = await kim.send(page, `/console/requests/${id}/approve`, { digest, reason: "" });
    if (answered.status !== 303) throw new Error(`the console's yes was refused: ${answered.status}`);
    return clicked;
  };
  const clicked = { terminal: new Map<string, number>(), console: new Map<string, number>() };
  const floors: number[] = [];
  for (let turn = 0; turn < 2 * clicks + 2; turn++) {
    const way = turn % 2 === 0 ? "terminal" : "console";
    const call = world.call("workloads_scale", scaling(4 + (turn % 2)));
    const id = await pendingId(owner, world);
    const at_ = await (way === "terminal" ? inTerminal : inConsole)(id);
    const done = await call;
    if (done.isError) throw new Error(done.text);
    // The first of each warms up.
    if (turn >= 2) clicked[way].set(textAt(done.facts, "call"), at_);
    floors.push(await bareGrant(place, turn));
  }
  owner.close();
  const issued = new Map(
    (await world.entries())
      .filter((entry) => entry["kind"] === "grant.issued")
      .map((entry) => [textAt(entry, "call"), Date.parse(textAt(entry, "ts"))]),
  );
  return (["terminal", "console"] as const).map((way) => {
    const taken = [...clicked[way]].map(([call, at_]) => (issued.get(call) ?? Number.NaN) - at_);
    const [own, floor] = [median(taken), median(floors)];
    return {
      figure: `yes in the ${way} to running call (its credential is there), p50`,
      measured: own,
      unit: "ms",
      floor,
      goal: "<= 400 ms beyond the floor",
      reached: own - floor <= 400,
      note: `p95 ${round(percentile(taken, 0.95), 0)} ms of ${taken.length}; ${round(own - floor, 0)} ms beyond a bare account, Role, binding, token and its taking hold (p95 ${round(percentile(floors, 0.95), 0)} ms)`,
    };
  });
}

/** What Kubernetes itself takes for a grant, asked for one thing after the other as one has to: milliseconds. */
async function bareGrant({ admin }: Place, turn: number): Promise<number> {
  const name = `bare-${turn}`;
  const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop-prod";
  const accounts = "/api/v1/namespaces/shop-prod/serviceaccounts";
  const group = "rbac.authorization.k8s.io";
  const begun = performance.now();
  await admin.create(accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
  const rules = [
    { apiGroups: ["apps"], resources: ["deployments/scale"], resourceNames: ["api"], verbs: ["get", "patch"] },
  ];
  await Promise.all([
    admin.create(`${rbac}/roles`, { apiVersion: `${group}/v1`, kind: "Role", metadata: { name }, rules }),
    admin.create(`${rbac}/rolebindings`, {
      apiVersion: `${group}/v1`,
      kind: "RoleBinding",
      metadata: { name },
      roleRef: { apiGroup: group, kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name, namespace: "shop-prod" }],
    }),
  ]);
  const asked = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } };
  const token = textAt(await admin.create(`${accounts}/${name}/token`, asked), "status", "token");
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: {
      resourceAttributes: {
        verb: "patch",
        group: "apps",
        resource: "deployments",
        subresource: "scale",
        namespace: "shop-prod",
        name: "api",
      },
    },
  };
  for (let tries = 0; tries < 200; tries++) {
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    if (at((await admin.send("POST", path, review, { token })).body, "status", "allowed") === true) break;
    await pause(5);
  }
  const took = performance.now() - begun;
  for (const path of [`${accounts}/${name}`, `${rbac}/roles/${name}`, `${rbac}/rolebindings/${name}`])
    await admin.send("DELETE", path);
  return took;
}

async function ownerOf(world: World): Promise<OwnerClient> {
  const connected = await connectOwner({ folder: world.folder, uid: process.getuid?.() ?? -1, version });
  if (connected.kind !== "connected") throw new Error(connected.sentence);
  return connected.to;
}

async function listed(owner: OwnerClient, world: World): Promise<readonly JsonObject[]> {
  const answered = await owner.call("approvals.list", { token: world.tokens.approver });
  const requests = answered.kind === "result" ? at(answered.result, "requests") : [];
  return Array.isArray(requests) ? requests.filter(isJsonObject) : [];
}

async function pendingId(owner: OwnerClient, world: World): Promise<string> {
  for (let tries = 0; tries < 1000; tries++) {
    const [one] = (await listed(owner, world)).filter((request) => request["state"] === "pending");
    if (one !== undefined) return textAt(one, "id");
    await pause(5);
  }
  throw new Error("no request for approval appeared");
}

/** A thousand requests as the store has them, listed in the terminal and in the console. */
async function listFigures({ world, front, issuer }: Scene): Promise<readonly Figure[]> {
  say(`${pendingAtOnce} pending requests …`);
  const asking = new AbortController();
  const held = world.call("workloads_scale", scaling(9), { signal: asking.signal }).catch(() => undefined);
  const first = await ownerOf(world);
  await pendingId(first, world);
  first.close();
  asking.abort();
  await held;
  const path = join(world.folder, "approvals", "requests.json");
  await world.restart(async () => await writeFile(path, manyOf(await readFile(path, "utf8"))));
  const owner = await ownerOf(world);
  const kim = await visit(front.origin, issuer, "kim");
  let [count, bytes] = [0, 0];
  const inTerminal = async (): Promise<void> => {
    const requests = (await listed(owner, world)).filter((one) => one["state"] === "pending");
    count = requests.length;
    bytes = JSON.stringify(requests).length;
  };
  const [socket = [], page = []] = await byTurns(30, [inTerminal, () => kim.text("/console")]);
  owner.close();
  if (count < pendingAtOnce) throw new Error(`${count} requests were listed`);
  const shared = { unit: "ms", floor: null, goal: "< 100 ms" } as const;
  return [
    {
      ...shared,
      figure: `${pendingAtOnce} pending requests listed for the terminal, p50`,
      measured: median(socket),
      reached: median(socket) < 100,
      note: `p95 ${round(percentile(socket, 0.95), 0)} ms; ${round(bytes / 1e6, 1)} MB over the owner's socket, whole cards`,
    },
    {
      ...shared,
      figure: `${pendingAtOnce} pending requests listed in the console, p50`,
      measured: median(page),
      reached: median(page) < 100,
      note: `p95 ${round(percentile(page, 0.95), 0)} ms; the page to its last byte`,
    },
  ];
}

/** The file with its last request a thousand times over, under ids of their own. */
function manyOf(text: string): string {
  const file = JSON.parse(text) as { stamp: string; readonly requests: readonly JsonObject[] };
  const last = file.requests.findLast((one) => one["state"] === "pending");
  if (last === undefined) throw new Error("nothing is pending");
  const id = textAt(last, "id");
  const copies = Array.from({ length: pendingAtOnce - 1 }, (_, index) => ({
    ...last,
    id: `${id.slice(0, -8)}${(0x10000000 + index).toString(16)}`,
    callDigest: randomBytes(32).toString("hex"),
    approvalDigest: randomBytes(32).toString("hex"),
  }));
  const requests = [...file.requests, ...copies].map((one) => JSON.stringify(one)).join(",\n");
  return `{"format":1,"stamp":"${randomBytes(16).toString("hex")}","requests":[\n${requests}\n]}\n`;
}

/** Two hundred calls at once, of four agents, with Slack as it paces itself. */
async function inABurst(place: Place): Promise<readonly Figure[]> {
  say(`A burst of ${agents * each} requests, with Slack …`);
  const workspace = await openWorkspace({ team: "T77" });
  const secrets = await mkdtemp(join(folder, "burst-"));
  for (const name of ["bot", "app"] as const) await writeFile(join(secrets, name), slackTokens[name], { mode: 0o600 });
  const names = Array.from({ length: agents }, (_, index) => `burst-${index}`);
  const tokens = await Promise.all(
    names.map(async (name) => await writeTokenFile(join(secrets, name), (count) => randomBytes(count))),
  );
  const world = await openWorld({
    kubeconfigPath: place.kubeconfigPath,
    enroll: ["shop-prod"],
    policy,
    outside: { slackApi: workspace.apiUrl },
    config: `hold: 0
slack: { botToken: "${secrets}/bot", appToken: "${secrets}/app", team: ${workspace.team}, channel: C77 }`,
  });
  try {
    // openWorld writes the tokens that it knows: these agents are added, and the gateway starts again.
    const config = join(world.folder, "sallyport.yaml");
    const entries = names.map((name) => `    - { file: "${join(secrets, name)}", subject: ${name}, kind: agent }\n`);
    await world.restart(async () => {
      const text = await readFile(config, "utf8");
      await writeFile(config, text.replace("  tokens:\n", `  tokens:\n${entries.join("")}`));
    });
    const clients = await Promise.all(
      tokens.map(async (token) => {
        const client = new Client({ name: "burst", version: "1.0.0" });
        await client.connect(clientTransport(world.url, token));
        return client;
      }),
    );
    const sent = workspace.calls.length;
    const begun = performance.now();
    const answers = await Promise.all(
      clients.flatMap((client, of) =>
        Array.from({ length: each }, (_, index) =>
          client.callTool(
            { name: "workloads_scale", arguments: scaling(10 + of * each + index) },
            { timeout: 120_000 },
          ),
        ),
      ),
    );
    const asked = performance.now() - begun;
    const waiting = answers.filter(
      (one) => textAt(one._meta as JsonObject, "sallyport/facts", "outcome") === "suspended",
    );
    const owner = await ownerOf(world);
    const kept = new Set((await listed(owner, world)).map((one) => textAt(one, "id")));
    owner.close();
    const settled = await quiet(() => workspace.calls.length);
    const calls = workspace.calls.slice(sent).map((one) => one.method);
    const shown = await shownIn(world);
    await Promise.all(clients.map((client) => client.close()));
    const all = agents * each;
    const posted = calls.filter((method) => method === "chat.postMessage").length;
    const edited = calls.filter((method) => method === "chat.update").length;
    return [
      {
        figure: `${all} requests in a burst: messages and edits in Slack`,
        measured: posted + edited,
        unit: "calls",
        floor: null,
        goal: `< ${all}, and none lost`,
        reached: posted + edited < all && waiting.length === all && kept.size === all && shown === all,
        note: `${posted} messages, ${edited} edits, ${calls.length} calls in all, over ${round((settled - begun) / 1000, 0)} s; ${waiting.length} answered as pending, ${kept.size} in the queue, ${shown} on a card or in a list; asked within ${round(asked / 1000, 1)} s`,
      },
    ];
  } finally {
    await world.stop();
    await workspace.stop();
  }
}

/** When the count has stood still for five seconds: the moment of its last change. */
async function quiet(count: () => number): Promise<number> {
  let [last, since] = [count(), performance.now()];
  while (performance.now() - since < 5_000) {
    await pause(100);
    if (count() === last) continue;
    last = count();
    since = performance.now();
  }
  return since;
}

/** Requests that some message in Slack shows, by the gateway's own board. */
async function shownIn({ folder: home }: World): Promise<number> {
  const board = JSON.parse(await readFile(join(home, "slack.json"), "utf8")) as JsonObject;
  const entries = at(board, "entries");
  return (Array.isArray(entries) ? entries : []).filter((one) => {
    const [places, lists] = [at(one, "places"), at(one, "lists")];
    return (Array.isArray(places) && places.length > 0) || (Array.isArray(lists) && lists.length > 0);
  }).length;
}

function report({ kind }: Place, figures: readonly Figure[]): void {
  const after = loadavg();
  const told = (load: readonly number[]): string => load.map((one) => one.toFixed(1)).join(" ");
  if (process.argv.includes("--json")) {
    const rows = figures.map((one) => ({ ...one, ratio: ratioOf(one) }));
    process.stdout.write(`${JSON.stringify({ cluster: kind, load: { before, after }, figures: rows }, null, 2)}\n`);
    return;
  }
  const where = kind === "real" ? "a real kube-apiserver" : "the practice cluster, which is not Kubernetes";
  process.stdout.write(`
Measured on ${where}, on loopback, with the gateway, its agents and its approvers in one process. Node ${process.versions.node}; load average ${told(before)} before, ${told(after)} after.

${tableOf(figures)}
Where NO stands: absolute times rise with the load above; look at the note first, and run it again when the machine is idle.
`);
}
