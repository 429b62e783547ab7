// What is written, on a real control plane: masks that come back, what always asks, several documents, bad input, and that the run does what the preview showed.

import { randomBytes } from "node:crypto";
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  dictionary,
  integer,
  letrec,
  oneof,
  record,
  type Arbitrary,
} from "fast-check";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import { diffObjects } from "../../src/execution/diff.ts";
import { diffLine } from "../../src/mcp/render.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type Answer, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";

const cluster = inject("cluster");
const why = "skip" in cluster ? ` (skipped: ${cluster.skip})` : "";
const place = "written-dev";
const apps = `/apis/apps/v1/namespaces/${place}`;
const core = `/api/v1/namespaces/${place}`;

/** Everything of this file may be changed without a person: what still asks, asks by itself. */
const policy = `version: 1
rules:
  - { id: read, effect: allow, match: { verbs: [get, list, watch], kinds: [configmaps, services, pods, serviceaccounts, resourcequotas, apps/deployments, apps/replicasets, autoscaling/horizontalpodautoscalers, policy/poddisruptionbudgets, batch/jobs, batch/cronjobs] }, reason: a test }
  - { id: write, effect: allow, match: { effects: [change, destroy], verbs: [create, patch, delete], kinds: [configmaps, services, pods, resourcequotas, apps/deployments, networking.k8s.io/networkpolicies, batch/jobs] }, reason: a test }
  - { id: look, effect: allow, match: { effects: [change], verbs: [get, list], kinds: [networking.k8s.io/networkpolicies] }, reason: a test }
  - { id: ask, effect: allow, match: { effects: [read], tools: [access_review, approval_wait, kinds_explain] }, reason: a test }
`;

