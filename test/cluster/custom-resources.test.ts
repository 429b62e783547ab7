// Custom resources through every generic tool, on a real control plane of this file's own: their rights, their rules, and one kind that is named like a built-in one.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject } from "vitest";
import { at, textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openWorld, type Answer, type World } from "../support/world.ts";
import { adminOf, deployment, namespace, type Admin } from "./admin.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ownControlPlane } from "./own.ts";
import { accountsIn, ageless, definition, scenesIn, steady } from "./read-scenes.ts";

const provided = inject("cluster");
const why = "skip" in provided ? ` (skipped: ${provided.skip})` : "";
const place = "custom";
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const widgets = `/apis/shop.example.com/v1/namespaces/${place}/widgets`;
const lookalikes = `/apis/example.com/v1/namespaces/${place}/deployments`;
const merge = { contentType: "application/merge-patch+json" };
const reason = "a test of custom resources";
const mine = "shop.example.com/widgets, shop.example.com/widgets/scale, example.com/deployments";

/** Nothing but what each kind's own rule says. */
const policy = `version: 1
rules:
  - id: ask
    effect: allow
    match: { effects: [read], tools: [access_review, kinds_explain] }
    reason: Asking is free.
  - id: look
    effect: allow
    match:
      effects: [read, change, destroy]
      verbs: [get, list, watch]
      kinds: [${mine}, example.com/fleets, apps/deployments, apps/replicasets, pods, events]
    reason: Looking is free here.
  - id: write
    effect: allow
    match: { effects: [change, destroy], verbs: [create, patch, delete], kinds: [${mine}, example.com/fleets] }
    reason: Each of these kinds has a rule that names it.
`;

