// sallyport doctor: what it finds, on clusters and folders of many states.

import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { promise } from "../support/promise.ts";
import { runCommand, type Outside } from "../support/world.ts";
import { openPlace, type Place } from "./place.ts";

interface Check {
  readonly name: string;
  readonly result: string;
  readonly says: string;
  readonly next: string;
}

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(async () => {
  await place.stop();
});

/** Each check as `result name`, what those that are not ok say, and the exit code. */
async function doctor(env: Record<string, string>, outside?: Outside) {
  const { code, out, err } = await runCommand(["doctor", "--json"], env, outside);
  const checks = JSON.parse(out) as readonly Check[];
  // Whatever is not well names the next step.
  expect(checks.filter(({ result, next }) => result === "failed" && next === "")).toEqual([]);
  return {
    code,
    err,
    checks: checks.map(({ name, result }) => `${result} ${name}`),
    says: (name: string) => checks.filter((one) => one.name === name).map((one) => one.says),
  };
}

const beforeCluster = [
  "ok Node",
  "note state folder",
  "ok configuration",
  "ok policy",
  "ok masking",
  "note anchors",
  "note gateway",
];
const stray = "note other credentials";

promise("commands:doctor", "on a fresh machine: reads work, changes wait for enrolment, nothing failed", async () => {
  const found = await doctor(place.env("fresh"));
  expect(found).toMatchObject({
    code: 0,
    err: "",
    checks: [...beforeCluster, "ok kubeconfig", "ok cluster", "ok clock", "note enrolment", stray],
  });
  expect(found.says("enrolment")).toEqual([
    "this cluster is not enrolled: reads use your kubeconfig's own credential, changes are refused",
  ]);
});

promise("commands:doctor", "without a kubeconfig", async () => {
  const missing = join(place.folder, "no-such-file");
  const found = await doctor(place.env("fresh", missing));
  expect(found).toMatchObject({
    code: 3,
    err: "1 of 9 checks failed.",
    checks: [...beforeCluster, "failed kubeconfig", "ok other credentials"],
  });
  expect(found.says("kubeconfig")).toEqual([`The kubeconfig ${missing} can't be used: there is no such file.`]);
});