describe.skipIf("skip" in cluster)(`what is written on a real control plane${why}`, () => {
  let world: World;
  let admin: Admin;
  const secret = (): string => randomBytes(12).toString("hex");
  const [password, token, urlPassword] = [`pw-${secret()}`, `tok-${secret()}`, `ur${secret()}`];
  const pin = "abc12";
  const base = { namespace: place, reason: "a test of what is written" };

  beforeAll(async () => {
    if ("skip" in cluster) return;
    admin = adminOf(cluster);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    for (const name of ["api", "steps", "fresh"]) await admin.create(`${apps}/deployments`, withSecrets(name));
    await admin.create(
      `${core}/configmaps`,
      config("logins", { "app.properties": `db.password=${password}\nmode=a\n`, open: "1" }),
    );
    await admin.create(`${core}/configmaps`, config("settings", { LOG_LEVEL: "info" }));
    await admin.create(`${core}/services`, service({ app: "nobody" }));
    world = await openWorld({ kubeconfigPath: cluster.kubeconfigPath, enroll: [place], policy, config: "hold: 45" });
  });
  afterAll(async () => {
    await world?.stop();
  });

  function withSecrets(name: string): JsonObject {
    const made = deployment(name, 1, password) as { spec: { template: { spec: { containers: JsonObject[] } } } };
    const [main = {}] = made.spec.template.spec.containers;
    const env = [
      ...(main["env"] as Json[]),
      { name: "DATABASE_URL", value: `postgres://app:${urlPassword}@db.internal/app` },
      { name: "ADMIN_PASSWORD", value: pin },
      { name: "MODE", value: "a" },
    ];
    made.spec.template.spec.containers[0] = { ...main, args: ["--verbose", `--token=${token}`], env };
    return made;
  }
  const read = async (path: string): Promise<JsonObject> => (await admin.send("GET", path)).body;
  const call = async (tool: string, arguments_: JsonObject): Promise<Answer> =>
    await world.call(tool, { ...base, ...arguments_ });
  const preview = async (tool: string, arguments_: JsonObject): Promise<Answer> =>
    await call(tool, { ...arguments_, preview: true });
  /** What an agent gets to edit. */
  async function yamlOf(kind: string, name: string): Promise<string> {
    const { text } = await world.call("objects_get", { kind, name, namespace: place, view: "spec" });
    return text
      .split("\n")
      .slice(1)
      .filter((line) => !/^(\d+ masked|call call_|cut:)/.test(line))
      .join("\n");
  }
  const diffOf = (answer: Answer): string[] => answer.text.split("\n").filter((line) => /^!?[~+-] /.test(line));
  const secretsIn = (answer: Answer): string[] =>
    [password, token, urlPassword].filter((one) => answer.text.includes(one));
  /** All that was set up is still there, word for word. */
  const main = async (name: string): Promise<JsonObject> =>
    at(await read(`${apps}/deployments/${name}`), "spec", "template", "spec", "containers", 0) as JsonObject;
  const problems = (answer: Answer): string[] => answer.text.split("\n").slice(1, -2);

  promise(
    "tools:round-trip",
    "a Deployment read, edited and applied as it was shown: only the edit changes",
    async () => {
      const before = await main("api");
      const yaml = (await yamlOf("Deployment", "api")).replace("pause:1", "pause:2");
      expect(yaml.match(/\[MASKED:/g)?.length).toBe(4);
      const arguments_ = { manifest: yaml, force_conflicts: true };
      const shown = await preview("manifests_apply", arguments_);
      const line =
        '!~ spec.template.spec.containers[main].image: "registry.example.com/pause:1" -> "registry.example.com/pause:2"';
      expect([diffOf(shown), secretsIn(shown)]).toEqual([[line], []]);
      const done = await call("manifests_apply", arguments_);
      expect([done.facts["effect"], diffOf(done), secretsIn(done)]).toEqual(["applied", [line], []]);
      expect(await main("api")).toEqual({ ...before, image: "registry.example.com/pause:2" });
      // The next apply owns these fields already: leaving the tokens in keeps the values, leaving them out gives them up.
      const again = await call("manifests_apply", {
        manifest: yaml.replace("--verbose", "--quiet"),
        force_conflicts: true,
      });
      expect([again.isError, diffOf(again).length]).toEqual([false, 1]);
      expect(await main("api")).toMatchObject({ args: ["--quiet", `--token=${token}`], env: before["env"] });
    },
  );

  promise("tools:round-trip", "also after a person agreed to it, who was shown the token alone", async () => {
    const before = await main("api");
    const yaml = (await yamlOf("Deployment", "api")).replace(
      "    spec:\n      containers:",
      "    spec:\n      serviceAccountName: builder\n      containers:",
    );
    const cards: string[] = [];
    const [done] = await Promise.all([
      call("manifests_apply", { manifest: yaml, force_conflicts: true }),
      (async () => {
        await untilAsked();
        cards.push((await world.sallyport(["approvals", "list"], "approver")).out);
        await world.approve();
      })(),
    ]);
    expect([done.isError, done.facts["effect"], secretsIn(done)]).toEqual([false, "applied", []]);
    expect(await main("api")).toEqual(before);
    const after = await read(`${apps}/deployments/api`);
    expect(textAt(after, "spec", "template", "spec", "serviceAccountName")).toBe("builder");
    expect(JSON.stringify([cards, await world.entries(), world.log()])).not.toMatch(
      new RegExp([password, token, urlPassword].join("|")),
    );
  });
  async function untilAsked(): Promise<void> {
    while (!(await world.sallyport(["approvals", "list", "--json"], "approver")).out.includes("apr_"));
  }

  promise("tools:round-trip", "by merge, strategic and JSON Patch, also in a ConfigMap's file", async () => {
    const path = ["spec", "template", "spec"];
    const seen = JSON.parse(JSON.stringify(await shownEnv("steps"))) as JsonObject[];
    const env = [{ name: "FIRST", value: "1" }, ...seen];
    const pod = (container: JsonObject): JsonObject =>
      path.reduceRight<JsonObject>((inner, key) => ({ [key]: inner }), { containers: [container] });
    const image = "registry.example.com/pause:1";
    const was = (await main("steps"))["env"] as readonly JsonObject[];
    const strategic = await call("objects_patch", {
      kind: "deploy",
      name: "steps",
      type: "strategic",
      patch: pod({ name: "main", env }),
    });
    expect([strategic.isError, diffOf(strategic)]).toEqual([
      false,
      ['!+ spec.template.spec.containers[main].env[FIRST].value: "1"'],
    ]);
    const merged = await call("objects_patch", {
      kind: "deploy",
      name: "steps",
      patch: pod({ name: "main", image, env: seen }),
    });
    expect([merged.isError, secretsIn(merged)]).toEqual([false, []]);
    expect((await main("steps"))["env"]).toEqual(was);
    const step = { op: "replace", path: "/spec/template/spec/containers/0/env", value: env };
    const stepped = await call("objects_patch", { kind: "deploy", name: "steps", type: "json", patch: [step] });
    expect([stepped.isError, (await main("steps"))["env"]]).toEqual([false, [{ name: "FIRST", value: "1" }, ...was]]);
    const yaml = await yamlOf("ConfigMap", "logins");
    const edited = await call("manifests_apply", {
      manifest: yaml.replace('open: "1"', 'open: "2"'),
      force_conflicts: true,
    });
    expect([edited.isError, diffOf(edited)]).toEqual([false, ['!~ data.open: "1" -> "2"']]);
    expect(at(await read(`${core}/configmaps/logins`), "data")).toEqual({
      "app.properties": `db.password=${password}\nmode=a\n`,
      open: "2",
    });
  });
  /** The variables as an agent reads them. */
  async function shownEnv(name: string): Promise<readonly JsonObject[]> {
    const { text } = await world.call("objects_get", {
      kind: "Deployment",
      name,
      namespace: place,
      path: ".spec.template.spec.containers[0].env",
    });
    const rows = [...text.matchAll(/name: (\S+)\n\s*value: (.*)/g)];
    return rows.map(([, name_ = "", value = ""]) => ({ name: name_, value: value.replace(/^"|"$/g, "") }));
  }

  promise(
    "tools:round-trip",
    "a token elsewhere, of another object or another session, or altered is refused and nothing is written",
    async () => {
      const seen = await shownEnv("fresh");
      const taken = textAt(
        seen.find((one) => one["name"] === "DB_PASSWORD"),
        "value",
      );
      const env = (name: string, value: string): JsonObject => ({
        spec: { template: { spec: { containers: [{ name: "main", env: [{ name, value }] }] } } },
      });
      const wrong: readonly (readonly [JsonObject, string])[] = [
        [{ kind: "ConfigMap", name: "settings", patch: { data: { LOG_LEVEL: taken } } }, "patch.data.LOG_LEVEL"],
        [
          { kind: "deploy", name: "fresh", patch: { metadata: { annotations: { note: taken } } } },
          "patch.metadata.annotations.note",
        ],
        [
          { kind: "deploy", name: "fresh", type: "strategic", patch: env("MODE", taken) },
          "patch.spec.template.spec.containers[main].env[MODE].value",
        ],
        [
          { kind: "deploy", name: "fresh", type: "strategic", patch: env("DB_PASSWORD", "[MASKED:password:00000000]") },
          "patch.spec.template.spec.containers[main].env[DB_PASSWORD].value",
        ],
        [
          {
            kind: "deploy",
            name: "fresh",
            type: "strategic",
            patch: env("DATABASE_URL", "postgres://app:[MASKED:password]@evil/app"),
          },
          "patch.spec.template.spec.containers[main].env[DATABASE_URL].value",
        ],
      ];
      for (const [arguments_, path] of wrong) {
        const answer = await call("objects_patch", arguments_);
        expect([path, answer.facts["code"], answer.facts["effect"], problems(answer)[0]?.split(": ")[0]]).toEqual([
          path,
          "invalid_input",
          "none",
          path,
        ]);
      }
      const manifest = `${JSON.stringify(config("made", { a: taken }))}\n`;
      const created = await call("manifests_apply", { manifest });
      expect([created.facts["code"], problems(created)[0]?.split(": ")[0]]).toEqual([
        "invalid_input",
        "manifest[0].data.a",
      ]);
      expect((await admin.send("GET", `${core}/configmaps/made`)).status).toBe(404);
    },
  );

  promise(
    "tools:change-exposes-nothing",
    "a variable renamed under its value, a flag taken from before its word",
    async () => {
      const at0 = "/spec/template/spec/containers/0";
      const steps: readonly JsonObject[] = [
        { op: "replace", path: `${at0}/env/0/name`, value: "BANNER" },
        { op: "replace", path: `${at0}/env/2/name`, value: "BANNER" },
      ];
      for (const step of steps) {
        const answer = await preview("objects_patch", { kind: "deploy", name: "fresh", type: "json", patch: [step] });
        expect([answer.facts["code"], secretsIn(answer), answer.text.includes(pin)]).toEqual([
          "invalid_input",
          [],
          false,
        ]);
      }
    },
  );

  promise("tools:change-command-readable", "by patch and by manifest, nothing is written", async () => {
    const container = { name: "main", args: ["--password", "hunter2abcdefgh"] };
    const patch = { spec: { template: { spec: { containers: [container] } } } };
    const patched = await call("objects_patch", { kind: "deploy", name: "fresh", type: "strategic", patch });
    const made = deployment("new", 1, password) as { spec: { template: { spec: { containers: JsonObject[] } } } };
    made.spec.template.spec.containers[0] = {
      name: "main",
      image: "x:1",
      command: ["sh", "-c", "curl -u admin:hunter2abcdefgh https://x.example.com"],
    };
    const applied = await call("manifests_apply", { manifest: JSON.stringify(made) });
    expect(
      [patched, applied].map((one) => [one.facts["code"], one.facts["effect"], problems(one)[0]?.split(": ")[0]]),
    ).toEqual([
      ["invalid_input", "none", "spec.template.spec.containers[main].args[1]"],
      ["invalid_input", "none", "spec.template.spec.containers[main].command[2]"],
    ]);
    expect((await admin.send("GET", `${apps}/deployments/new`)).status).toBe(404);
  });

  promise("tools:change-asks", "another ServiceAccount by each way of writing it, finalizers and owners", async () => {
    const ask = async (tool: string, arguments_: JsonObject): Promise<string> =>
      /policy: ([a-z ]+)$/m.exec((await preview(tool, arguments_)).text)?.[1] ?? "?";
    const of = { kind: "deploy", name: "fresh" };
    const patch = { spec: { template: { spec: { serviceAccountName: "builder" } } } };
    const step = { op: "add", path: "/spec/template/spec/serviceAccountName", value: "builder" };
    const made = deployment("new", 1, password) as { metadata: JsonObject; spec: { template: { spec: JsonObject } } };
    const manifest = {
      ...made,
      spec: {
        ...made.spec,
        template: { ...made.spec.template, spec: { ...made.spec.template.spec, serviceAccountName: "builder" } },
      },
    };
    const uid = textAt(await read(`${apps}/deployments/fresh`), "metadata", "uid");
    const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "fresh", uid };
    const marked = (more: JsonObject): string =>
      JSON.stringify({ ...config("owned", { a: "1" }), metadata: { name: "owned", ...more } });
    expect({
      plain: await ask("objects_patch", { ...of, patch: { metadata: { labels: { a: "1" } } } }),
      merge: await ask("objects_patch", { ...of, patch }),
      strategic: await ask("objects_patch", { ...of, type: "strategic", patch }),
      json: await ask("objects_patch", { ...of, type: "json", patch: [step] }),
      apply: await ask("manifests_apply", { manifest: JSON.stringify(manifest) }),
      finalizers: await ask("manifests_apply", { manifest: marked({ finalizers: ["example.com/keep"] }) }),
      owners: await ask("manifests_apply", { manifest: marked({ ownerReferences: [owner] }) }),
    }).toEqual({
      plain: "allowed",
      merge: "needs approval",
      strategic: "needs approval",
      json: "needs approval",
      apply: "needs approval",
      finalizers: "needs approval",
      owners: "needs approval",
    });
    const [done] = await Promise.all([
      call("manifests_apply", { manifest: marked({ ownerReferences: [owner] }) }),
      world.approve(),
    ]);
    expect([done.facts["effect"], at(await read(`${core}/configmaps/owned`), "metadata", "ownerReferences")]).toEqual([
      "applied",
      [owner],
    ]);
    const decided = (await world.entries()).find(
      (one) => one["call"] === done.facts["call"] && one["kind"] === "call.decided",
    );
    expect(at(decided, "details", "rules")).toContain("built-in:change");
  });

  promise("tools:change-owners", "a uid of nothing, of another object, or an object that is not there", async () => {
    const uid = textAt(await read(`${apps}/deployments/fresh`), "metadata", "uid");
    const owned = (owner: JsonObject): JsonObject => ({
      manifest: JSON.stringify({
        ...config("orphan", {}),
        metadata: { name: "orphan", ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", ...owner }] },
      }),
    });
    const codes: Json[] = [];
    for (const owner of [
      { name: "fresh", uid: "11111111-2222-3333-4444-555555555555" },
      { name: "api", uid },
      { name: "never-was", uid },
    ])
      codes.push((await call("manifests_apply", owned(owner))).facts["code"] ?? null);
    expect(codes).toEqual(["denied", "denied", "not_found"]);
    expect((await admin.send("GET", `${core}/configmaps/orphan`)).status).toBe(404);
  });

  promise(
    "tools:change-checks",
    "a Service's pods, an autoscaler, a quota, Argo CD's mark and a controller",
    async () => {
      const hpa = {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "api" },
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "api" },
          minReplicas: 1,
          maxReplicas: 4,
        },
      };
      await admin.create(`/apis/autoscaling/v2/namespaces/${place}/horizontalpodautoscalers`, hpa);
      await admin.create(`${core}/resourcequotas`, {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "few" },
        spec: { hard: { pods: "50" } },
      });
      while (textAt(await read(`${core}/resourcequotas/few`), "status", "hard", "pods") === "");
      const ready = {
        metadata: { name: "ready", labels: { app: "front" } },
        spec: { containers: [{ name: "a", image: "a:1" }] },
      };
      await admin.create(`${core}/pods`, ready);
      const status = { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } };
      await admin.send("PATCH", `${core}/pods/ready/status`, status, { contentType: "application/merge-patch+json" });
      const select = await preview("objects_patch", {
        kind: "Service",
        name: "front",
        patch: { spec: { selector: { app: "front" } } },
      });
      expect(select.text.split("\n").slice(1, 4)).toEqual([
        '!~ spec.selector.app: "nobody" -> "front"',
        "! Service front: endpoints 0 -> 1",
        "undo: objects_patch with the values before the arrows; policy: allowed",
      ]);
      const scale = await preview("objects_patch", { kind: "deploy", name: "api", patch: { spec: { replicas: 3 } } });
      expect(scale.text).toContain("! HPA api (1-4) sets this count too and may undo it: change its minReplicas\n");
      expect(scale.text).toMatch(/! quota few: \d+ of 50 pods in use\n/);
      const mark = {
        metadata: { annotations: { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:written-dev/api" } },
      };
      await admin.send("PATCH", `${apps}/deployments/api`, mark, { contentType: "application/merge-patch+json" });
      const kept = await preview("objects_patch", {
        kind: "deploy",
        name: "api",
        patch: { metadata: { labels: { a: "b" } } },
      });
      expect(kept.text).toContain("! Argo CD shop keeps it and may undo this: change its source instead\n");
    },
  );

  promise(
    "tools:change-checks",
    "of a deletion what holds it, what it does not ask, and who brings it back",
    async () => {
      const held = { ...config("held", {}), metadata: { name: "held", finalizers: ["example.com/keep"] } };
      await admin.create(`${core}/configmaps`, held);
      const budget = {
        metadata: { name: "front" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "front" } } },
      };
      await admin.create(`/apis/policy/v1/namespaces/${place}/poddisruptionbudgets`, budget);
      const kept = await preview("objects_delete", { kind: "ConfigMap", names: ["held"] });
      expect(kept.text).toContain("! held stays until this is done with it: example.com/keep\n");
      const pod = await preview("objects_delete", { kind: "Pod", names: ["ready"] });
      expect(pod.text).toContain("! PodDisruptionBudget front allows 0 to go now, and a deletion does not ask it\n");
      const deployed = await preview("objects_delete", { kind: "deploy", names: ["api"] });
      expect(deployed.text).toContain("! Argo CD shop keeps it and brings it back: change its source instead\n");
      expect(deployed.text).toMatch(/! deleted with it: \d+ replicasets, \d+ pods\n/);
    },
  );

  promise(
    "tools:change-apply",
    "a preview of several tells each by name, what rolls, what is created and what stays",
    async () => {
      const documents = [
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "steps" },
          spec: { template: { metadata: { annotations: { "example.com/new": "1" } } } },
        },
        config("settings", { LOG_LEVEL: "info" }),
        config("brand-new", { a: "1" }),
        {
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          metadata: { name: "deny" },
          spec: { podSelector: {} },
        },
      ];
      const manifest = documents.map((one) => JSON.stringify(one)).join("\n---\n");
      const shown = await preview("manifests_apply", { manifest });
      expect(shown.text.split("\n").filter((line) => !/^(undo|call|\d+ masked|! quota)/.test(line))).toEqual([
        `PREVIEW manifests_apply 4 objects in ${place} - nothing changed`,
        "create NetworkPolicy deny",
        "!+ spec.podSelector: {}",
        "create ConfigMap brand-new",
        '!+ data.a: "1"',
        "change Deployment steps (rolls)",
        '+ spec.template.metadata.annotations.example.com/new: "1"',
        "no field changes: ConfigMap settings",
        "! Deployment steps: rolls 1 pod, 0 down, 1 extra at a time",
      ]);
    },
  );

  promise("tools:change-apply", "the fault says which document broke, by its place and its name", async () => {
    const manifest = [config("good", { a: "1" }), { ...deployment("bad", 1, password), spec: { replicas: -1 } }]
      .map((one) => JSON.stringify(one))
      .join("\n---\n");
    const answer = await call("manifests_apply", { manifest });
    expect([answer.facts["effect"], answer.text.includes(`in manifest[1] (Deployment ${place}/bad)`)]).toEqual([
      "none",
      true,
    ]);
    expect((await admin.send("GET", `${core}/configmaps/good`)).status).toBe(404);
  });

  promise("tools:change-bad-input", "each by its code, and the namespace is as it was", async () => {
    const before = JSON.stringify(await listed());
    const manifest = (text: Json): JsonObject => ({ manifest: typeof text === "string" ? text : JSON.stringify(text) });
    const good = config("good", { a: "1" });
    const json = (path: string, more: JsonObject = { op: "remove" }): JsonObject => ({
      kind: "deploy",
      name: "fresh",
      type: "json",
      patch: [{ path, ...more }],
    });
    const merge = (patch: Json, type = "merge"): JsonObject => ({ kind: "deploy", name: "fresh", patch, type });
    const tries: readonly (readonly [string, string, JsonObject, string])[] = [
      ["too large", "manifests_apply", manifest(`a: ${"x".repeat(300_000)}`), "invalid_input"],
      ["an alias bomb", "manifests_apply", manifest("a: &a [x]\nb: [*a, *a]"), "invalid_input"],
      ["a List", "manifests_apply", manifest({ apiVersion: "v1", kind: "List", items: [good] }), "invalid_input"],
      [
        "a List in a List",
        "manifests_apply",
        manifest({ apiVersion: "v1", kind: "List", items: [{ apiVersion: "v1", kind: "List", items: [good] }] }),
        "invalid_input",
      ],
      [
        "a List without items",
        "manifests_apply",
        manifest({ apiVersion: "v1", kind: "List", metadata: { name: "x" } }),
        "unknown_kind",
      ],
      [
        "no such kind",
        "manifests_apply",
        manifest({ apiVersion: "v1", kind: "Gadget", metadata: { name: "x" } }),
        "unknown_kind",
      ],
      [
        "a custom kind named as a core one",
        "manifests_apply",
        manifest({ apiVersion: "example.com/v1", kind: "Deployment", metadata: { name: "x" } }),
        "unknown_kind",
      ],
      ["generateName", "manifests_apply", manifest({ ...good, metadata: { generateName: "x-" } }), "invalid_input"],
      [
        "another namespace",
        "manifests_apply",
        manifest({ ...good, metadata: { name: "x", namespace: "kube-system" } }),
        "invalid_input",
      ],
      [
        "a namespace",
        "manifests_apply",
        manifest({ apiVersion: "v1", kind: "Namespace", metadata: { name: "x" } }),
        "denied",
      ],
      [
        "a role beside a good one",
        "manifests_apply",
        manifest(
          `${JSON.stringify(good)}\n---\n${JSON.stringify({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "x" }, rules: [] })}`,
        ),
        "denied",
      ],
      ["a null byte in a key", "manifests_apply", manifest({ ...good, data: { "a\u0000b": "1" } }), "invalid_object"],
      [
        "a null byte in a name",
        "manifests_apply",
        manifest({ ...good, metadata: { name: "x\u0000" } }),
        "invalid_input",
      ],
      [
        "a label that is none",
        "manifests_apply",
        manifest({ ...good, metadata: { name: "x", labels: { "a b": "c" } } }),
        "invalid_object",
      ],
      ["a number for text", "manifests_apply", manifest({ ...good, data: { a: 1 } }), "invalid_object"],
      [
        "a huge number",
        "manifests_apply",
        manifest("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 99999999999999999999}"),
        "invalid_input",
      ],
      [
        "a number too large for the field",
        "objects_patch",
        merge({ spec: { replicas: 4_000_000_000 } }),
        "invalid_object",
      ],
      ["a negative number", "objects_patch", merge({ spec: { replicas: -1 } }), "invalid_object"],
      ["an unknown field", "objects_patch", merge({ spec: { replcas: 1 } }), "invalid_object"],
      ["the uid", "objects_patch", json("/metadata/uid"), "invalid_input"],
      ["the status", "objects_patch", json("/status/replicas", { op: "replace", value: 9 }), "invalid_input"],
      [
        "finalizers behind an escape",
        "objects_patch",
        json("/metadata/finalizers/-", { op: "add", value: "a/b" }),
        "invalid_input",
      ],
      [
        "a path with an escape",
        "objects_patch",
        json("/metadata/labels/pod-security.kubernetes.io~1enforce", { op: "add", value: "x" }),
        "invalid_input",
      ],
      [
        "a negative index",
        "objects_patch",
        json("/spec/template/spec/containers/-1/image", { op: "replace", value: "evil:1" }),
        "invalid_input",
      ],
      ["what is not there", "objects_patch", json("/spec/nothing"), "invalid_object"],
      ["a protected field by null", "objects_patch", merge({ metadata: { finalizers: null } }), "invalid_input"],
      ["all metadata by null", "objects_patch", merge({ metadata: null }), "invalid_input"],
      ["a directive for the whole", "objects_patch", merge({ $patch: "replace" }, "strategic"), "invalid_input"],
      [
        "a directive on finalizers",
        "objects_patch",
        merge({ metadata: { "$deleteFromPrimitiveList/finalizers": ["a"] } }, "strategic"),
        "invalid_input",
      ],
      [
        "a directive that is none",
        "objects_patch",
        merge({ spec: { $patch: "explode" } }, "strategic"),
        "invalid_input",
      ],
      [
        "a directive of another shape",
        "objects_patch",
        merge({ spec: { $retainKeys: "containers" } }, "strategic"),
        "invalid_input",
      ],
      [
        "privilege behind a directive",
        "objects_patch",
        merge({ spec: { template: { spec: { $retainKeys: ["containers", "hostPID"], hostPID: true } } } }, "strategic"),
        "denied",
      ],
    ];
    for (const [what, tool, arguments_, code] of tries) {
      const answer = await call(tool, arguments_);
      expect([what, answer.facts["code"], answer.facts["effect"]]).toEqual([what, code, "none"]);
    }
    await expect(call("manifests_apply", manifest("x".repeat(10_000_000)))).rejects.toThrow();
    expect(JSON.stringify(await listed())).toBe(before);
  });

  promise(
    "tools:change-bad-input",
    "whatever a patch holds, the answer has a code and nothing is left in doubt",
    async () => {
      const before = JSON.stringify(await listed());
      const known = ["invalid_input", "invalid_object", "immutable_field", "denied", "conflict_fields"];
      const key = constantFrom(
        "spec",
        "metadata",
        "labels",
        "template",
        "containers",
        "name",
        "env",
        "$patch",
        "data",
        "status",
        "",
        "a/b",
        "__proto__",
        "privileged",
      );
      const value = letrec<{ node: Json }>((tie) => ({
        node: oneof(
          { depthSize: "small" },
          constantFrom<Json>(null, true, 0, -1, 1e300, "", "x", "[MASKED:password]", "\u0000", "\u202e"),
          array(tie("node"), { maxLength: 2 }) as Arbitrary<Json>,
          dictionary(key, tie("node"), { maxKeys: 3 }) as Arbitrary<Json>,
        ),
      })).node;
      const pointer = array(
        constantFrom("spec", "template", "containers", "0", "-", "-1", "env", "a~1b", "~", "metadata", "labels"),
        { maxLength: 4, minLength: 1 },
      );
      const step = record({
        op: constantFrom("add", "remove", "replace", "test", "move", "x"),
        path: pointer.map((parts) => `/${parts.join("/")}`),
        value,
      });
      const patches = oneof(
        record({
          type: constantFrom("merge", "strategic"),
          patch: dictionary(key, value, { maxKeys: 3 }),
        }),
        record({ type: constantFrom("json"), patch: array(step, { minLength: 1, maxLength: 2 }) }),
      );
      await assert(
        asyncProperty(patches, async (arguments_) => {
          const answer = await preview("objects_patch", { kind: "deploy", name: "fresh", ...arguments_ });
          const code = answer.facts["code"] ?? "previewed";
          expect([
            arguments_,
            [...known, "previewed"].some((one) => one === code) ? "" : code,
            answer.facts["effect"],
          ]).toEqual([arguments_, "", "none"]);
        }),
        { numRuns: 150 },
      );
      expect(JSON.stringify(await listed())).toBe(before);
    },
    300_000,
  );
  /** Names and versions of what may be written here; controllers may write status. */
  async function listed(): Promise<Json> {
    const found: Json[] = [];
    for (const path of [`${core}/configmaps`, `${apps}/deployments`, `${core}/services`]) {
      const items = at(await read(path), "items") as readonly JsonObject[];
      found.push(
        items.map((one) => [
          textAt(one, "metadata", "name"),
          at(one, "spec") ?? at(one, "data") ?? null,
          at(one, "metadata", "labels") ?? null,
        ]),
      );
    }
    return found;
  }

  promise(
    "tools:change-as-shown",
    "for random edits of each form, by the objects as an administrator sees them",
    async () => {
      const path = `${apps}/deployments/fresh`;
      await assert(
        asyncProperty(edits, async ({ tool, arguments_ }) => {
          const shown = await preview(tool, arguments_);
          const before = await read(path);
          const done = await call(tool, arguments_);
          const after = await read(path);
          expect([arguments_, shown.isError, done.isError]).toEqual([arguments_, false, false]);
          expect(diffOf(done)).toEqual(diffOf(shown));
          // The administrator sees hidden values too: of these only where they stand can be compared.
          const open = (line: string): string =>
            /MASKED|PASSWORD|DATABASE_URL|args\[1\]/.test(line) ? (line.split(": ")[0] ?? "") : line;
          expect(diffOf(shown).map(open)).toEqual(diffObjects(before, after).map(diffLine).map(open));
          const digests = (await world.entries())
            .filter(
              (one) =>
                one["kind"] === "call.previewed" &&
                [shown, done].some((answer) => answer.facts["call"] === one["call"]),
            )
            .map((one) => at(one, "details", "diffDigest"));
          expect([digests.length, new Set(digests).size]).toEqual([2, 1]);
        }),
        { numRuns: 12 },
      );
    },
    300_000,
  );
});

