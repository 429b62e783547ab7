// The way back of masked values, tried on bodies of each kind: what stands for the stored value comes back as it, anything else is refused, and nothing hidden comes to light.

import { assert, constantFrom, integer, property, record, string } from "fast-check";
import { expect } from "vitest";
import { Faulted } from "../../src/domain/fault.ts";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { changeFact, asksOf } from "../../src/execution/change-fact.ts";
import { diffObjects } from "../../src/execution/diff.ts";
import { expected, namedBy, refuseExposed, refuseHiddenWords } from "../../src/execution/hidden.ts";
import { keep, type Twice } from "../../src/execution/keep.ts";
import { broughtBy, shownIn } from "../../src/execution/body.ts";
import { promise } from "../support/promise.ts";

type Type = "merge" | "strategic" | "json" | "apply";
const token = "[MASKED:password:5f1c09aa]";
const other = "[MASKED:password:00000000]";
const stored: JsonObject = {
  spec: {
    password: "s3cret",
    plain: "open",
    url: "postgres://app:s3cret@db/app",
    pin: "[MASKED:password]",
    env: [
      { name: "A", value: "open" },
      { name: "DB_PASSWORD", value: "s3cret" },
    ],
    args: ["--verbose", "--token=t0ken"],
    list: [{ secret: "one" }, { secret: "two" }],
  },
};
const shown: JsonObject = {
  spec: {
    password: token,
    plain: "open",
    url: `postgres://app:${token}@db/app`,
    pin: "[MASKED:password]",
    env: [
      { name: "A", value: "open" },
      { name: "DB_PASSWORD", value: token },
    ],
    args: ["--verbose", "--token=[MASKED:token:11111111]"],
    list: [{ secret: token }, { secret: other }],
  },
};
const live: Twice = { stored, shown };

/** What would be sent, or the paths that are refused. */
function sentFor(body: Json, type: Type = "merge"): Json {
  try {
    return keep(body, type, live, "patch").sent;
  } catch (thrown) {
    if (!(thrown instanceof Faulted) || thrown.fault.code !== "invalid_input") throw thrown;
    return (thrown.fault.detail["problems"] as readonly JsonObject[]).map((one) => one["path"] ?? null);
  }
}

promise(
  "tools:round-trip",
  "the whole object as it was read comes back as it is stored, whatever else is changed",
  () => {
    for (const type of ["merge", "strategic", "apply"] as const) expect(sentFor(shown, type)).toEqual(stored);
    const edited = { spec: { ...(shown["spec"] as JsonObject), plain: "new" } };
    expect(sentFor(edited)).toEqual({ spec: { ...(stored["spec"] as JsonObject), plain: "new" } });
  },
);

promise("tools:round-trip", "a list's members are known by their names, in whatever order and company", () => {
  const env = [
    { name: "NEW", value: "1" },
    { name: "DB_PASSWORD", value: token },
  ];
  expect(sentFor({ spec: { env } })).toEqual({
    spec: {
      env: [
        { name: "NEW", value: "1" },
        { name: "DB_PASSWORD", value: "s3cret" },
      ],
    },
  });
});

