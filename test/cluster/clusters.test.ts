// Several clusters behind one gateway, through the agent's own client: which are offered, which are reached, and what a dead one does to the others.

import { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, inject } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { clientTransport } from "../support/world.ts";
import { openFleet, place, type Fleet } from "./fleet.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await openFleet(inject("cluster"));
  await fleet.world.restart(async () => {
    for (const name of ["prod", "dev"]) {
      const enrolled = await fleet.world.sallyport(["enroll", "--context", name, "--namespace", place, "--yes"]);
      if (enrolled.code !== 0) throw new Error(`${enrolled.out}${enrolled.err}`);
    }
  });
}, 300_000);
afterAll(async () => {
  await fleet?.stop();
}, 300_000);

const scale = (cluster: string, replicas: number): JsonObject => ({
  cluster,
  kind: "Deployment",
  namespace: place,
  name: "api",
  replicas,
  reason: "more is asked of it",
});
const deployments = (cluster: string): JsonObject => ({ cluster, kind: "deployments", namespace: place });
const withoutId = (text: string): string => text.replace(/call_[0-9a-f-]+/g, "call");

async function detailsOf(kind: string): Promise<JsonObject[]> {
  const entries = (await fleet.world.entries()).filter((entry) => entry["kind"] === kind);
  return entries.map((entry) => entry["details"] as JsonObject);
}

promise(
  "clusters:list",
  "the enum of each tool holds the clusters whose rules could let it run, and no other",
  async () => {
    const { tools } = await fleet.world.agent.listTools();
    const offered = tools.map(({ name, inputSchema }) => [
      name,
      at(inputSchema as JsonObject, "properties", "cluster", "enum") ?? null,
    ]);
    expect(Object.fromEntries(offered)).toEqual({
      access_review: ["dead", "hole", "prod", "dev"],
      objects_list: ["dead", "hole", "prod", "dev"],
      objects_get: ["dead", "hole", "prod", "dev"],
      logs_read: ["dev"],
      workloads_scale: ["prod", "dev"],
      approval_wait: null,
    });
    expect(
      tools
        .filter((tool) => tool.name !== "approval_wait")
        .every((tool) => tool.inputSchema.required?.[0] === "cluster"),
    ).toBe(true);
  },
);

promise(
  "clusters:named",
  "none, one that is hidden, one that does not exist, and something that is no name",
  async () => {
    const { cluster: _, ...without } = scale("", 2);
    const asked = [
      without,
      scale("dead", 2),
      scale("nowhere", 2),
      scale("admin@prod", 2),
      { ...without, cluster: ["dev"] },
    ];
    const answers = await Promise.all(asked.map((one) => fleet.world.call("workloads_scale", one)));
    const texts = new Set(answers.map((answer) => withoutId(answer.text)));
    expect([...texts]).toEqual([expect.stringContaining("cluster: must be one of prod, dev")]);
    // Whatever else is wrong is told with it.
    const both = await fleet.world.call("workloads_scale", { ...without, replicas: -1 });
    expect(both.text).toContain("cluster: must be one of prod, dev");
    expect(both.text).toContain("replicas: must be at least 0");
  },
);

promise(
  "clusters:governed",
  "reads answer for their own cluster and say so, each with a session token of its own",
  async () => {
    const [prod, dev] = await Promise.all(
      ["prod", "dev"].map((one) => fleet.world.call("objects_list", deployments(one))),
    );
    expect([prod?.text, dev?.text].map((text) => text?.split("\n").at(-2))).toEqual(["cluster prod", "cluster dev"]);
    const readers = (await detailsOf("grant.issued")).filter((details) => details["issuer"] === "reader");
    expect(readers.map((details) => details["cluster"]).toSorted()).toEqual(["dev", "prod"]);
    expect(new Set(readers.map((details) => details["jti"])).size).toBe(2);
  },
);

promise(
  "clusters:governed",
  "the same change is allowed in one cluster and put to a person in the other, whose card and run are of that cluster",
  async () => {
    const before = await fleet.replicas(fleet.prod);
    const done = await fleet.world.call("workloads_scale", scale("dev", 4));
    expect(done.text.split("\n")[0]).toBe(`DONE workloads_scale Deployment ${place}/api`);
    expect([await fleet.replicas(fleet.dev), await fleet.replicas(fleet.prod)]).toEqual([4, before]);

    const pending = await fleet.world.call("workloads_scale", scale("prod", 3));
    expect(pending.facts["outcome"]).toBe("suspended");
    const id = textAt(pending.facts, "approval");
    expect((await fleet.world.sallyport(["approvals", "show", id], "approver")).out).toMatch(/cluster +prod/);
    await fleet.world.approve();
    const result = await fleet.world.call("approval_wait", { id, wait_seconds: 45 });
    expect(result.text).toContain("cluster prod");
    expect([await fleet.replicas(fleet.dev), await fleet.replicas(fleet.prod)]).toEqual([4, 3]);

    const call = textAt(pending.facts, "call");
    const entries = (await fleet.world.entries()).filter((entry) => entry["call"] === call);
    const clusters = entries.flatMap((entry) => at(entry, "details", "cluster") ?? []);
    expect(new Set(clusters)).toEqual(new Set(["prod"]));
    expect(
      at(entries.find((entry) => entry["kind"] === "call.settled") ?? {}, "details", "objects", 0, "cluster"),
    ).toBe("prod");
    expect((await fleet.world.sallyport(["transcript", "verify"])).code).toBe(0);
  },
);