describe.skipIf("skip" in provided)(`custom resources on a real kube-apiserver${why}`, () => {
  let plane: ControlPlane;
  let admin: Admin;
  let world: World;

  beforeAll(async () => {
    plane = await ownControlPlane();
    admin = adminOf(plane);
    await admin.create("/api/v1/namespaces", namespace(place, "dev"));
    await accountsIn(admin, place);
    await defineKinds(admin);
    await furnish(admin);
    world = await openWorld({ kubeconfigPath: plane.kubeconfigPath, enroll: [place], policy, config: "hold: 0" });
  }, 300_000);
  afterAll(async () => {
    await world?.stop();
    await plane?.stop();
  });
  const call = async (tool: string, more: JsonObject): Promise<Answer> =>
    await world.call(tool, { kind: "Widget", namespace: place, ...more });

  const text = async (tool: string, more: JsonObject = {}): Promise<string> => {
    const answer = await call(tool, more);
    return ageless(steady(answer.text))
      .replace(/\ncall call_… - effect .*$/, "")
      .replaceAll(/\bafter \d+ s\b/g, "after N s");
  };
  const withoutKind = async (tool: string, more: JsonObject): Promise<string> =>
    ageless(steady((await world.call(tool, more)).text)).replace(/\ncall call_… - effect .*$/, "");
  const reached = async (of: string): Promise<JsonObject> => (await admin.send("GET", of)).body;

  promise(
    "credentials:custom-kinds",
    "before it is enrolled, a rule alone lets nobody at it, and the refusal names the command",
    async () => {
      const seen = [
        await call("objects_list", {}),
        await call("workloads_scale", { name: "left", replicas: 3, reason }),
        await call("objects_get", { kind: "Deployment.example.com", name: "api" }),
        await call("objects_list", { kind: "fleets" }),
      ].map(({ text: said, facts }) => [textAt(facts, "code"), said.split("\n")[1]]);
      expect(seen).toEqual([
        ["cluster_denied", "it would need sallyport enroll --kind widgets.shop.example.com"],
        ["cluster_denied", "it would need sallyport enroll --kind widgets.shop.example.com"],
        ["cluster_denied", "it would need sallyport enroll --kind deployments.example.com"],
        ["cluster_denied", "it would need sallyport enroll --cluster-kind fleets.example.com"],
      ]);
    },
  );

  promise(
    "credentials:custom-kinds",
    "what is no custom resource of this cluster is refused before anything is written",
    async () => {
      const refused = async (...flags: string[]): Promise<string> => {
        const { code, out, err } = await world.sallyport(["enroll", ...flags, "--yes"]);
        const changed = /^(created|updated|removed) /m.test(out);
        return `${code}${changed ? " and something was written" : ""}: ${err}`;
      };
      expect(
        await Promise.all(
          [
            ["--kind", "widgets"],
            ["--kind", "*.shop.example.com"],
            ["--kind", "widgets.shop.example.com/status"],
            ["--kind", "roles.rbac.authorization.k8s.io"],
            ["--kind", "secrets.example.com"],
            ["--kind", "widget.shop.example.com"],
            ["--kind", "gadgets.shop.example.com"],
            ["--kind", "fleets.example.com"],
            ["--cluster-kind", "widgets.shop.example.com"],
          ].map(async (flags) => await refused(...flags)),
        ),
      ).toEqual([
        '2: "widgets" is no custom resource: write its plural and its group, as in certificates.cert-manager.io.',
        '2: "*.shop.example.com" is no custom resource: write its plural and its group, as in certificates.cert-manager.io.',
        '2: "widgets.shop.example.com/status" is no custom resource: write its plural and its group, as in certificates.cert-manager.io.',
        "2: roles.rbac.authorization.k8s.io belongs to Kubernetes itself: the reader and the ceiling already hold what may ever be granted of it.",
        "2: secrets.example.com can't be enrolled: it hands out rights or credentials.",
        "1: This cluster serves no widget.shop.example.com. Its plural is widgets.shop.example.com.",
        "1: This cluster serves no gadgets.shop.example.com.",
        "1: fleets.example.com stands outside all namespaces: --cluster-kind lets it be read, and nothing lets it be changed.",
        "1: widgets.shop.example.com stands in namespaces: name it with --kind.",
      ]);
    },
  );

  promise(
    "credentials:custom-kinds",
    "one command gives exactly these kinds, a second time nothing; doctor and --print show them; unenroll takes one back and leaves the others",
    async () => {
      const kinds = [
        "--kind",
        "widgets.shop.example.com,deployments.example.com",
        "--cluster-kind",
        "fleets.example.com",
      ];
      const run = async (...arguments_: string[]): Promise<string[]> => {
        const { code, out, err } = await world.sallyport([...arguments_, "--yes"]);
        if (code !== 0) throw new Error(`${out}${err}`);
        return out.split("\n").filter((line) => /^(created|updated|removed|kept, edited) /.test(line));
      };
      const plain = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/ +/g, " ")).toSorted();
      const printed = await world.sallyport(["enroll", "--namespace", place, ...kinds, "--print"]);
      const made = plain(await run("enroll", ...kinds));
      expect(made).toEqual([
        "created ClusterRole sallyport-ceiling-kinds",
        "created ClusterRole sallyport-cluster-reader-kinds",
        "created ClusterRole sallyport-reader-kinds",
        "created ClusterRoleBinding sallyport-cluster-reader-kinds",
        "created RoleBinding custom/sallyport-ceiling-kinds",
        "created RoleBinding custom/sallyport-reader-kinds",
        "updated ConfigMap sallyport-system/enrolment",
      ]);
      for (const line of made.filter((one) => one.startsWith("created")))
        expect(printed.out).toContain(`name: ${line.split(/[ /]/).at(-1) ?? ""}`);
      expect(await run("enroll", ...kinds)).toEqual([]);
      expect(await run("enroll", "--namespace", place)).toEqual([]);

      const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
      const right = (group: string, resource: string, verbs: string) => ({
        apiGroups: [group],
        resources: [resource],
        verbs: verbs.split(" "),
      });
      const all = "get list watch create patch update delete";
      expect([
        (await reached(`${roles}/sallyport-reader-kinds`))["rules"],
        (await reached(`${roles}/sallyport-ceiling-kinds`))["rules"],
        (await reached(`${roles}/sallyport-cluster-reader-kinds`))["rules"],
      ]).toEqual([
        [right("example.com", "deployments", "get list watch"), right("shop.example.com", "widgets", "get list watch")],
        [
          right("example.com", "deployments", all),
          right("example.com", "deployments/scale", "get patch update"),
          right("shop.example.com", "widgets", all),
          right("shop.example.com", "widgets/scale", "get patch update"),
        ],
        [right("example.com", "fleets", "get list watch")],
      ]);
      const doctor = async (): Promise<string[]> => {
        const { out } = await world.sallyport(["doctor", "--json"]);
        return (JSON.parse(out) as { name: string; says: string }[])
          .filter((one) => one.name === "enrolment")
          .map((one) => one.says);
      };
      expect(await doctor()).toEqual([
        "custom; kinds deployments.example.com, widgets.shop.example.com; cluster kinds fleets.example.com",
      ]);

      expect(plain(await run("unenroll", "--kind", "deployments.example.com,fleets.example.com"))).toEqual([
        "removed ClusterRole sallyport-cluster-reader-kinds",
        "removed ClusterRoleBinding sallyport-cluster-reader-kinds",
        "updated ClusterRole sallyport-ceiling-kinds",
        "updated ClusterRole sallyport-reader-kinds",
        "updated ConfigMap sallyport-system/enrolment",
      ]);
      expect(await doctor()).toEqual(["custom; kinds widgets.shop.example.com"]);
      const again = await world.sallyport(["unenroll", "--kind", "fleets.example.com", "--yes"]);
      expect([again.code, again.err]).toEqual([1, "fleets.example.com is not enrolled in this cluster."]);
      await run("enroll", ...kinds);
    },
    300_000,
  );

  promise("tools:custom-resources", "objects_list: printer columns, paths, counts, search, problems", async () => {
    const head = "2 widgets in custom: 1 Broken, 1 Ready; problems 1.";
    expect([
      await text("objects_list"),
      await text("objects_list", { columns: ["SIZE", ".spec.size"] }),
      await text("objects_list", { columns: [".spec.size", ".metadata.labels.tier"] }),
      await text("objects_list", { columns: ["REPLICAS"], search: "lef" }),
      await text("objects_list", { group_by: "PHASE" }),
      await text("objects_list", { group_by: ".spec.size", problems_only: true }),
      await text("objects_list", { kind: "wd", selector: "tier=none" }),
      await withoutKind("objects_list", { kind: "fleets" }),
    ]).toEqual([
      `${head} Rows 1-2 of 2, problems first.\nNAME | SIZE | PHASE | READY\nright | small | Broken | False\nleft | big | Ready | True`,
      expect.stringContaining("beside a path, every other column must be a path too"),
      `${head} Rows 1-2 of 2, problems first.\nsame in all rows: .metadata.labels.tier front\nNAME | .spec.size\nright | small\nleft | big`,
      "1 widgets in custom: 1 Ready. Rows 1-1 of 1, problems first.\nNAME | REPLICAS\nleft | 2",
      `${head} 2 groups.\nCOUNT | PHASE\n1 | Broken\n1 | Ready`,
      "1 widgets in custom: 1 Broken; problems 1. 1 groups.\nCOUNT | .spec.size\n1 | small",
      "0 widgets in custom. Searched with the selector.",
      expect.stringMatching(/^1 fleets in the cluster\. Rows 1-1 of 1, problems first\.\n/),
    ]);
  });

  promise(
    "tools:custom-resources",
    "objects_get in each view: masked, with its own events, and nothing taken for a default",
    async () => {
      const summary = await text("objects_get", { name: "right" });
      expect(summary.replace(/created: .*\n/, "")).toBe(
        `Widget custom/right.\nlabels: "tier=front"\nphase: Broken\nreplicas: 1 wanted\ncondition Ready is False: NoDisk "the disk is full"\ncondition Stalled is True: NoDisk "the disk is full"\nspec:\n  periodSeconds: 10\n  replicas: 1\n  size: small`,
      );
      const spec = await text("objects_get", { name: "left", view: "spec" });
      expect(spec).toBe(
        `Widget custom/left: the fields to edit.\napiVersion: shop.example.com/v1\nkind: Widget\nmetadata:\n  labels:\n    tier: front\n  name: left\n  namespace: custom\nspec:\n  password: "[MASKED:password]"\n  replicas: 2\n  secretRef:\n    name: db\n  size: big\n1 masked: 1 password`.replace(
          "[MASKED:password]",
          /\[MASKED:password[^\]]*\]/.exec(spec)?.[0] ?? "",
        ),
      );
      const full = await text("objects_get", { name: "left", view: "full" });
      expect([/^status:/m.test(full), full.includes("hunter2")]).toEqual([true, false]);
      expect(await text("objects_get", { name: "left", path: ".status.phase" })).toMatch(/\nReady$/);
      expect(await text("objects_get", { name: "left" })).toMatch(/\nwarning 3× Resized "made bigger"\n/);
      expect(await text("objects_get", { name: "right", view: "relations" })).toMatch(
        /\nchild \| Deployment \| child$/,
      );
      expect(await withoutKind("objects_get", { kind: "fleets", name: "one" })).toMatch(/^Fleet one\.\n/);
    },
  );

  promise("tools:custom-resources", "kinds_explain, events_list, conditions_wait and problems_diagnose", async () => {
    expect([
      await withoutKind("kinds_explain", { search: "widg" }),
      await withoutKind("kinds_explain", { kind: "Widget", path: "spec.size" }),
      await withoutKind("kinds_explain", { kind: "Deployment.example.com", path: "spec" }),
      (await text("events_list", { name: "left" })).split("\n").slice(1),
      await text("conditions_wait", { name: "left", wait_seconds: 1 }),
      await text("conditions_wait", { name: "right", wait_seconds: 1 }),
      await text("conditions_wait", { name: "right", for: "Stalled=True", wait_seconds: 1 }),
      (await text("problems_diagnose", { name: "right" })).split("\n").slice(0, -1),
    ]).toEqual([
      "1 of 70 kinds whose kind, plural, short name or group holds the text; * is cluster-scoped, short names in parentheses.\nshop.example.com/v1: Widget (wd)",
      'Widget (shop.example.com/v1, namespaced) .spec.size: string:small/big.\n"How large it is made."',
      "Deployment (example.com/v1, namespaced) spec: not described; its schema takes any field there.",
      ["LAST | COUNT | OBJECT | REASON | MESSAGE", 'AGE | 3 | Widget.shop.example.com/left | Resized | "made bigger"'],
      'Widget custom/left: ready after N s: Ready is True (AllUp): "two of two".',
      'Widget custom/right: not ready after N s: Ready is False (NoDisk): "the disk is full". Call again to keep waiting, or problems_diagnose.',
      'Widget custom/right: Stalled=True after N s: Stalled is True (NoDisk): "the disk is full".',
      [
        "Widget.shop.example.com custom/right: 2 findings, causes first.",
        "1. Widget.shop.example.com right: condition Ready is False: NoDisk",
        '   it says "the disk is full"',
        "2. Widget.shop.example.com right: condition Stalled is True: NoDisk",
        '   it says "the disk is full"',
      ],
    ]);
  });

  const manifest = (spec: JsonObject, more: JsonObject = {}): string =>
    JSON.stringify({
      apiVersion: "shop.example.com/v1",
      kind: "Widget",
      metadata: { name: "made", namespace: place },
      spec,
      ...more,
    });
  const apply = async (spec: JsonObject, more: JsonObject = {}, flags: JsonObject = {}): Promise<string[]> => {
    const answer = await world.call("manifests_apply", { manifest: manifest(spec, more), reason, ...flags });
    return answer.text.split("\n");
  };

  promise(
    "tools:custom-resources",
    "manifests_apply: refused by its schema, shown, created, changed, in conflict, taken over",
    async () => {
      expect([
        (await apply({ sise: "big" }))[1],
        (await apply({ size: "big" }, { status: { phase: "Ready" } }))[1],
        (await apply({ size: "big", replicas: 1 }, {}, { preview: true }))[0],
        (await admin.send("GET", `${widgets}/made`)).status,
        (await apply({ size: "big", replicas: 1 })).slice(0, 4),
        (await apply({ size: "small", replicas: 1 })).slice(0, 2),
      ]).toEqual([
        "spec.sise: unknown field",
        "manifest[0].status: is Kubernetes' own: leave it out",
        "PREVIEW manifests_apply Widget custom/made - nothing changed",
        404,
        [
          "DONE manifests_apply Widget custom/made",
          '+ metadata.name: "made"',
          "+ spec.replicas: 1",
          '+ spec.size: "big"',
        ],
        ["DONE manifests_apply Widget custom/made", '~ spec.size: "big" -> "small"'],
      ]);
      const other = {
        apiVersion: "shop.example.com/v1",
        kind: "Widget",
        metadata: { name: "made" },
        spec: { size: "big" },
      };
      const edited = `${widgets}/made?fieldManager=kubectl-edit&force=true`;
      const taken = await admin.send("PATCH", edited, other, { contentType: "application/apply-patch+yaml" });
      expect(taken.status).toBe(200);
      expect((await apply({ size: "small", replicas: 1 })).slice(0, 2)).toEqual([
        "ERROR conflict_fields: Fields of this call are kept by others. Nothing was run.",
        "kubectl-edit keeps 1: .spec.size",
      ]);
      const forced = await apply({ size: "small", replicas: 1 }, {}, { force_conflicts: true });
      expect([forced[0], forced[1], textAt(await reached(`${widgets}/made`), "spec", "size")]).toEqual([
        "DONE manifests_apply Widget custom/made",
        '~ spec.size: "big" -> "small"',
        "small",
      ]);
    },
  );

  promise(
    "tools:custom-resources",
    "objects_patch, workloads_scale and objects_delete; a strategic patch is refused by name",
    async () => {
      const step = { op: "replace", path: "/spec/size", value: "big" };
      expect([
        (await text("objects_patch", { name: "left", patch: { spec: { size: "small" } }, reason }))
          .split("\n")
          .slice(0, 2),
        (await text("objects_patch", { name: "left", type: "json", patch: [step], reason })).split("\n").slice(0, 2),
        (
          await text("objects_patch", { name: "left", type: "strategic", patch: { spec: { size: "small" } }, reason })
        ).split("\n")[1],
        (await text("objects_patch", { name: "left", patch: { spec: { size: "huge" } }, reason }))
          .split("\n")
          .slice(0, 2),
        (await text("objects_patch", { name: "left", patch: { status: { phase: "Ready" } }, reason })).split("\n")[1],
        (await text("workloads_scale", { name: "left", replicas: 3, reason })).split("\n").slice(0, 2),
        at(await reached(`${widgets}/left`), "spec"),
        (await text("workloads_scale", { kind: "Deployment.example.com", name: "api", replicas: 3, reason })).split(
          "\n",
        )[1],
        (await text("objects_delete", { names: ["made"], reason })).split("\n")[0],
        await text("conditions_wait", { name: "made", for: "deleted", wait_seconds: 5 }),
      ]).toEqual([
        ["DONE objects_patch Widget custom/left", '~ spec.size: "big" -> "small"'],
        ["DONE objects_patch Widget custom/left", '~ spec.size: "small" -> "big"'],
        "type: this kind takes no strategic patch: use type merge",
        [
          "ERROR invalid_object: Kubernetes does not accept the object. Nothing was run.",
          expect.stringContaining("spec.size"),
        ],
        "patch.status: is Kubernetes' own: leave it out",
        ["DONE workloads_scale Widget custom/left", "~ spec.replicas: 2 -> 3"],
        { size: "big", replicas: 3, password: "hunter2-not-shown", secretRef: { name: "db" } },
        "kind: Deployment has no replica count to set",
        "DONE objects_delete Widget custom/made",
        "Widget custom/made: deleted after N s: it is not there.",
      ]);
      const { text: fleet } = await world.call("objects_patch", {
        kind: "fleets",
        name: "one",
        patch: { spec: { a: 1 } },
        reason,
      });
      expect(fleet.split("\n")[1]).toBe(
        "it would need another way than Sallyport: outside namespaces it changes nothing but nodes",
      );
    },
  );

  promise(
    "tools:custom-resources",
    "one that is named Deployment is not read, waited for, diagnosed or told of as a Deployment of apps, nor the other way",
    async () => {
      const custom = { kind: "Deployment.example.com", name: "api" };
      const real = { kind: "Deployment", name: "api" };
      const lines = async (tool: string, more: JsonObject): Promise<string> =>
        (await text(tool, more)).split("\n").at(-1) ?? "";
      expect([
        (await text("objects_list", { kind: "deployments" }))
          .split("\n")
          .slice(-2)
          .map((line) => line.split(" ")[0]),
        (await text("objects_list", { kind: "deployments.example.com" })).split("\n").at(-1)?.split(" ")[0],
        await text("conditions_wait", { ...custom, wait_seconds: 1 }),
        (await text("problems_diagnose", custom)).split("\n")[0],
        await lines("events_list", custom),
        await lines("events_list", real),
        (await text("objects_get", custom)).split("\n").filter((line) => line.startsWith("warning")),
        (await text("objects_get", real)).split("\n").filter((line) => line.startsWith("warning")),
        (await text("workloads_restart", { ...custom, reason })).split("\n")[1],
      ]).toEqual([
        ["api", "child"],
        "api",
        'Deployment custom/api: ready after N s: Ready is True (Up): "it is up".',
        "Deployment.example.com custom/api: no problem found.",
        'AGE | 3 | Deployment.example.com/api | Odd | "of the custom one"',
        'AGE | 3 | Deployment/api | Real | "of the real one"',
        ['warning 3× Odd "of the custom one"'],
        ['warning 3× Real "of the real one"'],
        "kind: must be one of Deployment, StatefulSet, DaemonSet",
      ]);
    },
  );

  promise(
    "tools:custom-resources",
    "an enrolled kind without a rule of its own: nothing is allowed, and no rule may say *",
    async () => {
      const own = await openWorld({ kubeconfigPath: plane.kubeconfigPath, enroll: null, config: "hold: 0" });
      try {
        const asked = { kind: "Widget", namespace: place, reason };
        const codes = await Promise.all(
          [
            own.call("objects_list", { kind: "Widget", namespace: place }),
            own.call("objects_get", { kind: "Widget", namespace: place, name: "left" }),
            own.call("objects_patch", { ...asked, name: "left", patch: { spec: { size: "small" } } }),
            own.call("workloads_scale", { ...asked, name: "left", replicas: 1 }),
            own.call("objects_delete", { ...asked, names: ["left"] }),
            own.call("manifests_apply", { manifest: manifest({ size: "big" }), reason }),
          ].map(async (answer) => textAt((await answer).facts, "code")),
        );
        expect(codes).toEqual(["denied", "denied", "denied", "denied", "denied", "denied"]);
        for (const kind of ["*", "shop.example.com/*", "*/widgets"]) {
          await writeFile(join(own.folder, "wild.yaml"), policy.replace("shop.example.com/widgets,", `"${kind}",`));
          const { code, out, err } = await own.sallyport(["policy", "check", join(own.folder, "wild.yaml")]);
          expect([kind, code === 0, `${out}${err}`.includes("is refused for its `*`")]).toEqual([kind, false, true]);
        }
      } finally {
        await own.stop();
      }
    },
    300_000,
  );
});

