// The CEL subset of the practice cluster's admission policies.

import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { expect } from "vitest";
import { compile, EvaluationFailed, OutsideSubset } from "../../../practice/cluster/cel.ts";
import { promise } from "../../support/promise.ts";

const scope = {
  request: {
    operation: "UPDATE",
    dryRun: true,
    resource: { group: "apps", version: "v1", resource: "deployments" },
    userInfo: { username: "system:serviceaccount:a:b", groups: ["g", "h"] },
  },
  object: {
    metadata: { name: "x", labels: { team: "shop" } },
    spec: { hostNetwork: true, volumes: [{ name: "v", hostPath: { path: "/" } }, { name: "w" }], replicas: 3 },
  },
  oldObject: null,
  variables: { wide: true },
};

promise("practice:expressions", "the set means what CEL means", () => {
  const cases = {
    'request.userInfo.username == "system:serviceaccount:a:b"': true,
    "'g' in request.userInfo.groups && !('z' in request.userInfo.groups)": true,
    "request.?dryRun.orValue(false) == true": true,
    "request.?namespace.orValue('none')": "none",
    "has(request.dryRun) && request.dryRun": true,
    "has(request.namespace)": false,
    'request.resource.resource != "secrets" && request.resource.group == "apps"': true,
    "request.resource.resource in ['roles', 'deployments']": true,
    "has(object.spec.hostNetwork) && object.spec.hostNetwork": true,
    "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))": false,
    "object.spec.volumes.exists(v, has(v.hostPath) && v.hostPath.path == '/')": true,
    "object.spec.?securityContext.?privileged.orValue(false)": false,
    "object.metadata.labels['team'] == 'shop' && 'team' in object.metadata.labels": true,
    "oldObject == null ? size(object.spec.volumes) == 2 : false": true,
    "request.userInfo.username.startsWith('system:') && 'abc'.endsWith('c') && 'abc'.contains('b')": true,
    "object.spec.replicas >= 3 && object.spec.replicas < 4 && object.spec.volumes.size() > 1": true,
    "variables.wide": true,
    "true || object.missing == 1": true,
    "object.missing == 1 || true": true,
    "false && object.missing == 1": false,
    "object.missing == 1 && false": false,
    "[1, 2].exists(n, object.missing == n || n == 2)": true,
    "1 == 2 || 2 == 2 && !false": true,
    "'it\\'s' == \"it's\"": true,
    "!!true": true,
    "1 == '1'": false,
  };
  for (const [source, value] of Object.entries(cases))
    expect([source, compile(source)(scope)]).toEqual([source, value]);
});

promise("practice:expressions", "what fails in CEL fails here", () => {
  const failing = [
    "object.missing == 1",
    "object.missing == 1 || false",
    "object.missing == 1 && true",
    "oldObject.metadata.name == 'x'",
    "object.metadata.name && true",
    "object.spec.replicas < 'x'",
    "request.?dryRun",
    "has(object.metadata.name.x)",
    "object.metadata.labels['none']",
    "object.spec.volumes.all(v, v.name)",
    "'x' in object.spec.replicas",
    "object.constructor == null",
    "object.metadata.?name.x.orValue('a')",
  ];
  for (const source of failing) expect(() => compile(source)(scope), source).toThrow(EvaluationFailed);
});

promise("practice:expressions", "what is not in the set is refused when it is read", () => {
  const outside = [
    "",
    "request.",
    "request.stranger",
    "request.userInfo.stranger",
    "stranger",
    "object.name.matches('x')",
    "1 + 1 == 2",
    "-1 == 1",
    "has(object)",
    "has(object.?name)",
    "object.spec.volumes.map(v, v.name)",
    "object.a == 'unclosed",
    "b'bytes' == b'bytes'",
    "{'a': 1}",
    "a = b",
    "true true",
    "object.spec.volumes.all(v, w)",
    "'\\x41' == 'A'",
    `${"(".repeat(50)}true${")".repeat(50)}`,
  ];
  for (const source of outside) expect(() => compile(source), source).toThrow(OutsideSubset);
});

promise("practice:expressions", "no text does anything but these two", () => {
  const words = constantFrom(
    ..."request object variables v dryRun userInfo spec has size all exists in true null . .? ( ) [ ] , ! && || == < ? : 'a' 1".split(
      " ",
    ),
  );
  assert(
    property(
      oneof(
        string(),
        array(words, { maxLength: 14 }).map((list) => list.join(" ")),
      ),
      (source) => {
        try {
          compile(source)(scope);
        } catch (error) {
          expect(error instanceof OutsideSubset || error instanceof EvaluationFailed).toBe(true);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