promise(
  "clusters:governed",
  "a review answers for the cluster that it names, and for another one that its arguments name",
  async () => {
    const review = async (cluster: string, arguments_: JsonObject): Promise<string> =>
      (await fleet.world.call("access_review", { cluster, tool: "workloads_scale", arguments: arguments_ })).text.split(
        "\n",
      )[0] ?? "";
    const { cluster: _, ...scaling } = scale("", 2);
    expect(await review("dev", scaling)).toContain("allowed");
    expect(await review("prod", scaling)).toContain("needs approval");
    expect(await review("dev", { ...scaling, cluster: "prod" })).toContain("needs approval");
    const standing = await fleet.world.call("access_review", { cluster: "prod" });
    expect(standing.text).toMatch(/needs approval: workloads_scale/);
    expect(standing.text).toMatch(new RegExp(`namespaces \\(\\d+\\): (?:.*, )?${place}\\b`));
  },
);

promise(
  "clusters:dead",
  "a call of theirs fails by itself while the others list, read, change and wait",
  async () => {
    const silent = fleet.world.call("objects_list", deployments("hole"));
    const refused = await fleet.world.call("objects_list", deployments("dead"));
    expect(refused.text).toContain("ERROR cluster_unavailable");
    const list = await fleet.world.call("objects_list", deployments("prod"));
    const changed = await fleet.world.call("workloads_scale", scale("dev", 5));
    const waited = await fleet.world.call("approval_wait", {
      id: "apr_01950000-0000-7000-8000-000000000001",
      wait_seconds: 0,
    });
    expect([list.isError, changed.isError, withoutId(waited.text).split("\n")[0]]).toEqual([
      false,
      false,
      expect.stringMatching(/^ERROR not_found/),
    ]);
    expect((await fleet.world.agent.listTools()).tools).toHaveLength(6);
    expect((await silent).text).toContain("ERROR deadline_exceeded");
  },
  300_000,
);

promise(
  "clusters:dead",
  "leftovers are swept and an unknown object is told of in the others, by cluster, and closing ends beside calls that hang",
  async () => {
    const gateway = (await fleet.world.entries()).find((entry) => entry["kind"] === "gateway.started");
    const labels = {
      "sallyport.dev/grant": "gr_unknown",
      "sallyport.dev/gateway": textAt(gateway ?? {}, "gateway", "id"),
    };
    for (const admin of [fleet.prod, fleet.dev])
      await admin.create("/api/v1/namespaces/sallyport-sessions/serviceaccounts", {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "stray", labels },
      });
    // A second client, which nobody closes: the gateway has to close around its call.
    const { url, tokens } = fleet.world;
    const other = new Client({ name: "other-agent", version: "1.0.0" });
    await other.connect(clientTransport(url, tokens.agent));
    const hanging = Promise.allSettled([other.callTool({ name: "objects_list", arguments: deployments("hole") })]);
    await expect.poll(() => fleet.held(), { timeout: 60_000 }).toBeGreaterThan(0);
    await fleet.world.restart();
    await other.close();
    await hanging;
    const alerts = async () =>
      (await detailsOf("alert.raised")).map((details) => at(details, "about", "cluster")).toSorted();
    await expect.poll(alerts, { timeout: 60_000 }).toEqual(["dev", "prod"]);
    for (const admin of [fleet.prod, fleet.dev])
      await admin.send("DELETE", "/api/v1/namespaces/sallyport-sessions/serviceaccounts/stray");
    expect(await detailsOf("grant.revoked")).not.toContainEqual(expect.objectContaining({ complete: false }));
  },
  300_000,
);

promise(
  "clusters:dead",
  "one that falls silent after it was read keeps the gateway from closing for seconds alone, and what it kept is swept when it is back",
  async () => {
    await fleet.world.call("objects_list", deployments("dev"));
    fleet.wire.rule = () => ({ kind: "hang" });
    await fleet.world.restart(async () => {
      fleet.wire.rule = () => ({ kind: "pass" });
    });
    const ends = async (kind: string): Promise<JsonObject[]> =>
      (await detailsOf(kind)).filter((one) => one["complete"] !== true);
    const [left] = await ends("grant.revoked");
    expect(left).toEqual({ grant: expect.stringMatching(/./), complete: false });
    const swept = {
      cluster: "dev",
      grant: left?.["grant"],
      objects: [`secrets sallyport-system/anchor-${textAt(left ?? {}, "grant")}`],
      why: "left over",
    };
    await expect.poll(() => ends("grant.swept"), { timeout: 60_000 }).toContainEqual(swept);
  },
  300_000,
);

promise(
  "clusters:dead",
  "doctor says of each cluster what it is, and the dead ones take nothing from the others",
  async () => {
    const { code, out } = await fleet.world.sallyport(["doctor", "--json"]);
    const checks = JSON.parse(out) as readonly { name: string; result: string; says: string; cluster?: string }[];
    expect(checks.filter((one) => one.name === "policy").map((one) => `${one.result} ${one.says}`)).toEqual([
      expect.stringMatching(/^ok 5 rules/),
      "note rule scale-in-prod is for old-prod, and this gateway has dead, hole, prod, dev",
    ]);
    // The enrolment itself is looked at only for being told of: other files enrol in the same control plane meanwhile.
    const told = ({ name, result }: { name: string; result: string }) =>
      name === "enrolment" ? name : `${result} ${name}`;
    const of = (cluster: string) => [...new Set(checks.filter((one) => one.cluster === cluster).map(told))];
    expect([code, of("dead"), of("hole"), of("prod"), of("dev")]).toEqual([
      3,
      ["ok kubeconfig", "failed cluster"],
      ["ok kubeconfig", "failed cluster"],
      ["ok kubeconfig", "ok cluster", "ok clock", "enrolment"],
      ["ok kubeconfig", "ok cluster", "ok clock", "enrolment"],
    ]);
  },
  300_000,
);
