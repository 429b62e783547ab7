// Enrolment and the ways in, on a real kube-apiserver of this file's own: what an older installation becomes, what doctor says of a tampered one, and how the cluster is reached.

import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { rulesAnnotation, rulesDigest } from "../../src/credentials/compare.ts";
import { at, isJsonObject, textAt, type JsonObject } from "../../src/domain/json.ts";
import { openClient } from "../../src/kubernetes/client.ts";
import { inClusterConnection } from "../../src/kubernetes/kubeconfig.ts";
import { promise } from "../support/promise.ts";
import { openWorld, runCommand } from "../support/world.ts";
import { adminOf, namespace, type Admin } from "./admin.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ownControlPlane } from "./own.ts";

const provided = inject("cluster");
const why = "skip" in provided ? ` (skipped: ${provided.skip})` : "";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const admission = "/apis/admissionregistration.k8s.io/v1";
const merge = { contentType: "application/merge-patch+json" };

interface Said {
  readonly name: string;
  readonly result: string;
  readonly says: string;
}

describe.skipIf("skip" in provided)(`on a real kube-apiserver${why}`, () => {
  let plane: ControlPlane;
  let admin: Admin;
  let folder: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    plane = await ownControlPlane();
    admin = adminOf(plane);
    folder = await mkdtemp(join(tmpdir(), "sallyport-enrolment-"));
    env = {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      SALLYPORT_HOME: join(folder, "state"),
      KUBECONFIG: plane.kubeconfigPath,
    };
    for (const name of ["shop", "pay"]) await admin.create("/api/v1/namespaces", namespace(name, "any"));
  }, 300_000);
  afterAll(async () => {
    await plane?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const patch = async (path: string, body: JsonObject): Promise<void> => {
    const { status } = await admin.send("PATCH", path, body, merge);
    if (status !== 200) throw new Error(`${path}: ${status}`);
  };
  const get = async (path: string): Promise<JsonObject> => (await admin.send("GET", path)).body;

  async function enroll(...more: string[]): Promise<string[]> {
    const { code, out, err } = await runCommand(["enroll", "--namespace", "shop,pay", "--yes", ...more], env);
    if (code !== 0) throw new Error(`${out}${err}`);
    return out
      .split("\n")
      .filter((line) => /^(created|updated|kept, edited|removed) /.test(line))
      .map((line) => line.replace(/ +/g, " "));
  }
  async function doctor(kubeconfig = plane.kubeconfigPath): Promise<{ code: number; checks: readonly Said[] }> {
    const { code, out } = await runCommand(["doctor", "--json"], { ...env, KUBECONFIG: kubeconfig });
    return { code, checks: JSON.parse(out) as readonly Said[] };
  }
  const enrolment = async (): Promise<string[]> =>
    (await doctor()).checks
      .filter((check) => check.name === "enrolment")
      .map((check) => `${check.result} ${check.says}`);

  promise(
    "clusters:upgrade",
    "roles, fences, labels and the record of an older version become this one's, and the administrator's ceiling stays",
    async () => {
      await enroll();
      expect(await enrolment()).toEqual(["ok pay, shop"]);
      // As an older version would have left it: other rules under its own digest, another label, a fence with less in it.
      const older = { labels: { "sallyport.dev/enrolment": "0" } };
      const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }];
      for (const role of ["sallyport-ceiling", "sallyport-reader"]) {
        const metadata = { ...older, annotations: { [rulesAnnotation]: rulesDigest(rules) } };
        await patch(`${rbac}/clusterroles/${role}`, { metadata, rules });
      }
      await patch(`${rbac}/clusterroles/sallyport-grant-maker`, { metadata: older, rules });
      const fence = await get(`${admission}/validatingadmissionpolicies/sallyport-grants-kinds`);
      const validations = at(fence, "spec", "validations");
      await patch(`${admission}/validatingadmissionpolicies/sallyport-grants-kinds`, {
        metadata: older,
        spec: { validations: Array.isArray(validations) ? validations.slice(0, 1) : [] },
      });
      await admin.send("DELETE", `${rbac}/namespaces/pay/rolebindings/sallyport-grant-maker`);
      const record = "/api/v1/namespaces/sallyport-system/configmaps/enrolment";
      await patch(record, { data: { version: "0", nodes: null, exec: null } });
      expect((await enrolment()).filter((line) => line.includes("another version"))).toEqual([
        "failed made by another version of Sallyport (0; this one is 1)",
      ]);

      expect((await enroll()).toSorted()).toEqual([
        "created RoleBinding pay/sallyport-grant-maker",
        "updated ClusterRole sallyport-ceiling",
        "updated ClusterRole sallyport-grant-maker",
        "updated ClusterRole sallyport-reader",
        "updated ConfigMap sallyport-system/enrolment",
        "updated ValidatingAdmissionPolicy sallyport-grants-kinds",
      ]);
      expect([await enroll(), await enrolment()]).toEqual([[], ["ok pay, shop"]]);

      // And the same older ceiling once an administrator has narrowed it.
      const narrowed = [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] }];
      await patch(`${rbac}/clusterroles/sallyport-ceiling`, { metadata: older, rules: narrowed });
      expect(await enroll()).toEqual(["kept, edited ClusterRole sallyport-ceiling"]);
      expect((await get(`${rbac}/clusterroles/sallyport-ceiling`))["rules"]).toEqual(narrowed);
      const [, told] = await enrolment();
      expect(told).toMatch(
        /^note ClusterRole sallyport-ceiling was edited by an administrator: label sallyport.dev\/enrolment is another; may no longer/,
      );
      await admin.send("DELETE", `${rbac}/clusterroles/sallyport-ceiling`);
      expect(await enroll()).toEqual(["created ClusterRole sallyport-ceiling"]);
    },
    300_000,
  );

  promise(
    "clusters:differences",
    "what is gone, other rules, labels, subjects and fences, and what somebody bound beside it; enrolling again mends what is its own",
    async () => {
      await enroll();
      await admin.send("DELETE", "/api/v1/namespaces/sallyport-system/serviceaccounts/preview");
      await patch("/api/v1/namespaces/sallyport-sessions", {
        metadata: { labels: { "pod-security.kubernetes.io/enforce": "privileged", "sallyport.dev/enrolment": null } },
      });
      await patch("/api/v1/namespaces/sallyport-sessions/resourcequotas/no-pods", { spec: { hard: { pods: "9" } } });
      const maker = await get(`${rbac}/clusterroles/sallyport-grant-maker`);
      const rules = (maker["rules"] as JsonObject[]).concat([
        { apiGroups: [""], resources: ["secrets"], verbs: ["get"] },
      ]);
      await patch(`${rbac}/clusterroles/sallyport-grant-maker`, { rules });
      const reader = `${rbac}/namespaces/shop/rolebindings/sallyport-reader`;
      const subjects = (await get(reader))["subjects"] as JsonObject[];
      await patch(reader, { subjects: [...subjects, { kind: "ServiceAccount", name: "default", namespace: "shop" }] });
      await patch(`${admission}/validatingadmissionpolicies/sallyport-preview`, { spec: { failurePolicy: "Ignore" } });
      await patch(`${admission}/validatingadmissionpolicybindings/sallyport-preview`, {
        spec: { validationActions: ["Audit"] },
      });
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
      const account = { kind: "ServiceAccount", name: "gateway", namespace: "sallyport-system" };
      const group = {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "Group",
        name: "system:serviceaccounts:sallyport-sessions",
      };
      const extra = (kind: string, name: string, subject: JsonObject): JsonObject => ({
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind,
        metadata: { name },
        roleRef,
        subjects: [subject],
      });
      await admin.create(`${rbac}/clusterrolebindings`, extra("ClusterRoleBinding", "helpful", account));
      await admin.create(`${rbac}/namespaces/pay/rolebindings`, extra("RoleBinding", "helpful", group));
      const left = { name: "sallyport-old", labels: { "sallyport.dev/enrolment": "0" } };
      await admin.create(`${rbac}/clusterroles`, {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: left,
        rules: [],
      });

      const [whole, ...lines] = await enrolment();
      expect(whole).toBe("ok pay, shop");
      expect(lines.toSorted()).toEqual([
        "failed ClusterRole sallyport-grant-maker is not as enrolment makes it: may also get secrets",
        "failed ClusterRole sallyport-old belongs to no enrolment of this cluster any more",
        "failed ClusterRoleBinding helpful gives sallyport-system/gateway the role cluster-admin as well",
        "failed Namespace sallyport-sessions is not as enrolment makes it: label sallyport.dev/enrolment is missing; label pod-security.kubernetes.io/enforce is another",
        "failed ResourceQuota sallyport-sessions/no-pods is not as enrolment makes it: spec.hard.pods is another",
        "failed RoleBinding pay/helpful gives all accounts of sallyport-sessions the role cluster-admin as well",
        "failed RoleBinding shop/sallyport-reader is not as enrolment makes it: subjects is another",
        "failed ServiceAccount sallyport-system/preview is missing",
        "failed ValidatingAdmissionPolicy sallyport-preview is not as enrolment makes it: spec.failurePolicy is another",
        "failed ValidatingAdmissionPolicyBinding sallyport-preview is not as enrolment makes it: spec.validationActions[0] is another",
      ]);
      await enroll();
      expect((await enrolment()).toSorted()).toEqual([
        "failed ClusterRole sallyport-old belongs to no enrolment of this cluster any more",
        "failed ClusterRoleBinding helpful gives sallyport-system/gateway the role cluster-admin as well",
        "failed RoleBinding pay/helpful gives all accounts of sallyport-sessions the role cluster-admin as well",
        "ok pay, shop",
      ]);
      for (const path of [
        "clusterroles/sallyport-old",
        "clusterrolebindings/helpful",
        "namespaces/pay/rolebindings/helpful",
      ])
        await admin.send("DELETE", `${rbac}/${path}`);
      expect(await enrolment()).toEqual(["ok pay, shop"]);
    },
    300_000,
  );

  /** The plane's kubeconfig with another user and more of its cluster. */
  async function kubeconfig(name: string, user: JsonObject, cluster: JsonObject = {}): Promise<string> {
    const path = join(folder, `${name}.kubeconfig`);
    const server = {
      server: plane.server,
      "certificate-authority-data": Buffer.from(plane.ca).toString("base64"),
      ...cluster,
    };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "real",
      clusters: [
        { name: "real", cluster: Object.fromEntries(Object.entries(server).filter(([, value]) => value !== null)) },
      ],
      users: [{ name: "me", user }],
      contexts: [{ name: "real", context: { cluster: "real", user: "me" } }],
    };
    await writeFile(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }
  /** A credential plugin that gives this status. */
  async function plugin(name: string, status: JsonObject): Promise<JsonObject> {
    const apiVersion = "client.authentication.k8s.io/v1";
    const answer = JSON.stringify({ apiVersion, kind: "ExecCredential", status });
    await writeFile(join(folder, name), `#!${process.execPath}\nprocess.stdout.write(${JSON.stringify(answer)})`);
    await chmod(join(folder, name), 0o700);
    return { exec: { apiVersion, command: `./${name}`, interactiveMode: "Never" } };
  }
  const reached = async (path: string): Promise<string> => {
    const { checks } = await doctor(path);
    const check = checks.find((one) => one.name === "cluster");
    return `${check?.result} ${check?.says.replace(/v\d\S*/, "vN").replace(/GET \S+/, "GET it")}`;
  };
  const yes = "ok Kubernetes vN answers";

  promise(
    "clusters:clients",
    "tokens, token files, client certificates and plugins that give either; another authority, none, and a token that is over",
    async () => {
      const pki = dirname(plane.kubeconfigPath);
      const [cert, key] = await Promise.all(
        ["client.crt", "client.key"].map((name) => readFile(join(pki, name), "utf8")),
      );
      const pem = { clientCertificateData: cert ?? "", clientKeyData: key ?? "" };
      await writeFile(join(folder, "token"), `${plane.adminToken}\n`, { mode: 0o600 });
      const token = { token: plane.adminToken };
      const tunnel = await openTunnel();
      const other = await readFile(join(pki, "client.crt"), "utf8");
      const ways = {
        token: await reached(await kubeconfig("token", token)),
        tokenFile: await reached(await kubeconfig("token-file", { tokenFile: "token" })),
        certificate: await reached(
          await kubeconfig("certificate", {
            "client-certificate": join(pki, "client.crt"),
            "client-key": join(pki, "client.key"),
          }),
        ),
        pluginToken: await reached(await kubeconfig("plugin-token", await plugin("gives-token", token))),
        pluginCertificate: await reached(
          await kubeconfig("plugin-certificate", await plugin("gives-certificate", pem)),
        ),
        proxy: await reached(await kubeconfig("proxy", token, { "proxy-url": tunnel.url })),
        insecure: await reached(
          await kubeconfig("insecure", token, { "certificate-authority-data": null, "insecure-skip-tls-verify": true }),
        ),
        otherAuthority: await reached(
          await kubeconfig("other", token, { "certificate-authority-data": Buffer.from(other).toString("base64") }),
        ),
        noAuthority: await reached(await kubeconfig("none", token, { "certificate-authority-data": null })),
        otherToken: await reached(await kubeconfig("refused", { token: "nobody" })),
      };
      tunnel.stop();
      expect(ways).toEqual({
        token: yes,
        tokenFile: yes,
        certificate: yes,
        pluginToken: yes,
        pluginCertificate: yes,
        proxy: yes,
        insecure: yes,
        otherAuthority: "failed cluster_unavailable: GET it UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        noAuthority: "failed cluster_unavailable: GET it UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        otherToken: "failed credential_unavailable: GET it 401 Unauthorized",
      });
      expect(tunnel.asked()).toBeGreaterThan(0);
    },
    300_000,
  );

  promise(
    "clusters:clients",
    "the pod's own account, whose token the kubelet replaces while the gateway runs",
    async () => {
      const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "here" } };
      await admin.create("/api/v1/namespaces/shop/serviceaccounts", account);
      const mint = async (): Promise<string> => {
        const made = await admin.create("/api/v1/namespaces/shop/serviceaccounts/here/token", {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: { expirationSeconds: 600 },
        });
        return textAt(made, "status", "token");
      };
      const pod = "/var/run/secrets/kubernetes.io/serviceaccount";
      const files: Record<string, string> = {
        [`${pod}/ca.crt`]: plane.ca,
        [`${pod}/namespace`]: "shop",
        [`${pod}/token`]: "not yet",
      };
      const { hostname, port } = new URL(plane.server);
      let time = 0;
      const connection = await inClusterConnection(
        {
          KUBERNETES_SERVICE_HOST: hostname,
          KUBERNETES_SERVICE_PORT: port,
          HTTPS_PROXY: "http://127.0.0.1:1",
          NO_PROXY: "10.0.0.0/8",
        },
        async (path) => files[path] ?? "",
        () => time,
      );
      if (connection === null) throw new Error("no pod");
      const client = openClient(connection, { version: "0.0.0-test" });
      const whoAmI = async (): Promise<string> => {
        const review = await client.request({
          verb: "create",
          group: "authentication.k8s.io",
          version: "v1",
          resource: "selfsubjectreviews",
          namespace: "",
          name: "",
          body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
          authorization: await connection.authorization(),
          auditId: "test.1",
          agent: "test",
          signal: AbortSignal.timeout(10_000),
        });
        return textAt(review.body, "status", "userInfo", "username");
      };
      await expect(whoAmI()).rejects.toMatchObject({ fault: { code: "credential_unavailable" } });
      files[`${pod}/token`] = await mint();
      time += 10_000;
      expect(await whoAmI()).toBe("system:serviceaccount:shop:here");
      await client.close();
    },
  );

  promise(
    "clusters:clients",
    "with a plugin's client certificate the gateway mints its own tokens, and no call of an agent's is made as the certificate's owner",
    async () => {
      const pki = dirname(plane.kubeconfigPath);
      const [cert, key] = await Promise.all(
        ["client.crt", "client.key"].map((name) => readFile(join(pki, name), "utf8")),
      );
      const user = await plugin("dresses", { clientCertificateData: cert ?? "", clientKeyData: key ?? "" });
      const world = await openWorld({ kubeconfigPath: await kubeconfig("dressed", user), enroll: ["shop"] });
      const answer = await world.call("objects_list", { kind: "pods", namespace: "shop" });
      const call = textAt(answer.facts, "call");
      await world.stop();
      expect([answer.isError, answer.text.split("\n")[0]]).toEqual([false, expect.stringMatching(/^0 pods in shop/)]);
      const events = (await admin.audit()).filter((event) => textAt(event, "auditID").startsWith(`${call}.`));
      const users = events.map((event) => textAt(event, "user", "username"));
      expect(new Set(users)).toEqual(new Set(["system:serviceaccount:sallyport-system:reader"]));
      const minted = (await admin.audit()).filter(
        (event) =>
          isJsonObject(event["objectRef"]) &&
          textAt(event, "objectRef", "subresource") === "token" &&
          textAt(event, "objectRef", "name") === "gateway",
      );
      expect(textAt(minted.at(-1) ?? {}, "user", "username")).toBe("kube-apiserver-client");
    },
    300_000,
  );

  promise(
    "clusters:enrol-at-once",
    "five namespaces in the same moment: all are enrolled in the end, doctor finds nothing, and they leave together",
    async () => {
      const names = ["five", "four", "one", "three", "two"];
      for (const name of names) await admin.create("/api/v1/namespaces", namespace(name, "any"));
      const ended = await Promise.all(names.map((name) => runCommand(["enroll", "--namespace", name, "--yes"], env)));
      expect(ended.filter(({ code }) => code !== 0).map(({ out, err }) => out + err)).toEqual([]);
      expect(await enrolment()).toEqual(["ok five, four, one, pay, shop, three, two"]);
      const listed = async (): Promise<unknown> =>
        at((await get(`${rbac}/clusterroles/sallyport-namespaces`))["rules"] ?? null, 0, "resourceNames");
      expect(await listed()).toEqual(["five", "four", "one", "pay", "shop", "three", "two"]);
      expect((await runCommand(["unenroll", "--namespace", names.join(","), "--yes"], env)).code).toBe(0);
      expect([await enrolment(), await listed()]).toEqual([["ok pay, shop"], ["pay", "shop"]]);
    },
    300_000,
  );

  promise(
    "clusters:vanished-namespace",
    "one that was deleted leaves the enrolment, with a word, and keeps no other out",
    async () => {
      const run = async (names: string): Promise<{ code: number; out: string }> =>
        await runCommand(["enroll", "--namespace", names, "--yes"], env);
      await admin.create("/api/v1/namespaces", namespace("brief", "any"));
      expect((await run("shop,brief")).code).toBe(0);
      await admin.send("DELETE", "/api/v1/namespaces/brief");
      const { code, out } = await run("shop");
      expect([code, /no longer there, so no longer enrolled: brief/.test(out)]).toEqual([0, true]);
      const record = await get("/api/v1/namespaces/sallyport-system/configmaps/enrolment");
      expect(textAt(record, "data", "namespaces")).toBe("pay,shop");
    },
  );
});

/** An HTTP proxy for CONNECT, open to all. */
async function openTunnel(): Promise<{ readonly url: string; asked(): number; stop(): void }> {
  const sockets = new Set<Socket>();
  let asked = 0;
  const server = createServer();
  server.on("connect", (request, socket: Socket) => {
    asked += 1;
    sockets.add(socket);
    const { hostname, port } = new URL(`http://${request.url ?? ""}`);
    const upstream = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(upstream).pipe(socket);
    });
    socket.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
    upstream.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
