// The change tools on a real control plane: what each preview shows, what each run leaves, and that nothing else was sent.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type Answer, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "change-dev";
const apps = `/apis/apps/v1/namespaces/${place}`;
const core = `/api/v1/namespaces/${place}`;
const batch = `/apis/batch/v1/namespaces/${place}`;
const merge = { contentType: "application/merge-patch+json" };

describe.skipIf("skip" in cluster)(`change tools on a real control plane${why}`, () => {
  let world: World;
  let admin: Admin;
  const password = `pw-${randomBytes(12).toString("hex")}`;
  const base = { namespace: place, reason: "a test of the change tools" };

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    for (const name of ["api", "other", "undo"])
      await admin.create(`${apps}/deployments`, deployment(name, 2, password));
    const set = deployment("db", 1, password);
    await admin.create(`${apps}/statefulsets`, {
      ...set,
      kind: "StatefulSet",
      spec: { ...(set["spec"] as JsonObject), serviceName: "db" },
    });
    const pod = { restartPolicy: "Never", containers: [container(password)] };
    await admin.create(`${batch}/cronjobs`, {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "report" },
      spec: {
        schedule: "0 3 1 1 *",
        suspend: true,
        jobTemplate: { metadata: { labels: { app: "report" } }, spec: { template: { spec: pod } } },
      },
    });
    await admin.create(`${core}/configmaps`, configMap("settings", { LOG_LEVEL: "info", KEPT: "yes" }));
    await admin.create(`${core}/configmaps`, configMap("logins", { "app.properties": `db.password=${password}` }));
    for (const name of ["gone-1", "gone-2", "gone-3", "stays"])
      await admin.create(`${core}/configmaps`, configMap(name, {}));
    world = await openWorld({ kubeconfigPath: cluster.kubeconfigPath, enroll: [place], config: "hold: 45" });
  });
  afterAll(async () => {
    await world?.stop();
  });

  const read = async (path: string): Promise<JsonObject> => (await admin.send("GET", path)).body;
  const preview = async (tool: string, arguments_: JsonObject): Promise<Answer> =>
    await world.call(tool, { ...base, ...arguments_, preview: true });
  /** Calls a tool, and agrees as the approver where a person is asked. */
  async function change(tool: string, arguments_: JsonObject): Promise<Answer> {
    const [answer] = await Promise.all([world.call(tool, { ...base, ...arguments_ }), world.approve()]);
    return answer;
  }
  /** The lines between the headline and the call's own: the same in a preview and in its run, but for the policy. */
  const effectOf = (answer: Answer): string[] =>
    answer.text
      .split("\n")
      .slice(1)
      .filter((line) => !/^(call call_|\d+ masked|cut:)/.test(line))
      .map((line) => line.replace(/; policy: [a-z ]+$/, ""));

  /** What was sent for a call beside the gateway's own work, and what it had declared: as `verb resource namespace/name`. */
  async function sentAndDeclared(answer: Answer): Promise<{ sent: string[]; declared: string[] }> {
    const call = textAt(answer.facts, "call");
    const events = (await admin.audit()).filter(
      (event) =>
        textAt(event, "auditID").startsWith(`${call}.`) &&
        /:(preview|run-[^:]+)$/.test(textAt(event, "user", "username")) &&
        textAt(event, "objectRef", "resource") !== "selfsubjectaccessreviews",
    );
    const decided = (await world.entries()).find((entry) => entry["call"] === call && entry["kind"] === "call.decided");
    const accesses = at(decided, "details", "accesses");
    const lines = (Array.isArray(accesses) ? accesses : []).map((line) => String(line).replace(/\?$/, ""));
    // A `get` of a whole collection stands for the one object that the list led to.
    const asDeclared = (line: string): string => {
      const any = line.replace(/[^/]+$/, "*");
      return line.startsWith("get ") && !lines.includes(line) && lines.includes(any) ? any : line;
    };
    return {
      sent: [...new Set(events.map(requestLine).map(asDeclared))].sort(),
      // A creation by apply is one PATCH; its `create` is checked by the server inside it.
      declared: [...new Set(lines)].filter((line) => !line.startsWith("create ")).sort(),
    };
  }
  /** Each tool's runs of this file. */
  const ran: Answer[] = [];

  /** A preview that says this, changes nothing, and a run that does what the preview said. */
  async function previewThenRun(tool: string, arguments_: JsonObject, path: string, run = change): Promise<Answer> {
    // Its controller may write meanwhile; nobody else may.
    const ours = async (): Promise<unknown> => {
      const object = await read(path);
      return ["spec", "data"].map((part) => at(object, part)).concat(at(object, "metadata", "labels"));
    };
    const before = await ours();
    const shown = await preview(tool, arguments_);
    expect([shown.isError, shown.text.split("\n")[0]]).toEqual([
      false,
      expect.stringMatching(new RegExp(`^PREVIEW ${tool} .* - nothing changed$`)),
    ]);
    expect(await ours()).toEqual(before);
    const done = await run(tool, arguments_);
    expect([done.isError, done.facts["effect"], done.text.split("\n")[0]]).toEqual([
      false,
      "applied",
      expect.stringMatching(new RegExp(`^DONE ${tool} `)),
    ]);
    ran.push(done);
    return done;
  }

  promise(
    "tools:change-restart",
    "without a person outside production, and the annotation is all that changes",
    async () => {
      const before = await read(`${apps}/deployments/api`);
      const done = await previewThenRun(
        "workloads_restart",
        { kind: "Deployment", name: "api" },
        `${apps}/deployments/api`,
        async (tool, arguments_) => await world.call(tool, { ...base, ...arguments_ }),
      );
      const after = await read(`${apps}/deployments/api`);
      const set = textAt(after, "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt");
      expect(effectOf(done)).toEqual([
        `+ spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt: "${set}"`,
        "! rolls 2 pods, 0 down, 1 extra at a time",
        "undo: a restart can't be taken back; rollouts_undo changes the template",
      ]);
      expect(at(after, "spec", "template", "spec")).toEqual(at(before, "spec", "template", "spec"));
    },
  );

  promise("tools:change-made-values", "the time that the approver saw is the one that is written", async () => {
    await admin.send("PATCH", `/api/v1/namespaces/${place}`, labels("prod"), merge);
    const seen: string[] = [];
    const [done] = await Promise.all([
      world.call("workloads_restart", { ...base, kind: "StatefulSet", name: "db" }),
      (async () => {
        const id = await waitForRequest();
        seen.push((await world.sallyport(["approvals", "show", id], "approver")).out);
        await world.approve();
      })(),
    ]);
    await admin.send("PATCH", `/api/v1/namespaces/${place}`, labels("dev"), merge);
    const after = await read(`${apps}/statefulsets/db`);
    const set = textAt(after, "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt");
    expect([done.isError, seen[0]?.includes(set), set.length]).toEqual([false, true, 24]);
  });
  async function waitForRequest(): Promise<string> {
    for (;;) {
      const listed = await world.sallyport(["approvals", "list", "--json"], "approver");
      const id = /"id":\s*"(apr_[^"]+)"/.exec(listed.out)?.[1];
      if (id !== undefined) return id;
    }
  }

  promise(
    "tools:change-update",
    "image, variables and limits of a Deployment's container, and the rest stays",
    async () => {
      const before = await read(`${apps}/deployments/api`);
      const done = await previewThenRun(
        "workloads_update",
        {
          kind: "Deployment",
          name: "api",
          container: "main",
          image: "registry.example.com/pause:2",
          env: { LOG_LEVEL: "debug" },
          limits: { memory: "256Mi" },
        },
        `${apps}/deployments/api`,
      );
      const path = "spec.template.spec.containers[main]";
      expect(effectOf(done)).toEqual([
        `!+ ${path}.env[LOG_LEVEL].value: "debug"`,
        `!~ ${path}.image: "registry.example.com/pause:1" -> "registry.example.com/pause:2"`,
        `+ ${path}.resources.limits.memory: "256Mi"`,
        "! new code in 2 pods, 0 down, 1 extra at a time",
        "undo: rollouts_undo, or workloads_update image registry.example.com/pause:1, env LOG_LEVEL=null, limits memory=(none)",
      ]);
      const was = at(before, "spec", "template", "spec", "containers", 0) as JsonObject;
      expect(at(await read(`${apps}/deployments/api`), "spec", "template", "spec", "containers", 0)).toEqual({
        ...was,
        image: "registry.example.com/pause:2",
        env: [
          { name: "LOG_LEVEL", value: "debug" },
          { name: "DB_PASSWORD", value: password },
        ],
        resources: { limits: { memory: "256Mi" } },
      });
    },
  );

  promise("tools:change-update", "a CronJob's container, and a variable that null removes", async () => {
    const arguments_ = { kind: "CronJob", name: "report", container: "main", env: { EXTRA: null } };
    const done = await previewThenRun("workloads_update", arguments_, `${batch}/cronjobs/report`);
    expect(effectOf(done)).toEqual([
      '!- spec.jobTemplate.spec.template.spec.containers[main].env[EXTRA].value: "1"',
      "! takes effect with the next Job; running Jobs stay as they are",
      "undo: workloads_update env EXTRA=1",
    ]);
  });

  promise("tools:change-update", "a Pod's limits in place, by the resize door alone", async () => {
    const limits = { cpu: "100m", memory: "64Mi" };
    const sized = { ...container(password), resources: { limits, requests: limits } };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "sized" }, spec: { containers: [sized] } };
    await admin.create(`${core}/pods`, pod);
    const arguments_ = {
      kind: "Pod",
      name: "sized",
      container: "main",
      limits: { cpu: "200m" },
      requests: { cpu: "200m" },
    };
    const done = await previewThenRun("workloads_update", arguments_, `${core}/pods/sized`);
    expect(effectOf(done).slice(0, 2)).toEqual([
      '~ spec.containers[main].resources.limits.cpu: "100m" -> "200m"',
      '~ spec.containers[main].resources.requests.cpu: "100m" -> "200m"',
    ]);
    const image = await preview("workloads_update", { kind: "Pod", name: "sized", container: "main", image: "x:2" });
    expect(image.facts["code"]).toBe("invalid_input");
  });

  promise("tools:change-update", "a Pod whose node can't resize it, named as such", async () => {
    const path = `${core}/pods/fixed`;
    await admin.create(`${core}/pods`, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "fixed" },
      // No scheduler's pod: no kubelet writes its status again.
      spec: { schedulerName: "nobody", containers: [container(password)] },
    });
    // What such a node's kubelet leaves out: the resources of a container that runs.
    const running = { name: "main", state: { running: {} }, ready: true, restartCount: 0, image: "x", imageID: "" };
    await admin.send("PATCH", `${path}/status`, { status: { phase: "Running", containerStatuses: [running] } }, merge);
    const limits = { cpu: "200m" };
    const asked = { kind: "Pod", name: "fixed", container: "main", limits };
    const refused = await preview("workloads_update", asked);
    expect(refused.text.split("\n").filter((line) => !line.startsWith("call "))).toEqual([
      "ERROR resize_unsupported: Pod fixed can't be resized while it runs: its node does not support it. Nothing was run.",
      "next: change the workload that owns it with workloads_update: its pods are replaced by resized ones.",
    ]);
  });

  promise(
    "tools:change-pod-security",
    "of pods that are made anew, where the namespace holds them to one",
    async () => {
      const label = (level: string | null): Promise<unknown> =>
        admin.send(
          "PATCH",
          `/api/v1/namespaces/${place}`,
          { metadata: { labels: { "pod-security.kubernetes.io/enforce": level } } },
          merge,
        );
      await label("restricted");
      const image = { kind: "Deployment", name: "other", container: "main", image: "registry.example.com/pause:3" };
      const shown = effectOf(await preview("workloads_update", image));
      await label(null);
      expect(shown.filter((line) => line.includes("profile"))).toEqual([
        "! pods must pass the restricted profile of this namespace; a workload's dry run does not try it",
      ]);
    },
  );

  promise("tools:change-hidden", "the same password and another one look alike in the diff", async () => {
    const guess = async (value: string): Promise<string[]> => {
      const env = { DB_PASSWORD: value };
      return effectOf(await preview("workloads_update", { kind: "Deployment", name: "other", container: "main", env }));
    };
    const [right, wrong] = [await guess(password), await guess(`pw-${randomBytes(12).toString("hex")}`)];
    expect(right.filter((line) => line.includes("DB_PASSWORD"))[0]).toMatch(/^!~ .*\[MASKED:password/);
    // The live value's tag goes where the caller names the value: nothing else may differ, and that only by the tag.
    const untagged = (lines: string[]): string[] =>
      lines.map((line) => line.replaceAll(/\[MASKED:password:[0-9a-f]{8}\]/g, "[MASKED:password]"));
    expect(untagged(right)).toEqual(untagged(wrong));
    expect(JSON.stringify([right, wrong])).not.toContain(password);
  });

  promise("tools:change-undo", "a Deployment goes back to its first template, password and all", async () => {
    const path = `${apps}/deployments/undo`;
    await revisions(1);
    const first = at(await read(path), "spec", "template");
    const spec = { containers: [{ ...container("another-pass-4711"), image: "registry.example.com/pause:9" }] };
    await admin.send(
      "PATCH",
      path,
      { spec: { template: { spec } } },
      { contentType: "application/strategic-merge-patch+json" },
    );
    await revisions(2);
    const done = await previewThenRun("rollouts_undo", { kind: "Deployment", name: "undo" }, path);
    expect(effectOf(done).filter((line) => !line.includes("env["))).toEqual([
      '!~ spec.template.spec.containers[main].image: "registry.example.com/pause:9" -> "registry.example.com/pause:1"',
      "! goes back to revision 1",
      "! new code in 2 pods, 0 down, 1 extra at a time",
      "undo: rollouts_undo to_revision 2",
    ]);
    expect(at(await read(path), "spec", "template")).toEqual(first);
    const missing = await preview("rollouts_undo", { kind: "Deployment", name: "undo", to_revision: 9 });
    expect([missing.isError, missing.facts["code"]]).toEqual([true, "not_found"]);
  });
  /** Waits until the controller has made its revision and written down that it saw the last change. */
  async function revisions(count: number): Promise<void> {
    const done = async (): Promise<boolean> => {
      const listed = at(await read(`${apps}/replicasets?labelSelector=app%3Dundo`), "items");
      const object = await read(`${apps}/deployments/undo`);
      const revision = textAt(object, "metadata", "annotations", "deployment.kubernetes.io/revision");
      const seen = at(object, "status", "observedGeneration") === at(object, "metadata", "generation");
      return Array.isArray(listed) && listed.length >= count && Number(revision) >= count && seen;
    };
    // Twice in a row: it writes its status in several steps.
    for (let calm = 0; calm < 2; calm = (await done()) ? calm + 1 : 0) await pause(250);
  }

  promise("tools:change-undo", "a StatefulSet goes back by its ControllerRevisions", async () => {
    const path = `${apps}/statefulsets/db`;
    const templates = async (): Promise<Json | undefined> => at(await read(path), "spec", "template");
    const now = await templates();
    while (Number(at(await read(path), "status", "observedGeneration")) < 2);
    const done = await previewThenRun("rollouts_undo", { kind: "StatefulSet", name: "db", to_revision: 1 }, path);
    expect(done.text).toContain("! goes back to revision 1");
    const after = await templates();
    expect(at(after, "spec", "containers", 0, "env", 0, "value")).toBe(password);
    expect(after).not.toEqual(now);
  });

  promise("tools:change-patch", "merge, strategic and JSON Patch each write what they say", async () => {
    const path = `${core}/configmaps/settings`;
    const config = { kind: "ConfigMap", name: "settings" };
    const merged = await previewThenRun(
      "objects_patch",
      { ...config, patch: { data: { LOG_LEVEL: "debug", NEW: "1" } } },
      path,
    );
    expect(effectOf(merged).slice(0, 2)).toEqual(['!~ data.LOG_LEVEL: "info" -> "debug"', '!+ data.NEW: "1"']);
    const steps = [
      { op: "remove", path: "/data/NEW" },
      { op: "add", path: "/metadata/labels", value: { team: "a" } },
    ];
    const stepped = await previewThenRun("objects_patch", { ...config, type: "json", patch: steps }, path);
    expect(effectOf(stepped).slice(0, 2)).toEqual(['!- data.NEW: "1"', '+ metadata.labels.team: "a"']);
    const probe = { name: "main", livenessProbe: { httpGet: { path: "/live", port: 80 } } };
    const patch = { spec: { template: { spec: { containers: [probe] } } } };
    const strategic = { kind: "deploy", name: "other", type: "strategic", patch };
    await previewThenRun("objects_patch", strategic, `${apps}/deployments/other`);
    expect(at(await read(path), "data")).toEqual({ LOG_LEVEL: "debug", KEPT: "yes" });
    const containers = at(await read(`${apps}/deployments/other`), "spec", "template", "spec", "containers");
    expect([at(containers, 0, "livenessProbe", "httpGet", "path"), at(containers, 0, "env", 0, "value")]).toEqual([
      "/live",
      password,
    ]);
  });

  promise("tools:change-patch", "an unknown field is refused, not dropped", async () => {
    const answer = await preview("objects_patch", { kind: "deploy", name: "other", patch: { spec: { replcas: 3 } } });
    expect([answer.isError, answer.facts["code"]]).toEqual([true, "invalid_object"]);
  });

  promise(
    "tools:change-delete",
    "several by name, each with a dry run first, and what is recreated is said",
    async () => {
      // Its last roll-out has done what it can where nothing becomes ready: no pod goes any more.
      for (let old = 0; old !== 1; await pause(50)) {
        const { status, metadata } = await read(`${apps}/deployments/api`);
        const seen = at(status, "observedGeneration") === at(metadata, "generation");
        old = seen && at(status, "updatedReplicas") === 1 ? Number(at(status, "replicas")) - 2 : 0;
      }
      const listed = at(await read(`${core}/pods?labelSelector=app%3Dapi`), "items", 0);
      const pod = textAt(listed, "metadata", "name");
      const shown = await preview("objects_delete", { kind: "Pod", names: [pod] });
      expect(shown.text.split("\n").slice(0, 2)).toEqual([
        `PREVIEW objects_delete Pod ${place}/${pod} - nothing changed`,
        `!- metadata.name: "${pod}"`,
      ]);
      expect(shown.text).toMatch(new RegExp(`! ${pod} is recreated by ReplicaSet api-[a-z0-9]+`));
      const owner = await preview("objects_delete", { kind: "Deployment", names: ["api"] });
      expect(owner.text).toMatch(/! deleted with it: \d replicasets, \d pods/);
      const done = await change("objects_delete", { kind: "ConfigMap", names: ["gone-1", "gone-2"] });
      ran.push(done);
      const left = at(await read(`${core}/configmaps`), "items");
      const names = (Array.isArray(left) ? left : []).map((one) => textAt(one, "metadata", "name"));
      expect(names.filter((name) => /^(gone|stays)/.test(name))).toEqual(["gone-3", "stays"]);
    },
  );

  promise("tools:change-delete", "one that is missing keeps all the others", async () => {
    const answer = await world.call("objects_delete", { ...base, kind: "ConfigMap", names: ["stays", "never-was"] });
    expect([answer.isError, answer.facts["code"], answer.facts["effect"]]).toEqual([true, "not_found", "none"]);
    expect(textAt(await read(`${core}/configmaps/stays`), "metadata", "name")).toBe("stays");
  });

  promise(
    "tools:change-apply",
    "creates and updates in one call, config first, and the preview names each",
    async () => {
      const manifest = `${yaml(deployment("fresh", 1, password))}---
apiVersion: v1
kind: ConfigMap
metadata: {name: fresh-config}
data: {MODE: fast}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {part: config}}
`;
      const done = await previewThenRun("manifests_apply", { manifest }, `${core}/configmaps/settings`);
      expect(done.text.split("\n")[0]).toBe(`DONE manifests_apply 3 objects in ${place}`);
      expect(effectOf(done).slice(0, 5)).toEqual([
        "create ConfigMap fresh-config",
        '!+ data.MODE: "fast"',
        "change ConfigMap settings",
        '+ metadata.labels.part: "config"',
        "create Deployment fresh",
      ]);
      expect(done.text).not.toContain(password);
      expect(at(await read(`${core}/configmaps/settings`), "data")).toEqual({ LOG_LEVEL: "debug", KEPT: "yes" });
      expect(
        at(await read(`${apps}/deployments/fresh`), "spec", "template", "spec", "containers", 0, "env", 0, "value"),
      ).toBe(password);
    },
  );

  promise("tools:change-apply", "one bad document keeps the good ones away", async () => {
    const manifest = `${yaml(configMap("good", { a: "1" }))}---\n${yaml({ ...deployment("bad", 1, password), spec: { replicas: -1 } })}`;
    const answer = await world.call("manifests_apply", { ...base, manifest });
    expect([answer.isError, answer.facts["effect"]]).toEqual([true, "none"]);
    expect((await admin.send("GET", `${core}/configmaps/good`)).status).toBe(404);
  });

  promise(
    "tools:change-apply",
    "another manager's field is a conflict until it is taken over, and that shows",
    async () => {
      const labelled = {
        ...configMap("settings", { LOG_LEVEL: "warn" }),
        metadata: { name: "settings", labels: { part: "config" } },
      };
      const manifest = yaml(labelled);
      await admin.send(
        "PATCH",
        `${core}/configmaps/settings?fieldManager=someone`,
        { data: { LOG_LEVEL: "error" } },
        merge,
      );
      const refused = await preview("manifests_apply", { manifest });
      expect([refused.facts["code"], refused.text.split("\n")[1]]).toEqual([
        "conflict_fields",
        "someone keeps 1: .data.LOG_LEVEL",
      ]);
      const forced = await preview("manifests_apply", { manifest, force_conflicts: true });
      expect(forced.text.split("\n").slice(1, 3)).toEqual([
        '!~ data.LOG_LEVEL: "error" -> "warn"',
        '! takes over 1 field of someone: ".data.LOG_LEVEL"',
      ]);
    },
  );

  promise(
    "tools:change-apply",
    "kinds that nobody may write are denied wherever they stand in the manifest",
    async () => {
      const good = yaml(configMap("good", { a: "1" }));
      const bad: readonly JsonObject[] = [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: "mine" } },
        { apiVersion: "v1", kind: "Secret", metadata: { name: "mine" }, type: "Opaque" },
        { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "mine" }, rules: [] },
        {
          apiVersion: "apiextensions.k8s.io/v1",
          kind: "CustomResourceDefinition",
          metadata: { name: "things.example.com" },
        },
      ];
      for (const one of bad) {
        const namespaced = !["Namespace", "CustomResourceDefinition"].includes(textAt(one, "kind"));
        const answer = await world.call("manifests_apply", { ...base, manifest: `${good}---\n${yaml(one)}` });
        expect([one["kind"], namespaced, answer.facts["code"], answer.facts["effect"]]).toEqual([
          one["kind"],
          namespaced,
          "denied",
          "none",
        ]);
      }
      expect((await admin.send("GET", `${core}/configmaps/good`)).status).toBe(404);
    },
  );

  promise("tools:change-job", "it has the template's own spec, and the CronJob owns it", async () => {
    const done = await change("jobs_run", { name: "report" });
    expect(done.isError).toBe(false);
    ran.push(done);
    const name =
      /^DONE jobs_run Job change-dev\/(report-manual-[a-z0-9]+)$/.exec(done.text.split("\n")[0] ?? "")?.[1] ?? "";
    const job = await read(`${batch}/jobs/${name}`);
    const cronJob = await read(`${batch}/cronjobs/report`);
    expect({
      owner: at(job, "metadata", "ownerReferences"),
      label: textAt(job, "metadata", "labels", "app"),
      how: textAt(job, "metadata", "annotations", "cronjob.kubernetes.io/instantiate"),
      env: at(job, "spec", "template", "spec", "containers", 0, "env"),
    }).toEqual({
      owner: [
        {
          apiVersion: "batch/v1",
          kind: "CronJob",
          name: "report",
          uid: textAt(cronJob, "metadata", "uid"),
          controller: true,
        },
      ],
      label: "report",
      how: "manual",
      env: [{ name: "DB_PASSWORD", value: password }],
    });
    expect(effectOf(done).at(-1)).toBe(`undo: objects_delete kind Job, names [${name}]`);
    const again = await preview("jobs_run", { name: "report", job_name: name });
    expect([again.isError, again.facts["code"]]).toEqual([true, "already_exists"]);
  });

  promise(
    "tools:change-node-power",
    "a sentence of ours answers on each route, before the cluster is asked to write",
    async () => {
      const spec = { template: { spec: { hostNetwork: true } } };
      const attempts: readonly (readonly [string, JsonObject])[] = [
        ["objects_patch", { kind: "deploy", name: "other", patch: { spec } }],
        ["objects_patch", { kind: "deploy", name: "other", type: "strategic", patch: { spec } }],
        [
          "objects_patch",
          {
            kind: "deploy",
            name: "other",
            type: "json",
            patch: [{ op: "add", path: "/spec/template/spec/hostNetwork", value: true }],
          },
        ],
        ["manifests_apply", { manifest: yaml(withPower(deployment("fresh", 1, password))) }],
      ];
      for (const [tool, arguments_] of attempts) {
        const answer = await preview(tool, arguments_);
        expect([answer.facts["code"], answer.text.split("\n")[0]]).toEqual([
          "denied",
          "DENIED: Policy does not allow this call. Pods in the node's network, process or IPC namespace (hostNetwork, hostPID, hostIPC) can't be written. Nothing was run.",
        ]);
      }
      expect(at(await read(`${apps}/deployments/other`), "spec", "template", "spec", "hostNetwork")).toBe(undefined);
    },
  );

  promise("tools:change-midway", "the second document is refused only when it is really written", async () => {
    const quota = {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "few" },
      spec: { hard: { "count/deployments.apps": "6" } },
    };
    await admin.create(`${core}/resourcequotas`, quota);
    try {
      await untilCounted();
      const names = ["late-1", "late-2", "late-3"];
      const manifest = names.map((name) => yaml(deployment(name, 0, password))).join("---\n");
      const answer = await change("manifests_apply", { manifest });
      const made: string[] = [];
      for (const name of names)
        if ((await admin.send("GET", `${apps}/deployments/${name}`)).status === 200) made.push(name);
      expect([answer.isError, answer.facts["code"], answer.facts["effect"]]).toEqual([
        true,
        "quota_exceeded",
        "applied",
      ]);
      const full = (list: string[]): string => list.map((name) => `Deployment ${place}/${name}`).join(", ");
      expect(answer.text).toContain(`done before it broke off: ${full(made)}`);
      expect(answer.text).toContain(
        `not done, or not known to be: ${full(names.filter((name) => !made.includes(name)))}`,
      );
    } finally {
      await admin.send("DELETE", `${core}/resourcequotas/few`);
    }
  });
  async function untilCounted(): Promise<void> {
    for (;;) {
      const used = at(await read(`${core}/resourcequotas/few`), "status", "used");
      if (isJsonObject(used)) return;
    }
  }

  promise("tools:change-sent", "for each run of each tool of this file, by the audit log", async () => {
    const tools = ran.map((answer) => answer.text.split(" ")[1] ?? "");
    expect([...new Set(tools)].sort()).toEqual([
      "jobs_run",
      "manifests_apply",
      "objects_delete",
      "objects_patch",
      "rollouts_undo",
      "workloads_restart",
      "workloads_update",
    ]);
    for (const answer of ran) {
      const { sent, declared } = await sentAndDeclared(answer);
      expect(sent.length).toBeGreaterThan(1);
      expect(sent).toEqual(declared);
    }
  });

  promise("tools:change-preview", "and the transcript of all this verifies, without a password in it", async () => {
    expect((await world.sallyport(["transcript", "verify", "--json"])).code).toBe(0);
    expect(JSON.stringify([await world.entries(), world.log()])).not.toContain(password);
  });
});

