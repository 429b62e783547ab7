// The last look at a command: whatever a broken tool would send instead of what it declared and what was agreed is stopped.

import * as fc from "fast-check";
import { expect } from "vitest";
import type { Access } from "../../../src/domain/access.ts";
import { Faulted } from "../../../src/domain/fault.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import { execMatter, guardExec, inspectable } from "../../../src/execution/exec.ts";
import { guardSent } from "../../../src/execution/guard.ts";
import type { SentExec } from "../../../src/kubernetes/contract.ts";
import { execWire } from "../../../src/kubernetes/exec-url.ts";
import { parseRequest } from "../../../src/kubernetes/url.ts";
import { openMasking } from "../../../src/masking/mask.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import type { ResourceKind } from "../../../src/tool.ts";
import { promise } from "../../support/promise.ts";

const pods: ResourceKind = {
  group: "",
  version: "v1",
  resource: "pods",
  kind: "Pod",
  namespaced: true,
  verbs: [],
  shortNames: [],
  subresources: [],
};
const access = (more: Partial<Access> = {}): Access => ({
  cluster: "c",
  verb: "get",
  group: "",
  version: "v1",
  resource: "pods",
  subresource: "exec",
  kind: "Pod",
  namespace: "shop",
  name: "web-1",
  optional: false,
  ...more,
});
const both = [access({ subresource: "" }), access(), access({ verb: "create" })];
const meant = { kind: pods, namespace: "shop", name: "web-1", container: "web", command: ["ls", "-la"] };
const line = { accesses: both, client: { cluster: "c" }, rehearse: false, forbids: () => false };
const sentOf = (more: Partial<typeof meant> = {}): SentExec => execWire("https://c", { ...meant, ...more }).exec;

function codeOf(run: () => void): string {
  try {
    run();
    return "sent";
  } catch (thrown) {
    if (thrown instanceof Faulted) return thrown.fault.code;
    throw thrown;
  }
}

promise(
  "tools:exec-declared",
  "another pod, container or word, another order or number of words, and every missing access",
  () => {
    expect(codeOf(() => guardExec(sentOf(), meant, line))).toBe("sent");
    const others: Partial<typeof meant>[] = [
      { name: "web-2" },
      { namespace: "pay" },
      { container: "proxy" },
      { command: ["ls"] },
      { command: ["-la", "ls"] },
      { command: ["ls", "-la", ""] },
      { command: ["ls", "-la", "/"] },
      { command: ["ls -la"] },
    ];
    for (const more of others)
      expect([more, codeOf(() => guardExec(sentOf(more), meant, line))]).toEqual([more, "internal"]);
    const missing: readonly (readonly Access[])[] = [
      [],
      [access()],
      [access({ verb: "create" })],
      [access({ name: "" }), access({ verb: "create", name: "" })],
      [access({ cluster: "d" }), access({ cluster: "d", verb: "create" })],
      [access({ subresource: "" }), access({ verb: "create", subresource: "" })],
      [access({ subresource: "attach" }), access({ verb: "create", subresource: "attach" })],
    ];
    for (const accesses of missing)
      expect([accesses.length, codeOf(() => guardExec(sentOf(), meant, { ...line, accesses }))]).toEqual([
        accesses.length,
        "internal",
      ]);
    expect(codeOf(() => guardExec(sentOf(), meant, { ...line, rehearse: true }))).toBe("internal");
    expect(codeOf(() => guardExec(sentOf(), meant, { ...line, forbids: ({ verb }) => verb === "create" }))).toBe(
      "internal",
    );
  },
);

promise("tools:exec-declared", "no two commands pass for each other", () => {
  const words = fc.array(fc.stringMatching(/^[ -~]{1,12}$/), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(words, words, (one, other) => {
      const passes = codeOf(() => guardExec(sentOf({ command: one }), { ...meant, command: other }, line));
      expect(passes).toBe(JSON.stringify(one) === JSON.stringify(other) ? "sent" : "internal");
    }),
  );
});

promise(
  "tools:exec-declared",
  "an ordinary read or write of exec, attach, port-forward or proxy is stopped although it was declared",
  () => {
    for (const subresource of ["exec", "attach", "portforward", "proxy"])
      for (const [method, verb] of [
        ["GET", "get"],
        ["POST", "create"],
      ] as const) {
        const url = `https://c/api/v1/namespaces/shop/pods/web-1/${subresource}?command=id`;
        const accesses = [access({ verb, subresource })];
        expect([
          subresource,
          codeOf(() => guardSent(parseRequest(method, url, "https://c"), { ...line, accesses })),
        ]).toEqual([subresource, "internal"]);
      }
  },
);