promise(
  "tools:round-trip",
  "a token moved, of another place, cut, altered, wrapped or in a key is refused with its path",
  () => {
    const wrong: readonly (readonly [Json, readonly string[]])[] = [
      [{ spec: { plain: token } }, ["patch.spec.plain"]],
      [{ spec: { other: token } }, ["patch.spec.other"]],
      [{ metadata: { annotations: { note: token } } }, ["patch.metadata.annotations.note"]],
      [{ spec: { password: other } }, ["patch.spec.password"]],
      [{ spec: { password: "[MASKED:password:5f1c09ab]" } }, ["patch.spec.password"]],
      [{ spec: { password: "[MASKED:token:5f1c09aa]" } }, ["patch.spec.password"]],
      [{ spec: { password: token.slice(0, -1) } }, ["patch.spec.password"]],
      [{ spec: { password: `${token} ` } }, ["patch.spec.password"]],
      [{ spec: { password: [token] } }, ["patch.spec.password[0]"]],
      [{ spec: { password: { value: token } } }, ["patch.spec.password.value"]],
      [{ spec: { url: `postgres://app:${token}@elsewhere/app` } }, ["patch.spec.url"]],
      [{ spec: { url: token } }, ["patch.spec.url"]],
      [{ spec: { env: [{ name: "A", value: token }] } }, ["patch.spec.env[A].value"]],
      [{ spec: { env: [{ name: "BANNER", value: token }] } }, ["patch.spec.env[BANNER].value"]],
      [{ spec: { env: [{}, { value: token }] } }, ["patch.spec.env[1].value"]],
      [
        {
          spec: {
            env: [
              { name: "DB_PASSWORD", value: token },
              { name: "DB_PASSWORD", value: token },
            ],
          },
        },
        ["patch.spec.env[DB_PASSWORD].value"],
      ],
      [{ spec: { args: ["--token=[MASKED:token:11111111]"] } }, ["patch.spec.args[0]"]],
      [
        { spec: { list: [{ secret: other }, { secret: token }] } },
        ["patch.spec.list[0].secret", "patch.spec.list[1].secret"],
      ],
      [{ spec: { list: [{}, {}, { secret: token }] } }, ["patch.spec.list[2].secret"]],
      [{ spec: { [token]: "1" } }, ["patch.spec"]],
      [{ spec: { plain: "[MASKED:x" } }, ["patch.spec.plain"]],
    ];
    for (const type of ["merge", "strategic", "apply"] as const)
      for (const [body, paths] of wrong) expect([type, body, sentFor(body, type)]).toEqual([type, body, paths]);
    expect(keepOfNothing(shown)).toBe(true);
  },
);
/** An object that is not there has no values to keep. */
function keepOfNothing(body: Json): boolean {
  try {
    keep(body, "apply", { stored: undefined, shown: undefined }, "manifest[0]");
    return false;
  } catch (thrown) {
    return thrown instanceof Faulted;
  }
}

promise(
  "tools:round-trip",
  "a token without its tag keeps the value of its place, as it may have been read without",
  () => {
    const bare = "[MASKED:password]";
    expect(sentFor({ spec: { password: bare, url: `postgres://app:${bare}@db/app`, pin: bare } })).toEqual({
      spec: { password: "s3cret", url: "postgres://app:s3cret@db/app", pin: bare },
    });
    expect(sentFor({ spec: { plain: bare } })).toEqual(["patch.spec.plain"]);
  },
);

promise("tools:round-trip", "by JSON Patch at the path of its value, as the steps before it left the object", () => {
  const step = (op: string, path: string, value: Json): JsonObject => ({ op, path, value });
  const keptEnv = { name: "DB_PASSWORD", value: token };
  const good: readonly (readonly [readonly JsonObject[], Json])[] = [
    [[step("replace", "/spec/password", token)], "s3cret"],
    [[step("add", "/spec/password", token)], "s3cret"],
    [[step("replace", "/spec/env/1", keptEnv)], { name: "DB_PASSWORD", value: "s3cret" }],
    [[{ op: "remove", path: "/spec/env/0" }, step("replace", "/spec/env/0/value", token)], "s3cret"],
    [[step("add", "/spec/env/0", { name: "N", value: "1" }), step("replace", "/spec/env/2/value", token)], "s3cret"],
    [[step("replace", "/spec/env", shownEnv())], storedEnv()],
  ];
  for (const [steps, value] of good) {
    const sent = sentFor(steps, "json") as readonly JsonObject[];
    expect([steps, sent.at(-1)?.["value"]]).toEqual([steps, value]);
  }
  const bad: readonly (readonly [readonly JsonObject[], string])[] = [
    [[step("add", "/spec/env/1", keptEnv)], "patch[0].value.value"],
    [[step("add", "/spec/env/-", keptEnv)], "patch[0].value.value"],
    [[step("replace", "/spec/env/0/value", token)], "patch[0].value"],
    [[{ op: "remove", path: "/spec/env/0" }, step("replace", "/spec/env/1/value", token)], "patch[1].value"],
    [[step("replace", "/spec/env/9/value", token)], "patch[0].value"],
    [[step("add", `/spec/${token}`, "1")], "patch[0].path"],
    [[step("replace", "/spec/env/-1/value", "x")], "patch[0].path"],
    [[step("replace", "/spec/env/01/value", "x")], "patch[0].path"],
    [[step("replace", "/spec/env/-/value", "x")], "patch[0].path"],
  ];
  for (const [steps, path] of bad) expect([steps, sentFor(steps, "json")]).toEqual([steps, [path]]);
});
const shownEnv = (): Json => (shown["spec"] as JsonObject)["env"] ?? null;
const storedEnv = (): Json => (stored["spec"] as JsonObject)["env"] ?? null;

