// Several clusters as a person sets them up: what sallyport.yaml may say, which kubeconfigs are read, and enrolling all of them at once.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { startPracticeCluster, seedStory, type PracticeCluster } from "../../practice/cluster/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { at, textAt } from "../../src/domain/json.ts";
import { adminOf, type Admin } from "../cluster/admin.ts";
import { promise } from "../support/promise.ts";
import { runCommand, startServing } from "../support/world.ts";
import { openPlace, type Place } from "./place.ts";

let place: Place;
let second: PracticeCluster;
let kubeconfig: string;
beforeAll(async () => {
  place = await openPlace();
  await mkdir(join(place.folder, "second"));
  second = await startPracticeCluster({ folder: join(place.folder, "second"), seed: seedStory().manifests });
  kubeconfig = join(place.folder, "two.kubeconfig");
  const clusters = [
    { name: "one", cluster: { server: place.practice.server } },
    { name: "two", cluster: { server: second.server } },
    { name: "dead", cluster: { server: "http://127.0.0.1:1" } },
    { name: "open", cluster: { server: "https://127.0.0.1:1", "insecure-skip-tls-verify": true } },
  ];
  const users = [
    { name: "one", user: { token: place.practice.adminToken } },
    { name: "two", user: { token: second.adminToken } },
  ];
  const contexts = [
    { name: "one", context: { cluster: "one", user: "one" } },
    { name: "admin two", context: { cluster: "two", user: "two" } },
    { name: "dead", context: { cluster: "dead", user: "one" } },
    { name: "open", context: { cluster: "open", user: "one" } },
    { name: "broken", context: { cluster: "nowhere", user: "one" } },
  ];
  const config = { apiVersion: "v1", kind: "Config", "current-context": "one", clusters, users, contexts };
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
});
afterAll(async () => {
  await second.stop();
  await place.stop();
});

/** A person's environment with this sallyport.yaml. */
async function configured(home: string, text: string): Promise<Record<string, string>> {
  const env = place.env(home, kubeconfig);
  const folder = env["SALLYPORT_HOME"] ?? "";
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "sallyport.yaml"), text, { mode: 0o600 });
  return env;
}

/** What a start is refused with, without the file's folder; "" where it started. */
async function refusal(home: string, text: string, more: Record<string, string> = {}): Promise<string> {
  const env = { ...(await configured(home, text)), ...more };
  try {
    await (await startServing(env)).stop();
    return "";
  } catch (thrown) {
    return String(thrown instanceof Error ? thrown.message : thrown).replaceAll(`${place.folder}/`, "");
  }
}

const problems = (text: string): string[] => {
  const loaded = loadConfig(text);
  return loaded.kind === "loaded" ? [] : loaded.problems.map((one) => `${one.line}:${one.column} ${one.sentence}`);
};

promise(
  "clusters:configuration",
  "names, mappings and the own pod are taken, each mistake is told where it stands",
  () => {
    const good = loadConfig(
      "version: 1\nclusters:\n  - arn:aws:eks:eu:1:cluster/prod\n  - { context: admin two, name: two, kubeconfig: b }\n  - { name: here, inCluster: true }\n",
    );
    expect(good.kind === "loaded" && good.config.clusters).toEqual([
      { name: "arn:aws:eks:eu:1:cluster/prod", context: "arn:aws:eks:eu:1:cluster/prod", inCluster: false },
      { name: "two", context: "admin two", kubeconfig: "b", inCluster: false },
      { name: "here", context: "", inCluster: true },
    ]);
    const head = "version: 1\n";
    expect([
      problems(`${head}clusters: []\n`),
      problems(`${head}clusters: prod\n`),
      problems(`${head}clusters:\n  - 5\n`),
      problems(`${head}clusters:\n  - admin two\n`),
      problems(`${head}clusters:\n  - { context: admin two }\n`),
      problems(`${head}clusters:\n  - { name: two }\n`),
      problems(`${head}clusters:\n  - { name: two, contxt: b }\n`),
      problems(`${head}clusters:\n  - { inCluster: true }\n`),
      problems(`${head}clusters:\n  - { name: a, inCluster: true, context: b }\n`),
      problems(`${head}clusters:\n  - { name: a, inCluster: false }\n`),
      problems(`${head}clusters: [a, b, { name: a, context: c }]\n`),
      problems(`${head}context: a\nclusters: [a]\n`),
    ]).toEqual([
      [expect.stringMatching(/^2:11 clusters: Too small/)],
      [expect.stringMatching(/^2:11 clusters: Invalid input/)],
      ["3:5 clusters.0: must be a text or a mapping"],
      ["3:5 clusters.0: must be letters, digits and . _ : @ / - alone: give the cluster a name"],
      ["3:16 clusters.0.context: has characters that no cluster's name may have: add a name"],
      ["3:5 clusters.0.context: is missing"],
      ["3:18 clusters.0.contxt is not a setting.", "3:5 clusters.0.context: is missing"],
      ["3:18 clusters.0.inCluster: needs a name beside it"],
      ["3:27 clusters.0.inCluster: needs no kubeconfig and no context"],
      [expect.stringMatching(/^3:27 clusters.0.inCluster: Invalid input/)],
      ["2:18 clusters.2: there is a cluster a already: give one of them another name"],
      ["2:10 context: stands beside clusters: name it in the list"],
    ]);
  },
);