promise(
  "kubernetes:guard-sees-sent",
  "a list or watch that is pinned to one name is covered by that name, and by no other",
  () => {
    const wire = (query: string) => parseRequest("GET", `https://c/api/v1/namespaces/shop/pods?${query}`, "https://c");
    const watch = access({ verb: "watch", subresource: "" });
    const tried = [
      ["watch=true&fieldSelector=metadata.name%3Dweb-1", "sent"],
      ["watch=true&fieldSelector=metadata.name%3Dweb-2", "internal"],
      ["watch=true", "internal"],
      ["watch=true&fieldSelector=metadata.name%3Dweb-1%2Cmetadata.name%3Dweb-2", "internal"],
      ["watch=true&fieldSelector=metadata.name%21%3Dweb-1", "internal"],
      ["fieldSelector=metadata.name%3Dweb-1", "internal"],
    ] as const;
    for (const [query, code] of tried)
      expect([query, codeOf(() => guardSent(wire(query), { ...line, accesses: [watch] }))]).toEqual([query, code]);
  },
);

const running = { name: "web", state: { running: {} }, ready: true, restartCount: 0, containerID: "containerd://1" };
const pod = (more: JsonObject = {}, status: JsonObject = {}): JsonObject => ({
  metadata: { name: "web-1", uid: "u1", generation: 1 },
  spec: { containers: [{ name: "web", image: "a:1" }], nodeName: "n1", serviceAccountName: "app", ...more },
  status: { containerStatuses: [{ ...running, ...status }] },
});
const asked = { container: "web", command: ["ls"], seconds: 5 };

promise("tools:exec-agreed", "whatever changes what would run, or where, is another matter; readiness is not", () => {
  const { substance } = execMatter(pod(), asked);
  expect(execMatter(pod({}, { ready: false }), asked).substance).toBe(substance);
  const changed: readonly (readonly [JsonObject, typeof asked])[] = [
    [pod(), { ...asked, command: ["ls", ""] }],
    [pod(), { ...asked, command: ["l", "s"] }],
    [pod({}, { restartCount: 1 }), asked],
    [pod({}, { containerID: "containerd://2" }), asked],
    [pod({ containers: [{ name: "web", image: "a:2" }] }), asked],
    [pod({ serviceAccountName: "admin" }), asked],
    [pod({ nodeName: "n2" }), asked],
    [pod({ hostPID: true }), asked],
    [{ ...pod(), metadata: { name: "web-1", uid: "u1", generation: 2 } }, asked],
  ];
  const substances = changed.map(([object, how]) => execMatter(object, how).substance);
  expect(new Set([substance, ...substances]).size).toBe(changed.length + 1);
});

promise("tools:exec-inspectable", "words that the masker would hide, alone or beside their neighbours", () => {
  const forCall = openMasking({ key: new Uint8Array(32) }).forCall({ id: "ses_x" as SessionId, door: "stdio" }, {});
  const masker = { ...forCall, asRead: (value: JsonObject) => forCall.object(value) };
  const hidden = [
    ["mysql", "-uroot", "-pSup3rS3cretValue"],
    ["psql", "postgres://app:Sup3rS3cretValue@db/app"],
    ["app", "--token", "Sup3rS3cretValue99"],
    ["app", "--password=Sup3rS3cretValue99"],
    ["curl", "-H", "Authorization: Bearer c2VjcmV0LXRva2VuLXZhbHVlLTEyMzQ1Njc4OTA"],
    ["curl", "-u", "admin:Sup3rS3cretValue", "http://api"],
    ["echo", "[MASKED:password]"],
  ];
  for (const command of hidden)
    expect([command, codeOf(() => inspectable(command, masker))]).toEqual([command, "invalid_input"]);
  for (const command of [
    ["ls", "-la"],
    ["curl", "-s", "http://api:8080/healthz"],
    ["tail", "-n", "100", "/var/log/app.log"],
    ["echo", "password"],
  ])
    expect([command, codeOf(() => inspectable(command, masker))]).toEqual([command, "sent"]);
});