promise("tools:round-trip", "whatever is sent, no stored secret goes anywhere but where it was", () => {
  const anyPath = constantFrom("password", "plain", "url", "pin", "new", "note");
  const anyValue = constantFrom(token, other, "[MASKED:password]", `postgres://app:${token}@db/app`, "open", "s3cre");
  assert(
    property(anyPath, anyValue, anyPath, anyValue, (one, first, two, second) => {
      const sent = sentFor({ spec: { [one]: first, [two]: second } });
      if (Array.isArray(sent)) return;
      for (const [key, value] of Object.entries((sent as { spec: JsonObject }).spec))
        if (JSON.stringify(value).includes("s3cret")) expect(value).toBe((stored["spec"] as JsonObject)[key]);
    }),
    { numRuns: 300 },
  );
});

promise("tools:change-hidden", "a value that is kept does not show, and one that is written always does", () => {
  const says = (body: Json, type: Type): JsonObject => namedBy(keep(body, type, live, "patch").says, shown);
  const env = [
    { name: "DB_PASSWORD", value: token },
    { name: "A", value: "new" },
  ];
  const after = {
    spec: {
      ...(shown["spec"] as JsonObject),
      env: [
        { name: "A", value: "new" },
        { name: "DB_PASSWORD", value: token },
      ],
    },
  };
  const line = { sign: "~", risk: true, path: "spec.env[A].value", before: '"open"', after: '"new"' };
  expect(diffObjects(shown, after, says({ spec: { env } }, "strategic"))).toEqual([line]);
  expect(diffObjects(shown, after, says([{ op: "replace", path: "/spec/env/0/value", value: "new" }], "json"))).toEqual(
    [line],
  );
  const written = diffObjects(shown, shown, says({ spec: { password: "s3cret" } }, "merge"));
  expect(written.map((one) => one.path)).toEqual(["spec.password"]);
  const stepped = diffObjects(
    shown,
    shown,
    says([{ op: "replace", path: "/spec/env/1/value", value: "s3cret" }], "json"),
  );
  expect(stepped.map((one) => one.path)).toEqual(["spec.env[DB_PASSWORD].value"]);
});

promise(
  "tools:change-exposes-nothing",
  "a hidden value whose name, flag or neighbour changes may not stay behind readable",
  () => {
    const spec = (more: JsonObject, of: JsonObject): JsonObject => ({
      spec: { ...(of["spec"] as JsonObject), ...more },
    });
    /** The path at which the answer would show a hidden value, or null. */
    const exposes = (body: Json, type: Type, raw: JsonObject, seen: JsonObject): Json => {
      try {
        refuseExposed(expected(live, keep(body, type, live, "patch"), type), raw, seen);
        return null;
      } catch (thrown) {
        return thrown instanceof Faulted
          ? ((thrown.fault.detail["problems"] as JsonObject[])[0]?.["path"] ?? null)
          : "?";
      }
    };
    const renamed = [
      { name: "A", value: "open" },
      { name: "BANNER", value: "s3cret" },
    ];
    expect(
      exposes(
        [{ op: "replace", path: "/spec/env/1/name", value: "BANNER" }],
        "json",
        spec({ env: renamed }, stored),
        spec({ env: renamed }, shown),
      ),
    ).toBe("spec.env[BANNER].value");
    const rest = ["--token=t0ken"];
    expect(
      exposes(
        [{ op: "remove", path: "/spec/args/0" }],
        "json",
        spec({ args: rest }, stored),
        spec({ args: rest }, shown),
      ),
    ).toBe("spec.args[0]");
    const opened = spec({ password: "s3cret" }, shown);
    expect(exposes({ spec: { kind: "Other" } }, "merge", spec({ kind: "Other" }, stored), opened)).toBe(
      "spec.password",
    );
    // What the caller writes itself is no exposure, right guess or wrong: it would tell which.
    for (const guess of ["s3cret", "wrong"])
      expect(
        exposes(
          { spec: { password: guess } },
          "merge",
          spec({ password: guess }, stored),
          spec({ password: guess }, shown),
        ),
      ).toBe(null);
    for (const type of ["merge", "strategic", "apply"] as const) expect(exposes(shown, type, stored, shown)).toBe(null);
  },
);