interface Edit {
  readonly tool: string;
  readonly arguments_: JsonObject;
}
const of = { kind: "Deployment", name: "fresh" };
const word = constantFrom("a", "b", "c", "d-1", "x.y");
const path = ["spec", "template", "spec"];
const inPod = (container: JsonObject): JsonObject =>
  path.reduceRight<JsonObject>((inner, key) => ({ [key]: inner }), { containers: [{ name: "main", ...container }] });

/** Edits of one Deployment that are valid whatever was done to it before. */
const edits: Arbitrary<Edit> = oneof(
  record({ key: word, value: word }).map(({ key, value }) => ({
    tool: "objects_patch",
    arguments_: { ...of, patch: { metadata: { labels: { [key]: value } } } },
  })),
  record({ name: constantFrom("ONE", "TWO"), value: word, tag: integer({ min: 1, max: 9 }) }).map(
    ({ name, value, tag }) => ({
      tool: "objects_patch",
      arguments_: {
        ...of,
        type: "strategic",
        patch: inPod({ image: `registry.example.com/pause:${tag}`, env: [{ name, value }] }),
      },
    }),
  ),
  word.map((value) => ({
    tool: "objects_patch",
    arguments_: {
      ...of,
      type: "json",
      patch: [{ op: "add", path: "/spec/template/spec/containers/0/workingDir", value: `/${value}` }],
    },
  })),
  record({ replicas: integer({ min: 1, max: 3 }), seconds: integer({ min: 1, max: 60 }) }).map(
    ({ replicas, seconds }) => ({
      tool: "objects_patch",
      arguments_: { ...of, patch: { spec: { replicas, minReadySeconds: seconds } } },
    }),
  ),
  record({ cpu: integer({ min: 1, max: 9 }), value: word }).map(({ cpu, value }) => ({
    tool: "workloads_update",
    arguments_: { ...of, container: "main", env: { ADDED: value }, limits: { cpu: `${cpu}00m` } },
  })),
  record({ key: word, value: word }).map(({ key, value }) => ({
    tool: "manifests_apply",
    arguments_: {
      manifest: JSON.stringify({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "fresh", annotations: { [`example.com/${key}`]: value } },
      }),
      force_conflicts: true,
    },
  })),
);

function config(name: string, data_: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: data_ };
}

function service(selector: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "Service", metadata: { name: "front" }, spec: { selector, ports: [{ port: 80 }] } };
}
