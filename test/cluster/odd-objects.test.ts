// What the tools say of objects of unusual but legal shape, on a real control plane: paused, suspended, held by a finalizer, scaled by another, without revisions.

import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type World } from "../support/world.ts";
import { adminOf, namespace, type Admin } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "odd-dev";
const apps = `/apis/apps/v1/namespaces/${place}`;
const batch = `/apis/batch/v1/namespaces/${place}`;
const core = `/api/v1/namespaces/${place}`;
const merge = { contentType: "application/merge-patch+json" };
const policy = `version: 1
rules:
  - id: all
    effect: allow
    match: { effects: [read, change, destroy] }
    reason: A test of what the answers say.
`;

describe.skipIf("skip" in cluster)(`objects of unusual shape on a real control plane${why}`, () => {
  let world: World;
  let admin: Admin;

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    world = await openWorld({ kubeconfigPath: cluster.kubeconfigPath, enroll: [place], policy });
  });
  afterAll(async () => {
    await world?.stop();
  });

  const image = (version: string): string => `registry.example.com/odd:${version}`;
  const podSpec = { containers: [{ name: "main", image: image("1") }] };
  const workload = (kind: string, name: string, spec: JsonObject = {}, pod: JsonObject = {}): JsonObject => ({
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { ...podSpec, ...pod } },
      ...spec,
    },
  });
  const deploy = async (name: string, spec: JsonObject = {}, pod: JsonObject = {}): Promise<void> => {
    await admin.create(`${apps}/deployments`, workload("Deployment", name, { replicas: 3, ...spec }, pod));
    await seen(name);
  };
  /** Waits until its controller has written down that it saw the last change, and under which revision. */
  async function seen(name: string, revision = ""): Promise<void> {
    const until = Date.now() + 60_000;
    for (let calm = 0; calm < 2;) {
      const { body } = await admin.send("GET", `${apps}/deployments/${name}`);
      const known = textAt(body, "metadata", "annotations", "deployment.kubernetes.io/revision");
      const all = at(body, "status", "observedGeneration") === at(body, "metadata", "generation");
      calm = all && (revision === "" || known === revision) ? calm + 1 : 0;
      if (Date.now() > until) throw new Error(`Deployment ${name} is not seen: ${JSON.stringify(body)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const patch = async (path: string, body: JsonObject): Promise<void> => {
    expect((await admin.send("PATCH", path, body, merge)).status).toBe(200);
  };
  const setImage = async (name: string, version: string): Promise<void> =>
    await patch(`${apps}/deployments/${name}`, {
      spec: { template: { spec: { containers: [{ name: "main", image: image(version) }] } } },
    });
  /** Its lines without the call's own. */
  const lines = async (tool: string, arguments_: JsonObject): Promise<string[]> => {
    const { text } = await world.call(tool, { namespace: place, ...arguments_ });
    return text
      .split("\n")
      .filter((line) => !/^(call call_|created: )/.test(line))
      .map((line) => line.replace(/after \d+ s/, "after N s"));
  };
  const change = { reason: "a test of unusual objects" };

  promise(
    "tools:undo-paused",
    "the template that nobody runs yet goes back to the one that the pods run; none is told as none",
    async () => {
      await deploy("paused");
      await setImage("paused", "2");
      await seen("paused", "2");
      await patch(`${apps}/deployments/paused`, { spec: { paused: true } });
      await setImage("paused", "3");
      await seen("paused", "2");
      const target = { kind: "Deployment", name: "paused" };
      const back = [
        "PREVIEW rollouts_undo Deployment odd-dev/paused - nothing changed",
        `!~ spec.template.spec.containers[main].image: "${image("3")}" -> "${image("2")}"`,
        "! goes back to revision 2",
        "! new code; paused: no pod is replaced until the Deployment is resumed",
        "undo: workloads_update or objects_patch with the values before the arrows: no revision holds this template; policy: allowed",
      ];
      expect(await lines("rollouts_undo", { ...target, ...change, preview: true })).toEqual(back);
      expect(await lines("rollouts_undo", { ...target, ...change, preview: true, to_revision: 2 })).toEqual(back);
      const history = await lines("rollouts_get", target);
      expect(history).toContain("its template is in no revision yet: no pod runs it");
      expect(history.filter((line) => line.includes("| now"))).toEqual([]);
      await deploy("never", { paused: true });
      expect(await lines("rollouts_undo", { kind: "Deployment", name: "never", ...change, preview: true })).toEqual([
        'ERROR not_found: revision "before this one" does not exist. Nothing was run.',
        "next: use one that is there: rollouts_get lists the revisions.",
      ]);
    },
  );

  promise(
    "tools:undo-true",
    "where nothing changes, and where no revision is kept, none is named to go back to",
    async () => {
      await deploy("bare", { revisionHistoryLimit: 0 });
      const update = { kind: "Deployment", name: "bare", container: "main", ...change, preview: true };
      expect((await lines("workloads_update", { ...update, image: image("2") })).at(-1)).toBe(
        `undo: workloads_update image ${image("1")}; policy: allowed`,
      );
      expect(await lines("workloads_update", { ...update, image: image("1") })).toEqual([
        "PREVIEW workloads_update Deployment odd-dev/bare - nothing changed",
        "no field changes",
        "undo: nothing to undo; policy: allowed",
      ]);
      expect(await lines("workloads_update", { ...update, image: image("1"), preview: false })).toEqual([
        "DONE workloads_update Deployment odd-dev/bare",
        "no field changes",
        "undo: nothing to undo",
      ]);
    },
  );

  promise(
    "tools:scale-autoscaled",
    "beyond its bounds, within them, down, to nothing, and against a guess",
    async () => {
      await deploy("scaled");
      await admin.create(`/apis/autoscaling/v2/namespaces/${place}/horizontalpodautoscalers`, {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "scaled" },
        spec: {
          minReplicas: 2,
          maxReplicas: 6,
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "scaled" },
          metrics: [
            { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
          ],
        },
      });
      const target = { kind: "Deployment", name: "scaled", ...change, preview: true };
      const told = async (replicas: number): Promise<string | undefined> =>
        (await lines("workloads_scale", { ...target, replicas })).find((line) => line.startsWith("! HPA"));
      expect([await told(9), await told(1), await told(0), await told(4), await told(2)]).toEqual([
        "! HPA scaled (2-6) takes it back to 6: change its maxReplicas",
        "! HPA scaled (2-6) brings it back to 2: change its minReplicas",
        "! HPA scaled (2-6) stands still while the count is 0, and sets it again after that",
        "! HPA scaled (2-6) sets this count too and may undo it: change its minReplicas",
        "! HPA scaled (2-6) sets this count too and may undo it: change its maxReplicas",
      ]);
      expect((await lines("workloads_scale", { ...target, replicas: 0 }))[1]).toBe("!~ spec.replicas: 3 -> 0");
      const stale = await world.call("workloads_scale", { namespace: place, ...target, replicas: 4, if_replicas: 5 });
      expect([stale.text.split("\n").slice(0, 2), stale.facts["retry"]]).toEqual([
        [
          "ERROR stale: spec.replicas of Deployment scaled is 3, not 5. Nothing was run.",
          "next: look at what changed it; 5 no longer holds: ask for another only if it is still wanted.",
        ],
        "change",
      ]);
    },
  );

  promise("tools:summary-whole", "those that run first, and the counts of kinds that have no replicas", async () => {
    await deploy(
      "first",
      { paused: true },
      {
        initContainers: [
          { name: "init", image: image("i") },
          { name: "proxy", image: image("p"), restartPolicy: "Always" },
        ],
      },
    );
    expect((await lines("objects_get", { kind: "Deployment", name: "first" })).slice(2, 9)).toEqual([
      '"init container init":',
      `  image: ${image("i")}`,
      '"init container proxy":',
      `  image: ${image("p")}`,
      "  restartPolicy: Always",
      '"container main":',
      `  image: ${image("1")}`,
    ]);
    const template = { spec: { ...podSpec, restartPolicy: "Never" } };
    await admin.create(`${apps}/daemonsets`, workload("DaemonSet", "each"));
    await admin.create(`${batch}/jobs`, {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "later" },
      spec: { suspend: true, completions: 4, template },
    });
    await admin.create(`${batch}/cronjobs`, {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "nightly" },
      spec: { schedule: "0 3 * * *", suspend: true, jobTemplate: { spec: { template } } },
    });
    await admin.create(`/apis/policy/v1/namespaces/${place}/poddisruptionbudgets`, {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "half" },
      spec: { minAvailable: "50%", selector: { matchLabels: { app: "none" } } },
    });
    const counts = async (kind: string, name: string): Promise<string | undefined> =>
      (await lines("objects_get", { kind, name })).find((line) => /^(pods|jobs|allows)/.test(line));
    expect([
      await counts("DaemonSet", "each"),
      await counts("Job", "later"),
      await counts("CronJob", "nightly"),
      await counts("PodDisruptionBudget", "half"),
    ]).toEqual([
      expect.stringMatching(/^pods: \d+ wanted, 0 ready, \d+ updated, 0 available$/),
      "pods: 0 of 4 succeeded, 0 failed, 0 active; suspended",
      "jobs: 0 active; last started: never; last successful: never",
      "allows 0 disruptions: 0 of 0 pods healthy, 0 needed",
    ]);
    expect(await lines("objects_get", { kind: "Deployment", name: "first", path: ".spec.strategie" })).toEqual([
      "ERROR not_found: field .spec.strategie does not exist.",
      expect.stringMatching(/^nearest: .*\bstrategy\b/),
      "next: use one that is there: view full shows all of it.",
    ]);
  });

  promise("tools:leaving-told", "by the summary, the waiting and the diagnosis", async () => {
    await admin.create(`${core}/configmaps`, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "held", finalizers: ["example.com/hold"] },
    });
    await admin.send("DELETE", `${core}/configmaps/held`);
    const target = { kind: "ConfigMap", name: "held" };
    const held = "it is on its way out, once these finalizers are done: example.com/hold";
    expect([
      (await lines("objects_get", target))[1],
      (await lines("conditions_wait", { ...target, for: "deleted", wait_seconds: 1 }))[0],
      (await lines("conditions_wait", { ...target, wait_seconds: 1 }))[0],
      (await lines("problems_diagnose", target)).slice(0, 2),
    ]).toEqual([
      `deleted: ${held}`,
      `ConfigMap odd-dev/held: not deleted after N s: ${held}. Call again to keep waiting, or problems_diagnose.`,
      `ConfigMap odd-dev/held: ready after N s: it is there; its kind reports no status; ${held}.`,
      ["ConfigMap odd-dev/held: 1 finding, causes first.", `1. ConfigMap held: ${held}`],
    ]);
    await patch(`${core}/configmaps/held`, { metadata: { finalizers: null } });
  });

  promise(
    "tools:pages-moved",
    "rows that went before the place of the cursor are missed in silence by nobody",
    async () => {
      for (const name of ["a", "b", "c", "d", "e"])
        await admin.create(`${core}/configmaps`, {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: `page-${name}`, labels: { of: "pages" } },
        });
      const asked = { kind: "ConfigMap", namespace: place, selector: "of=pages", limit: 2 };
      const first = await world.call("objects_list", asked);
      const cursor = textAt(first.facts, "cursor");
      const calm = (await lines("objects_list", { ...asked, cursor })).filter((line) => line.includes("page before"));
      await admin.send("DELETE", `${core}/configmaps/page-a`);
      const moved = (await lines("objects_list", { ...asked, cursor })).filter((line) => line.includes("page before"));
      expect([calm, moved]).toEqual([
        [],
        ["5 at the page before, 4 now: rows between the pages may be missing or come twice."],
      ]);
    },
  );

  promise("tools:delete-claims", "those that stay, and those that go", async () => {
    const claims = [
      {
        metadata: { name: "d" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      },
    ];
    const spec = { serviceName: "kept", replicas: 0, volumeClaimTemplates: claims };
    await admin.create(`${apps}/statefulsets`, workload("StatefulSet", "kept", spec));
    await admin.create(
      `${apps}/statefulsets`,
      workload("StatefulSet", "whole", {
        ...spec,
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
      }),
    );
    const shown = await lines("objects_delete", {
      kind: "StatefulSet",
      names: ["kept", "whole"],
      ...change,
      preview: true,
    });
    expect(shown.filter((line) => line.includes("volume claims"))).toEqual([
      "! the volume claims of kept stay, with their data",
      "! the volume claims of whole go with it, and their data with them",
    ]);
  });

  promise("tools:events-none", "of one that is not there", async () => {
    expect(await lines("events_list", { kind: "Deployment", name: "nowhere" })).toContain(
      "Not checked: whether Deployment nowhere exists.",
    );
  });

  promise(
    "tools:force-controllers",
    "one controller among more fields than an answer names, and one in whose name a quote stands",
    async () => {
      const put = async (manager: string, data: JsonObject): Promise<void> =>
        await patch(`${core}/configmaps/kept?fieldManager=${encodeURIComponent(manager)}`, { data });
      const fields = (value: string): JsonObject =>
        Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`field-${at}`, value]));
      const force = async (data: JsonObject): Promise<string[]> => {
        const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kept", namespace: place }, data };
        const arguments_ = { manifest: JSON.stringify(object), force_conflicts: true };
        return await lines("manifests_apply", { ...arguments_, reason: "taken over" });
      };
      await admin.create(`${core}/configmaps`, { metadata: { name: "kept" }, data: { made: "a" } });
      await put("someone", fields("a"));
      await put("zz-sync-controller", { last: "a" });
      await put('the "odd" controller', { odd: "a" });
      const before = at((await admin.send("GET", `${core}/configmaps/kept`)).body, "data");
      const [among, quoted] = [await force({ ...fields("b"), last: "b" }), await force({ odd: "b" })];
      expect([among[0], among.at(-1)]).toEqual([
        "ERROR conflict_fields: Fields of this call are kept by others. Nothing was run.",
        "next: leave out what zz-sync-controller keeps, or change it where it is taken from.",
      ]);
      expect(quoted[0]).toBe(among[0]);
      expect(at((await admin.send("GET", `${core}/configmaps/kept`)).body, "data")).toEqual(before);
      // What people keep is taken, and said.
      expect((await force(fields("b"))).join("\n")).toContain("takes over 60 fields of someone");
    },
  );
});