/** A kind with everything that one can have, one that is named like a built-in one, and one outside all namespaces. */
async function defineKinds(admin: Admin): Promise<void> {
  const conditions = {
    type: "array",
    items: {
      type: "object",
      properties: {
        type: { type: "string" },
        status: { type: "string" },
        reason: { type: "string" },
        message: { type: "string" },
      },
    },
  };
  const widget = definition(
    "shop.example.com",
    "v1",
    { plural: "widgets", singular: "widget", kind: "Widget", shortNames: ["wd"] },
    "Namespaced",
    {
      type: "object",
      properties: {
        spec: {
          type: "object",
          required: ["size"],
          properties: {
            size: { type: "string", enum: ["small", "big"], description: "How large it is made." },
            replicas: { type: "integer", minimum: 0, maximum: 10 },
            periodSeconds: { type: "integer" },
            secretRef: { type: "object", properties: { name: { type: "string" } } },
            password: { type: "string" },
          },
        },
        status: {
          type: "object",
          properties: {
            phase: { type: "string" },
            replicas: { type: "integer" },
            selector: { type: "string" },
            conditions,
          },
        },
      },
    },
  ) as { spec: { versions: JsonObject[] } } & JsonObject;
  Object.assign(widget.spec.versions[0] ?? {}, {
    subresources: {
      status: {},
      scale: {
        specReplicasPath: ".spec.replicas",
        statusReplicasPath: ".status.replicas",
        labelSelectorPath: ".status.selector",
      },
    },
    additionalPrinterColumns: [
      { name: "Size", type: "string", jsonPath: ".spec.size" },
      { name: "Phase", type: "string", jsonPath: ".status.phase" },
      { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: "Replicas", type: "integer", jsonPath: ".spec.replicas", priority: 1 },
    ],
  });
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  await admin.create(definitions, widget);
  await admin.create(
    definitions,
    definition(
      "example.com",
      "v1",
      { plural: "deployments", singular: "deployment", kind: "Deployment" },
      "Namespaced",
      anything,
    ),
  );
  await admin.create(
    definitions,
    definition("example.com", "v1", { plural: "fleets", singular: "fleet", kind: "Fleet" }, "Cluster", anything),
  );
}