promise("tools:change-command-readable", "in command, args and a probe's command, by each kind of body", () => {
  const refused = (says: Json, raw: Json, seen: Json): Json => {
    try {
      refuseHiddenWords(says, raw, seen);
      return [];
    } catch (thrown) {
      return thrown instanceof Faulted
        ? (thrown.fault.detail["problems"] as JsonObject[]).map((one) => one["path"] ?? null)
        : "?";
    }
  };
  const pod = (args: Json): JsonObject => ({
    containers: [
      { name: "a", args: ["x"] },
      { name: "main", args },
    ],
  });
  const raw = pod(["--password", "hunter2"]);
  const seen = pod(["--password", token]);
  expect(refused({ containers: [{ name: "main", args: ["--password", "hunter2"] }] }, raw, seen)).toEqual([
    "containers[main].args[1]",
  ]);
  expect(refused({ containers: [{ name: "main", args: ["--password", null] }] }, raw, seen)).toEqual([]);
  expect(refused({ containers: [{ name: "main", image: "x" }] }, raw, seen)).toEqual([]);
  const probe = (word: string): JsonObject => ({ livenessProbe: { exec: { command: ["curl", word] } } });
  expect(refused(probe("-uadmin:pw"), probe("-uadmin:pw"), probe(`-uadmin:${token}`))).toEqual([
    "livenessProbe.exec.command[1]",
  ]);
});

promise("tools:change-shows-all", "a second member of one name, and another order", () => {
  const env = (...rows: readonly (readonly [string, string])[]): JsonObject => ({
    env: rows.map(([name, value]) => ({ name, value })),
  });
  expect(diffObjects(env(["A", "1"]), env(["A", "1"], ["A", "evil"]))).toEqual([
    { sign: "+", risk: true, path: "env[A#2].value", before: null, after: '"evil"' },
  ]);
  expect(diffObjects(env(["A", "1"], ["B", "2"]), env(["B", "2"], ["A", "1"]))).toEqual([
    { sign: "~", risk: true, path: "env", before: '["A","B"]', after: '["B","A"]' },
  ]);
  const toleration = (effect: string): JsonObject => ({ key: "a", effect });
  expect(
    diffObjects(
      { tolerations: [toleration("NoSchedule")] },
      { tolerations: [toleration("NoSchedule"), toleration("NoExecute")] },
    ),
  ).toEqual([{ sign: "+", risk: true, path: "tolerations[a#2].effect", before: null, after: '"NoExecute"' }]);
  // For whatever lists of named members: equal objects alone have an empty diff.
  const rows = record({
    name: constantFrom("A", "B", "C"),
    value: string({ maxLength: 2 }),
    n: integer({ max: 2, min: 0 }),
  });
  assert(
    property(rows, rows, rows, rows, (a, b, c, d) => {
      const [before, after] = [{ list: [a, b] }, { list: [c, d] }];
      const same = JSON.stringify(before) === JSON.stringify(after);
      expect(diffObjects(before, after).length === 0).toBe(same);
    }),
    { numRuns: 300 },
  );
});

