// sallyport enroll and unenroll as a person runs them: what is asked, what is printed, what is left.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { at, textAt } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { runCommand } from "../support/world.ts";
import { openPlace, type Place } from "./place.ts";

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(async () => {
  await place.stop();
});

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const admission = "/apis/admissionregistration.k8s.io/v1";

/** Everything that bears our name, anywhere that enroll writes. */
async function ours(): Promise<string[]> {
  const inNamespaces = ["shop-prod", "shop-dev", "sallyport-system", "sallyport-sessions"].flatMap((namespace) => [
    ...["serviceaccounts", "secrets", "configmaps", "resourcequotas"].map(
      (resource) => `/api/v1/namespaces/${namespace}/${resource}`,
    ),
    ...["roles", "rolebindings"].map((resource) => `${rbac}/namespaces/${namespace}/${resource}`),
  ]);
  const paths = [
    "/api/v1/namespaces",
    `${rbac}/clusterroles`,
    `${rbac}/clusterrolebindings`,
    `${admission}/validatingadmissionpolicies`,
    `${admission}/validatingadmissionpolicybindings`,
    ...inNamespaces,
  ];
  const found: string[] = [];
  for (const path of paths) {
    const items = at((await place.admin.send("GET", path)).body, "items");
    for (const item of Array.isArray(items) ? items : []) {
      const name = textAt(item, "metadata", "name");
      if (`${path} ${name}`.includes("sallyport")) found.push(`${path}/${name}`);
    }
  }
  return found;
}

promise(
  "commands:print",
  "with no kubeconfig at all it prints every manifest, and a cluster hears nothing",
  async () => {
    const heard = async (): Promise<number> => (await readFile(place.practice.auditLogPath, "utf8")).length;
    const before = await heard();
    const printed = await runCommand(["enroll", "--namespace", "shop-prod,shop-dev", "--print"], place.env("print"));
    expect({ code: printed.code, err: printed.err, heard: await heard() }).toEqual({ code: 0, err: "", heard: before });
    const elsewhere = place.env("print", "/nonexistent/kubeconfig");
    expect(await runCommand(["enroll", "--namespace", "shop-prod,shop-dev", "--print"], elsewhere)).toEqual(printed);
    const documents = parseAllDocuments(printed.out).map((one) => one.toJS() as { kind: string });
    expect([...new Set(documents.map((one) => one.kind))].toSorted()).toEqual([
      "ClusterRole",
      "ClusterRoleBinding",
      "ConfigMap",
      "Namespace",
      "ResourceQuota",
      "Role",
      "RoleBinding",
      "ServiceAccount",
      "ValidatingAdmissionPolicy",
      "ValidatingAdmissionPolicyBinding",
    ]);
  },
);

promise("commands:asks-first", "enroll and unenroll change nothing where nobody is there to ask", async () => {
  const env = place.env("asks");
  const enrolled = await runCommand(["enroll", "--namespace", "shop-prod"], env);
  const unenrolled = await runCommand(["unenroll"], env);
  expect([enrolled.code, enrolled.err, unenrolled.code, unenrolled.err]).toEqual([
    2,
    expect.stringMatching(/^Apply these \d+ objects to cluster practice .* Nobody is here to ask: add --yes\.$/),
    2,
    expect.stringMatching(
      /^Remove everything that enroll made from cluster practice .* Nobody is here to ask: add --yes\.$/,
    ),
  ]);
  expect(await ours()).toEqual([]);
});

promise("commands:unenroll", "nothing with our names is left in any namespace or beside them", async () => {
  const env = place.env("unenroll");
  const enrolled = await runCommand(
    ["enroll", "--namespace", "shop-prod,shop-dev", "--cluster-read", "--secrets", "--yes"],
    env,
  );
  expect([enrolled.code, enrolled.out.trimEnd().split("\n").at(-1)]).toEqual([
    0,
    `cluster practice (${place.practice.server}) is enrolled: shop-dev, shop-prod.`,
  ]);
  expect((await ours()).length).toBeGreaterThan(20);

  const one = await runCommand(["unenroll", "--namespace", "shop-dev", "--yes"], env);
  expect(one.code).toBe(0);
  expect((await ours()).filter((path) => path.includes("/shop-dev/"))).toEqual([]);
  expect((await ours()).filter((path) => path.includes("/shop-prod/")).length).toBeGreaterThan(0);

  const all = await runCommand(["unenroll", "--yes"], env);
  expect([all.code, all.out.trimEnd().split("\n").at(-1)]).toEqual([
    0,
    `Sallyport's enrolment is removed from cluster practice (${place.practice.server}).`,
  ]);
  await expect.poll(ours, { timeout: 60_000 }).toEqual([]);
  const again = await runCommand(["unenroll", "--yes"], env);
  expect([again.code, again.out.includes("removed  ")]).toEqual([0, false]);
});