promise("commands:doctor", "with a dead cluster", async () => {
  const dead = await place.kubeconfig("dead", (text) => text.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1"));
  const found = await doctor(place.env("fresh", dead));
  expect(found).toMatchObject({
    code: 3,
    err: "1 of 10 checks failed.",
    checks: [...beforeCluster, "ok kubeconfig", "failed cluster", stray],
  });
});

promise("commands:doctor", "where the kubeconfig does not verify the server", async () => {
  const insecure = await place.kubeconfig("insecure", (text) =>
    text.replace("server:", "insecure-skip-tls-verify: true, server:"),
  );
  const alone = await doctor(place.env("fresh", insecure));
  expect([alone.code, alone.checks.includes("note kubeconfig")]).toEqual([0, true]);
  expect(alone.says("kubeconfig")[0]).toContain("WITHOUT VERIFYING ITS CERTIFICATE");
  // Where others' calls pass through it, that is no longer one's own risk.
  const env = place.env("multi", insecure);
  await configure(env, "version: 1\nmode: multi-user\n");
  const many = await doctor(env);
  expect([many.code, many.checks.includes("failed kubeconfig")]).toEqual([3, true]);
});

promise("commands:doctor", "where the clock is far off", async () => {
  const found = await doctor(place.env("fresh"), { now: () => Date.now() + 3_600_000 });
  expect([found.code, found.checks.includes("failed clock")]).toEqual([3, true]);
  expect(found.says("clock")[0]).toMatch(/^differs from the cluster's by (359\d|36[0-5]\d) s$/);
});

promise("commands:doctor", "with a mistake in the configuration, by its line", async () => {
  const env = place.env("bad-config");
  await configure(env, "version: 1\nmode: everybody\n");
  const found = await doctor(env);
  expect(found).toMatchObject({ code: 3, checks: ["ok Node", "ok state folder", "failed configuration"] });
  expect(found.says("configuration")[0]).toContain(`${join(env["SALLYPORT_HOME"] ?? "", "sallyport.yaml")}:2:`);
});

promise(
  "commands:doctor",
  "with a mistake in a policy, by its line, and the cluster is looked at all the same",
  async () => {
    const env = place.env("bad-policy");
    await configure(env, "version: 1\npolicies: [mine.yaml]\n");
    const policy = join(env["SALLYPORT_HOME"] ?? "", "mine.yaml");
    await writeFile(policy, "version: 1\nrules:\n  - id: all\n    effect: alow\n    match: {}\n");
    const found = await doctor(env);
    expect(found).toMatchObject({
      code: 3,
      checks: [
        "ok Node",
        "ok state folder",
        "ok configuration",
        "failed policy",
        "ok masking",
        "note anchors",
        "note gateway",
        "ok kubeconfig",
        "ok cluster",
        "ok clock",
        "note enrolment",
        stray,
      ],
    });
    expect(found.says("policy")[0]).toContain(`${policy}:4:`);
  },
);

promise("commands:doctor", "with a masking profile whose example does not hold, by its format", async () => {
  const env = place.env("bad-masking");
  await configure(env, "version: 1\nmasking:\n  files: [ours.yaml]\n");
  const profile = join(env["SALLYPORT_HOME"] ?? "", "ours.yaml");
  const format = (positive: string): string =>
    `version: 1\nformats:\n  - id: shop\n    keywords: [shop_]\n    body: a-z\n    min: 8\n    max: 8\n    source: own\n    positives: [${positive}]\n`;
  await writeFile(profile, format("shop_short"));
  const broken = await doctor(env);
  expect([broken.code, broken.checks.filter((one) => one.endsWith(" masking"))]).toEqual([3, ["failed masking"]]);
  expect(broken.says("masking")[0]).toContain(`${profile}: shop: positive example 1 is not found.`);
  await writeFile(profile, format("shop_abcdefgh"));
  expect((await doctor(env)).says("masking")[0]).toMatch(
    /^profile default in force of default, strict, ours; \d+ built-in formats and \d+ of profiles, /,
  );
});

promise("commands:doctor", "where others can write in the state folder", async () => {
  const env = place.env("open");
  await configure(env, "version: 1\n");
  await chmod(env["SALLYPORT_HOME"] ?? "", 0o775);
  const found = await doctor(env);
  expect([found.code, found.checks[1]]).toEqual([3, "failed state folder"]);
});

promise(
  "commands:doctor",
  "on an enrolled cluster: whole, one object gone, one changed, one edited by its admin",
  async () => {
    const env = place.env("enrolled");
    const enrolled = await runCommand(["enroll", "--namespace", "shop-prod", "--yes"], env);
    expect(enrolled.code).toBe(0);
    const enrolment = async () => {
      const found = await doctor(env);
      return [found.code, ...found.checks.filter((one) => one.endsWith("enrolment")), ...found.says("enrolment")];
    };
    expect(await enrolment()).toEqual([0, "ok enrolment", "shop-prod"]);

    const rbac = "/apis/rbac.authorization.k8s.io/v1";
    await place.admin.send("DELETE", `${rbac}/namespaces/shop-prod/rolebindings/sallyport-reader`);
    expect(await enrolment()).toEqual([
      3,
      "ok enrolment",
      "failed enrolment",
      "shop-prod",
      "RoleBinding shop-prod/sallyport-reader is missing",
    ]);
    await runCommand(["enroll", "--namespace", "shop-prod", "--yes"], env);

    const merge = { contentType: "application/merge-patch+json" };
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
    await place.admin.send("PATCH", `${rbac}/clusterroles/sallyport-grant-maker`, { rules }, merge);
    const [code, , , , changed] = await enrolment();
    expect([code, changed]).toEqual([
      3,
      expect.stringMatching(
        /^ClusterRole sallyport-grant-maker is not as enrolment makes it: may also get pods; may no longer/,
      ),
    ]);
    await runCommand(["enroll", "--namespace", "shop-prod", "--yes"], env);

    // The ceiling is the admin's to narrow: worth knowing, and no failure.
    await place.admin.send("PATCH", `${rbac}/clusterroles/sallyport-ceiling`, { rules }, merge);
    const [after, , , , edited] = await enrolment();
    expect([after, edited]).toEqual([
      0,
      expect.stringMatching(/^ClusterRole sallyport-ceiling was edited by an administrator: may no longer/),
    ]);
  },
);

async function configure(env: Record<string, string>, text: string): Promise<void> {
  const folder = env["SALLYPORT_HOME"] ?? "";
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "sallyport.yaml"), text, { mode: 0o600 });
}
