// What leaves the gateway for a real kube-apiserver, byte by byte: the caller's token is nowhere in it.

import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at } from "../../src/domain/json.ts";
import { deploymentPath, eventually, scaling } from "../faults/shop.ts";
import { calling, sendTo, type Reply } from "../mcp/http-requests.ts";
import { openIssuer, type Issuer } from "../support/issuer.ts";
import { promise } from "../support/promise.ts";
import { openWire, type Wire } from "../support/proxy.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const resource = "https://sallyport.example/mcp";
const scope = "sallyport:read sallyport:change sallyport:execute";
const policy = `version: 1
rules:
  - id: look-and-change
    effect: allow
    match: { effects: [read, change] }
    reason: Looking and changing are free here.
  - id: commands-need-a-person
    effect: require-approval
    match: { effects: [execute] }
    approval: { approvers: ["group:approvers"] }
    reason: Commands are seen by a person first.
`;

/** Passes bytes on to this port and keeps what came in. */
interface Recorder {
  readonly port: number;
  bytes(): Buffer;
  stop(): Promise<void>;
}

async function openRecorder(target: number): Promise<Recorder> {
  /** By connection: those that are open at once come in turns. */
  const seen: Buffer[][] = [];
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const upstream = connect(target, "127.0.0.1");
    for (const one of [socket, upstream]) {
      open.add(one);
      one.on("error", () => one.destroy());
      one.on("close", () => {
        open.delete(one);
        socket.destroy();
        upstream.destroy();
      });
    }
    const own: Buffer[] = [];
    seen.push(own);
    socket.on("data", (chunk: Buffer) => own.push(chunk));
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => Buffer.concat(seen.flat()),
    async stop() {
      for (const one of open) one.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The token and everything that would still be of use of it, as it is and as texts carry it. */
function partsOf(token: string): readonly string[] {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const parts = [token, `${header}.${payload}`, payload, signature];
  const base64 = parts.map((one) => Buffer.from(one).toString("base64").replace(/=+$/, "").slice(0, -2));
  const decoded = [Buffer.from(payload, "base64url").toString(), Buffer.from(signature, "base64url").toString("hex")];
  return [...parts, ...base64, ...decoded, encodeURIComponent(token)];
}

describe.skipIf("skip" in cluster)(`on a real kube-apiserver${why}`, () => {
  let admin: Admin;
  let wire: Wire;
  let recorder: Recorder;
  let issuer: Issuer;
  let world: World;
  let folder: string;
  let token: string;

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace("token-dev", "dev"));
    await admin.create("/apis/apps/v1/namespaces/token-dev/deployments", deployment("api", 1, "none"));
    folder = await mkdtemp(join(tmpdir(), "sallyport-token-"));
    wire = await openWire({ target: cluster, adminToken: cluster.adminToken, folder });
    // The wire speaks TLS to the cluster and plain HTTP here: what passes before it can be read.
    recorder = await openRecorder(Number(new URL(wire.server).port));
    const kubeconfigPath = join(folder, "recorded.kubeconfig");
    const text = await readFile(wire.kubeconfigPath, "utf8");
    await writeFile(kubeconfigPath, text.replace(wire.server, `http://127.0.0.1:${recorder.port}`), { mode: 0o600 });
    issuer = await openIssuer({ resources: [resource], people: { anna: { groups: [] } } });
    world = await openWorld({
      kubeconfigPath,
      enroll: ["token-dev"],
      enrollFlags: ["--exec"],
      policy,
      config: `hold: 0\nissuers:\n  - { kind: oidc, name: corp, issuer: "${issuer.url}", audience: ["${resource}"] }`,
    });
    token = (await issuer.code("anna", scope, resource)).access_token;
  });
  afterAll(async () => {
    await world?.stop();
    await issuer?.stop();
    await recorder?.stop();
    await wire?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const ask = (tool: string, arguments_: object): Promise<Reply> =>
    sendTo(world.url, { body: calling(tool, arguments_), headers: { authorization: `Bearer ${token}` } });

  promise(
    "door:no-passthrough",
    "through reads, a change under a grant, a command that waits, and calls that fail",
    async () => {
      const pods = { kind: "pods", namespace: "token-dev" };
      const deploymentOf = { kind: "Deployment", namespace: "token-dev", name: "api" };
      const answers: Record<string, Reply> = {
        list: await ask("objects_list", pods),
        get: await ask("objects_get", deploymentOf),
        events: await ask("events_list", { namespace: "token-dev" }),
        explain: await ask("kinds_explain", { kind: "Deployment" }),
        diagnose: await ask("problems_diagnose", { namespace: "token-dev" }),
        scale: await ask("workloads_scale", scaling("token-dev", 2)),
        absent: await ask("objects_get", { ...deploymentOf, name: "absent" }),
        elsewhere: await ask("workloads_scale", scaling("kube-system", 2)),
        // The agent writes its own token where it may write: into a search, and into the reason of a change.
        told: await ask("objects_list", { ...pods, search: token.slice(0, 200) }),
        reason: await ask("workloads_scale", scaling("token-dev", 3, { reason: `because ${token}` })),
        command: await ask("pods_exec", {
          namespace: "token-dev",
          pod: "absent",
          command: ["id"],
          reason: "who is it",
        }),
      };
      expect(Object.entries(answers).map(([name, { status }]) => [name, status])).toEqual(
        Object.keys(answers).map((name) => [name, 200]),
      );
      for (const name of ["list", "get", "scale"])
        expect([name, answers[name]?.body]).toEqual([name, expect.stringContaining('"isError":false')]);
      const { body } = await admin.send("GET", deploymentPath("token-dev"));
      expect(at(body, "spec", "replicas")).toBeGreaterThan(1);
      await eventually(() => wire.passed.some((one) => one.method === "DELETE" && one.url.includes("/run-"))).toBe(
        true,
      );

      const sent = recorder.bytes();
      // The recorder sees what it should: the requests, and the credential that was made for the change.
      expect(sent.includes("PATCH /apis/apps/v1/namespaces/token-dev/deployments/api/scale")).toBe(true);
      const credentials = new Set(wire.passed.map((one) => one.headers.authorization));
      expect(credentials.size).toBeGreaterThan(2);
      for (const one of credentials) if (one !== undefined) expect(sent.includes(one)).toBe(true);
      expect(partsOf(token).filter((part) => part.length < 40 || sent.includes(part))).toEqual([]);
      // Nor does what stays on this machine hold it.
      expect(partsOf(token).filter((part) => world.log().includes(part))).toEqual([]);
    },
  );
});