function container(password: string): JsonObject {
  const env = [
    { name: "DB_PASSWORD", value: password },
    { name: "EXTRA", value: "1" },
  ];
  return { name: "main", image: "registry.example.com/pause:1", env };
}

function configMap(name: string, data_: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: data_ };
}

function withPower(object: JsonObject): JsonObject {
  const spec = object["spec"] as JsonObject;
  const template = spec["template"] as JsonObject;
  const pod = { ...(template["spec"] as JsonObject), hostNetwork: true };
  return { ...object, spec: { ...spec, template: { ...template, spec: pod } } };
}

const labels = (environment: string): JsonObject => ({
  metadata: { labels: { "sallyport.dev/environment": environment } },
});

/** JSON is YAML. */
const yaml = (object: JsonObject): string => `${JSON.stringify(object)}\n`;

/** `patch apps/deployments change-dev/api`, as entries write an access. */
function requestLine(event: JsonObject): string {
  const [group, resource, subresource, name] = ["apiGroup", "resource", "subresource", "name"].map((key) =>
    textAt(event, "objectRef", key),
  );
  const path = [group, resource, subresource].filter((part) => part !== "").join("/");
  return `${textAt(event, "verb")} ${path} ${textAt(event, "objectRef", "namespace")}/${name === "" ? "*" : name}`;
}