async function furnish(admin: Admin): Promise<void> {
  const scenes = scenesIn(admin, place);
  const served = async (path: string, body: JsonObject) =>
    await scenes.until(async () => {
      const made = await admin.send("POST", path, body);
      return made.status === 201 ? made.body : null;
    });
  const widget = (name: string, spec: JsonObject) => ({
    apiVersion: "shop.example.com/v1",
    kind: "Widget",
    metadata: { name, labels: { tier: "front" } },
    spec,
  });
  await served(
    widgets,
    widget("left", { size: "big", replicas: 2, password: "hunter2-not-shown", secretRef: { name: "db" } }),
  );
  const right = await served(widgets, widget("right", { size: "small", replicas: 1, periodSeconds: 10 }));
  const condition = (type: string, status: string, why_: string, message: string) => ({
    type,
    status,
    reason: why_,
    message,
  });
  await admin.send(
    "PATCH",
    `${widgets}/left/status`,
    { status: { phase: "Ready", replicas: 2, conditions: [condition("Ready", "True", "AllUp", "two of two")] } },
    merge,
  );
  await admin.send(
    "PATCH",
    `${widgets}/right/status`,
    {
      status: {
        phase: "Broken",
        conditions: [
          condition("Ready", "False", "NoDisk", "the disk is full"),
          condition("Stalled", "True", "NoDisk", "the disk is full"),
        ],
      },
    },
    merge,
  );
  await scenes.event("Widget", "left", "Resized", "made bigger", {
    involvedObject: { apiVersion: "shop.example.com/v1", kind: "Widget", name: "left", namespace: place },
  });
  await served(lookalikes, {
    apiVersion: "example.com/v1",
    kind: "Deployment",
    metadata: { name: "api" },
    spec: { replicas: 1, image: "x" },
    status: { conditions: [condition("Ready", "True", "Up", "it is up")] },
  });
  await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, deployment("api", 1, "pw"));
  await scenes.event("Deployment", "api", "Odd", "of the custom one", {
    involvedObject: { apiVersion: "example.com/v1", kind: "Deployment", name: "api", namespace: place },
  });
  await scenes.event("Deployment", "api", "Real", "of the real one", {
    involvedObject: { apiVersion: "apps/v1", kind: "Deployment", name: "api", namespace: place },
  });
  await served("/apis/example.com/v1/fleets", {
    apiVersion: "example.com/v1",
    kind: "Fleet",
    metadata: { name: "one" },
    spec: {},
  });
  await admin.create(`/apis/apps/v1/namespaces/${place}/deployments`, {
    ...deployment("child", 0, "pw"),
    metadata: {
      name: "child",
      ownerReferences: [
        {
          apiVersion: "shop.example.com/v1",
          kind: "Widget",
          name: "right",
          uid: textAt(right, "metadata", "uid"),
          controller: true,
        },
      ],
    },
  });
}
