// A person stands before what the rehearsal found, whatever the rules allow, and no rule is weakened by it.

import { expect } from "vitest";
import type { Facts } from "../../../src/domain/decision.ts";
import { withPerson } from "../../../src/policy/always-ask.ts";
import { decide, noFacts } from "../../../src/policy/decide.ts";
import { promise } from "../../support/promise.ts";
import { call, policyOf } from "./support.ts";

const running = call("execute", ["get pods shop/web", "get pods/exec shop/web", "create pods/exec shop/web"], {
  tool: "pods_exec",
});
const match = { kinds: ["pods", "pods/exec"] };
const found: Pick<Facts, "change"> = {
  change: {
    replicas: null,
    paths: [],
    scaled: [],
    images: [],
    envNames: [],
    securityContext: false,
    serviceAccounts: [],
    volumes: [],
    owners: false,
    finalizers: false,
    alwaysAsks: ["sh is a shell"],
  },
};

promise(
  "policy:always-asks",
  "an allow becomes an approval; a deny, a forbid and a rule's own approval stay what they are",
  () => {
    const allow = policyOf({ effect: "allow", match });
    const before = decide(allow, running, noFacts);
    expect(before.effect).toBe("allow");
    const after = decide(allow, running, { ...noFacts, ...found });
    expect([
      after.effect,
      after.rules.at(-1),
      after.requirements.map(({ approvers, count }) => [approvers, count]),
    ]).toEqual(["require-approval", "built-in:always-ask", [[["owner", "group:approvers"], 1]]]);
    const asked = policyOf({ effect: "require-approval", match });
    expect(decide(asked, running, { ...noFacts, ...found })).toEqual(decide(asked, running, noFacts));
    const denied = policyOf({ effect: "allow", match }, { effect: "deny", match });
    expect(decide(denied, running, { ...noFacts, ...found }).effect).toBe("deny");
    const system = call("execute", ["get pods/exec kube-system/dns", "create pods/exec kube-system/dns"], {
      tool: "pods_exec",
    });
    expect(decide(allow, system, { ...noFacts, ...found })).toMatchObject({ effect: "deny", forbid: "system-exec" });
  },
);

promise("policy:always-asks", "a rehearsal that found nothing changes nothing", () => {
  const decision = decide(policyOf({ effect: "allow", match }), running, noFacts);
  expect(withPerson(decision, { change: null }, "execute")).toBe(decision);
});