promise("tools:change-facts", "from all objects of a call, at whatever depth", () => {
  const pod = (more: JsonObject, container: JsonObject): JsonObject => ({
    kind: "Deployment",
    spec: { replicas: 2, template: { spec: { containers: [{ name: "main", image: "a:1", ...container }], ...more } } },
  });
  const change = (before: JsonObject | null, after: JsonObject | null): Parameters<typeof changeFact>[0][number] => ({
    cluster: "c",
    kind: "Deployment",
    namespace: "n",
    name: "x",
    uid: "",
    before,
    after,
    lines: diffObjects(before, after),
  });
  const volumes = [
    { name: "v", emptyDir: {} },
    { name: "w", image: { reference: "r:3" } },
  ];
  const more = { serviceAccountName: "big", serviceAccount: "big", volumes };
  const container = {
    image: "a:2",
    env: [{ name: "A", value: "1" }],
    envFrom: [{ secretRef: { name: "s" } }],
    securityContext: { runAsUser: 0 },
  };
  const owned = { metadata: { finalizers: ["x/y"], ownerReferences: [{ name: "o", uid: "u" }] } };
  const fact = changeFact([
    change(pod({}, {}), pod(more, container)),
    change({ spec: { replicas: 5 } }, { spec: { replicas: 0 } }),
    change({}, owned),
  ]);
  const { paths: _paths, ...facts } = fact;
  expect(facts).toEqual({
    replicas: { from: 5, to: 0 },
    scaled: [{ from: 5, to: 0 }],
    images: [
      { from: "a:1", to: "a:2" },
      { from: "", to: "r:3" },
    ],
    envNames: ["A", "envFrom"],
    securityContext: true,
    serviceAccounts: [{ from: "", to: "big" }],
    volumes: ["v", "w"],
    owners: true,
    finalizers: true,
  });
  expect(
    changeFact([change({ spec: { replicas: 1 } }, { spec: { replicas: 9 } }), change(null, { spec: { replicas: 3 } })]),
  ).toMatchObject({
    replicas: null,
    scaled: [
      { from: 1, to: 9 },
      { from: 0, to: 3 },
    ],
  });
  expect([asksOf(fact, "manifests_apply").length, asksOf(fact, "jobs_run").length]).toEqual([3, 1]);
  expect(asksOf(changeFact([change(pod(more, {}), pod(more, { image: "b" }))]), "objects_patch")).toEqual([]);
});

promise(
  "tools:change-node-power",
  "in a template at whatever depth of a custom resource, whoever writes it how",
  () => {
    const nested = (pod: JsonObject): JsonObject => ({
      spec: { jobs: [{ template: { spec: { template: { spec: pod } } } }] },
    });
    const powers: readonly (readonly [string, JsonObject])[] = [
      ["privileged", { containers: [{ name: "a", securityContext: { privileged: true } }] }],
      ["privileged", { initContainers: [{ securityContext: { privileged: true } }] }],
      ["privileged", { securityContext: { windowsOptions: { hostProcess: true } } }],
      ["host-path", { volumes: [{ name: "v", hostPath: { path: "/" } }] }],
      ["host-namespaces", { hostPID: true }],
      ["host-namespaces", { hostIPC: true }],
      ["host-namespaces", { hostNetwork: true }],
    ];
    for (const [id, pod] of powers) {
      expect([id, shownIn(nested(pod))?.id]).toEqual([id, id]);
      expect([id, broughtBy(null, nested(pod))?.id, broughtBy(nested({}), nested(pod))?.id]).toEqual([id, id, id]);
      expect([id, shownIn([{ op: "add", path: "/spec/template/spec", value: pod }])?.id]).toEqual([id, id]);
    }
    expect(
      shownIn([{ op: "add", path: "/spec/template/spec/containers/0/securityContext/privileged", value: true }])?.id,
    ).toBe("privileged");
    const before = { volumes: [{ name: "v", hostPath: { path: "/var/log" } }] };
    expect(broughtBy(before, { volumes: [{ name: "v", hostPath: { path: "/" } }] })?.id).toBe("host-path");
  },
);