promise(
  "clusters:configuration",
  "a start names every cluster that can't be used, with its line and the contexts that there are",
  async () => {
    const contexts = "its contexts are one, admin two, dead, open, broken";
    expect(
      await refusal(
        "unknown",
        `version: 1
clusters:
  - one
  - prod
  - { name: b, context: broken }
  - { name: c, context: one, kubeconfig: missing.yaml }
  - { name: d, inCluster: true }
`,
      ),
    ).toBe(
      [
        `unknown/sallyport.yaml:4:5: clusters.1: The kubeconfig two.kubeconfig can't be used: it has no context "prod"; ${contexts}.`,
        "unknown/sallyport.yaml:5:25: clusters.2: The kubeconfig two.kubeconfig can't be used: contexts[4].context.cluster names no cluster that is there.",
        "unknown/sallyport.yaml:6:25: clusters.3: The kubeconfig unknown/missing.yaml can't be used: there is no such file.",
        "unknown/sallyport.yaml:7:27: clusters.4: this is no pod of a cluster.",
      ].join("\n"),
    );
    expect(await refusal("one-unknown", "version: 1\ncontext: prod\n")).toBe(
      `one-unknown/sallyport.yaml:2:10: context: The kubeconfig two.kubeconfig can't be used: it has no context "prod"; ${contexts}.`,
    );
    // A context that is not in the list may be as broken as it likes, and a dead cluster is no mistake.
    expect(await refusal("fine", "version: 1\nclusters: [one, dead]\n")).toBe("");
  },
);

promise(
  "clusters:configuration",
  "a cluster that is not verified keeps a gateway for several people from starting, and one's own not",
  async () => {
    const sentence = "The kubeconfig says insecure-skip-tls-verify for open: in mode multi-user";
    expect(await refusal("many", "version: 1\nmode: multi-user\nclusters: [one, open]\n")).toContain(sentence);
    expect(await refusal("many-one", "version: 1\nmode: multi-user\ncontext: open\n")).toContain(sentence);
    expect(await refusal("mine", "version: 1\nclusters: [one, open]\n")).toBe("");
    const doctor = await runCommand(["doctor"], await configured("mine", "version: 1\nclusters: [one, open]\n"));
    expect(doctor.out).toMatch(/note +open kubeconfig +cluster open at .* WITHOUT VERIFYING ITS CERTIFICATE/);
  },
);

promise(
  "kubernetes:in-cluster",
  "in a pod without any kubeconfig the pod's own cluster is meant, and a kubeconfig goes before it",
  async () => {
    const pod = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "1" };
    const told = "The pod's file /var/run/secrets/kubernetes.io/serviceaccount/ca.crt can't be read (ENOENT).";
    expect(await refusal("pod", "version: 1\n", { ...pod, KUBECONFIG: "" })).toBe(told);
    expect(await refusal("pod", "version: 1\n", pod)).toBe("");
    const named = await refusal("pod-named", "version: 1\nclusters: [{ name: here, inCluster: true }]\n", pod);
    expect(named).toBe(told);
  },
);

