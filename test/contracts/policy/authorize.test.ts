// Ways to an authorised call that must not exist.

import { expect, expectTypeOf } from "vitest";
import type { SpentApproval } from "../../../src/domain/approval.ts";
import type { AuthorizedCall, PlannedCall } from "../../../src/domain/call.ts";
import type { Decision } from "../../../src/domain/decision.ts";
import type { ApprovalId, CallId, SessionId } from "../../../src/domain/ids.ts";
import type { Principal } from "../../../src/domain/principal.ts";
import { authorize } from "../../../src/policy/authorize.ts";
import { decide, noFacts } from "../../../src/policy/decide.ts";
import { promise } from "../../support/promise.ts";
import { agent, allowEverything, call, policyOf } from "./support.ts";

const planned = (...given: Parameters<typeof call>): PlannedCall => ({
  ...call(...given),
  // The brand's one minter is identify; a test stands in for it.
  principal: agent as Principal,
  id: "call_01" as CallId,
  session: { id: "ses_01" as SessionId, door: "stdio" },
  toolDigest: "",
  arguments: {},
  reason: null,
  previewOnly: false,
  digest: "",
});
const spent = { id: "apr_01" as ApprovalId, approvalDigest: "" } as SpentApproval;
const open = policyOf(allowEverything);
const asking = policyOf(allowEverything, { effect: "require-approval", match: { verbs: ["patch"] } });
const scale = planned("change", ["get pods shop/web", "patch apps/deployments/scale shop/web", "list secrets shop/*?"]);

promise("policy:authorize-mints", "an allowed call without its dropped accesses", () => {
  const decision = decide(open, scale, noFacts);
  const preconditions = [
    { resource: "apps/deployments", namespace: "shop", name: "web", uid: "u", resourceVersion: "7", substance: "" },
  ];
  const authorized = authorize(scale, decision, preconditions, null);
  expect(authorized).toEqual({
    call: scale,
    accesses: scale.accesses.slice(0, 2),
    decision,
    approval: null,
    preconditions,
  });
  expect([Object.isFrozen(authorized), Object.isFrozen(authorized.accesses)]).toEqual([true, true]);
});

promise("policy:authorize-mints", "never a denied call, and none that asks for an approval that was not spent", () => {
  const decision = decide(asking, scale, noFacts);
  expect(() => authorize(scale, decision, [], null)).toThrow("can't be authorised without one");
  expect(authorize(scale, decision, [], spent).approval).toBe("apr_01");
  const denied = decide(policyOf(), scale, noFacts);
  expect(() => authorize(scale, denied, [], null)).toThrow("A denied call");
  expect(() => authorize(scale, denied, [], spent)).toThrow("A denied call");
});

promise("policy:authorize-mints", "never what is forbidden, even where a decision says allow", () => {
  const decision: Decision = decide(open, scale, noFacts);
  const other = planned("change", ["patch rbac.authorization.k8s.io/roles shop/mine"]);
  expect(() => authorize(other, decision, [], spent)).toThrow("forbidden access");
  const hidden = planned("change", ["patch pods shop/web", "create serviceaccounts/token shop/default?"]);
  expect(() => authorize(hidden, { ...decision, dropped: [] }, [], null)).toThrow("forbidden access");
});

promise("policy:authorize-mints", "an optional twin that was dropped does not take the required access with it", () => {
  const twins = planned("change", ["patch pods shop/web", "patch pods shop/web?"]);
  const decision = decide(asking, twins, noFacts);
  expect(decision.dropped.length).toBe(1);
  expect(authorize(twins, decision, [], spent).accesses).toEqual([twins.accesses[0]]);
});

promise("policy:authorize-mints", "plain objects are not authorised calls to the compiler", () => {
  type Plain = Pick<AuthorizedCall, "call" | "accesses" | "decision" | "approval" | "preconditions">;
  expectTypeOf<Plain>().not.toExtend<AuthorizedCall>();
  expectTypeOf<{ id: ApprovalId; approvalDigest: string }>().not.toExtend<SpentApproval>();
  // @ts-expect-error A call that was only planned can't pass for an authorised one.
  const misuse: AuthorizedCall = scale;
  expect(misuse).toBe(scale);
});