const clusters = `version: 1
clusters:
  - one
  - dead
  - { name: two, context: admin two }
`;

/** Which of our namespaces' bindings a cluster has. */
async function bound(admin: Admin): Promise<string[]> {
  const { body } = await admin.send("GET", "/apis/rbac.authorization.k8s.io/v1/rolebindings");
  const items = at(body, "items");
  const names = (Array.isArray(items) ? items : []).map(
    (item) => `${textAt(item, "metadata", "namespace")}/${textAt(item, "metadata", "name")}`,
  );
  return names.filter((name) => name.endsWith("/sallyport-reader"));
}

promise(
  "clusters:enrol",
  "all of the configuration's: the living ones are enrolled, the dead one is said, and the exit code tells",
  async () => {
    const env = await configured("enrol", clusters);
    const admins = [adminOf(place.practice), adminOf(second)];
    const enroll = (...more: string[]) =>
      runCommand(["enroll", "--namespace", "shop-prod,shop-dev", "--yes", ...more], env);

    const which = await enroll();
    expect([which.code, which.err]).toEqual([
      2,
      "Which cluster? Name it with --context, or say --all-clusters: one, dead, two.",
    ]);
    const both = await enroll("--all-clusters", "--context", "one");
    expect([both.code, both.err]).toEqual([2, "--context and --all-clusters don't go together."]);
    expect(await Promise.all(admins.map(bound))).toEqual([[], []]);

    const first = await enroll("--all-clusters");
    expect([first.code, first.err]).toEqual([1, "1 of 3 clusters failed."]);
    expect(first.out.trimEnd().split("\n").slice(-3)).toEqual([
      "one: done",
      "dead: FAILED: The cluster did not answer as it should: cluster_unavailable (GET /api/v1/namespaces/sallyport-system/configmaps/enrolment: ECONNREFUSED).",
      "two: done",
    ]);
    const reader = ["shop-dev/sallyport-reader", "shop-prod/sallyport-reader"];
    expect(await Promise.all(admins.map(bound))).toEqual([reader, reader]);

    const again = await enroll("--context", "two", "--context", "one");
    expect([again.code, again.out.includes("created"), again.out.includes("updated")]).toEqual([0, false, false]);
    expect(again.out.trimEnd().split("\n").slice(-2)).toEqual(["two: done", "one: done"]);

    const leaving = await runCommand(["unenroll", "--all-clusters", "--yes"], env);
    expect([leaving.code, leaving.err]).toEqual([1, "1 of 3 clusters failed."]);
    await expect.poll(() => Promise.all(admins.map(bound)), { timeout: 60_000 }).toEqual([[], []]);
  },
);

promise(
  "clusters:enrol",
  "a namespace that one cluster does not have stops that one alone, and --print is the same for all and asks none",
  async () => {
    const env = await configured("half", clusters);
    await adminOf(second).create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "only-two" },
    });
    const enrolled = () =>
      runCommand(["enroll", "--namespace", "only-two", "--context", "one", "--context", "two", "--yes"], env);
    let half = await enrolled();
    // What the test before took out of the second one may still be on its way.
    for (const end = Date.now() + 60_000; half.out.includes("still being removed") && Date.now() < end;)
      half = await enrolled();
    expect([half.code, ...half.out.trimEnd().split("\n").slice(-2)]).toEqual([
      1,
      "one: FAILED: Namespace only-two does not exist in this cluster.",
      "two: done",
    ]);
    const nobody = await runCommand(["enroll", "--namespace", "only-two", "--all-clusters"], env);
    expect(nobody.code).toBe(1);
    expect(nobody.out).toContain("Nobody is here to ask: add --yes.");
    await runCommand(["unenroll", "--context", "two", "--yes"], env);
    const printed = await runCommand(["enroll", "--namespace", "shop-prod", "--all-clusters", "--print"], env);
    expect([printed.code, printed.err]).toEqual([0, ""]);
    const names = parseAllDocuments(printed.out).map(
      (one) =>
        `${String(one.get("kind"))} ${String(one.getIn(["metadata", "namespace"]))} ${String(one.getIn(["metadata", "name"]))}`,
    );
    expect(new Set(names).size).toBe(names.length);
  },
);
