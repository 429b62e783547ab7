// Decisions that an attacker would like to be otherwise, one promise at a time.

import { expect } from "vitest";
import type { PrincipalFields } from "../../../src/domain/principal.ts";
import { decide, noFacts } from "../../../src/policy/decide.ts";
import { neededFacts, nothingNeeded } from "../../../src/policy/needed.ts";
import { possible } from "../../../src/policy/possible.ts";
import { promise } from "../../support/promise.ts";
import { access, agent, allowEverything, call, environments, policyOf, type PlainRule } from "./support.ts";

const effectOf = (...given: Parameters<typeof decide>): string => decide(...given).effect;

promise("policy:absent-means-no", "no rule, no matching rule and no rule for one of the accesses all deny", () => {
  const reads = policyOf({ effect: "allow", match: { kinds: ["pods"] } });
  expect(effectOf(policyOf(), call("read", ["get pods shop/web"]), noFacts)).toBe("deny");
  expect(effectOf(policyOf(), call("read", []), noFacts)).toBe("deny");
  expect(effectOf(reads, call("read", ["get pods/log shop/web"]), noFacts)).toBe("deny");
  expect(effectOf(reads, call("read", ["get pods shop/web", "get pods/log shop/web"]), noFacts)).toBe("deny");
  expect(effectOf(reads, call("read", ["get pods shop/web"]), noFacts)).toBe("allow");
});

promise(
  "policy:absent-means-no",
  "an environment that was not looked up, is not labelled or has no namespace allows nothing",
  () => {
    const dev = policyOf({ effect: "allow", match: { environments: ["dev"] } });
    const scale = call("change", ["patch apps/deployments/scale shop/web"]);
    for (const facts of [
      noFacts,
      environments({ shop: "" }),
      environments({ shop: null }),
      environments({ bank: "dev" }),
    ])
      expect(effectOf(dev, scale, facts)).toBe("deny");
    const elsewhere = environments({ shop: "dev" }).namespaces.map((fact) => ({ ...fact, cluster: "other" }));
    expect(effectOf(dev, scale, { ...noFacts, namespaces: elsewhere })).toBe("deny");
    const gone = environments({ shop: "dev" }).namespaces.map((fact) => ({ ...fact, exists: false }));
    expect(effectOf(dev, scale, { ...noFacts, namespaces: gone })).toBe("deny");
    expect(
      effectOf(dev, call("change", ["patch nodes n1"], { tool: "nodes_cordon" }), environments({ shop: "dev" })),
    ).toBe("deny");
    expect(effectOf(dev, scale, environments({ shop: "prod" }))).toBe("deny");
    expect(effectOf(dev, scale, environments({ shop: "dev" }))).toBe("allow");
  },
);

promise(
  "policy:absent-means-no",
  "a deny or an approval for production also holds where the environment is not known",
  () => {
    for (const effect of ["deny", "require-approval"] as const) {
      const policy = policyOf(allowEverything, { effect, match: { environments: ["prod"] } });
      const scale = call("change", ["patch apps/deployments/scale shop/web"]);
      for (const facts of [
        noFacts,
        environments({ shop: "" }),
        environments({ shop: null }),
        environments({ shop: "prod" }),
      ])
        expect(effectOf(policy, scale, facts)).toBe(effect);
      expect(effectOf(policy, scale, environments({ shop: "dev" }))).toBe("allow");
    }
  },
);

promise(
  "policy:absent-means-no",
  "a list without a namespace counts as one of every namespace, unless its kind has none",
  () => {
    const guarded = policyOf(allowEverything, { effect: "deny", match: { namespaces: ["vault"] } });
    const fenced = policyOf({ effect: "allow", match: { namespaces: ["shop"] } });
    const allPods = call("read", ["list pods *"]);
    const custom = call("read", ["list example.com/things *"]);
    expect([effectOf(guarded, allPods, noFacts), effectOf(fenced, allPods, noFacts)]).toEqual(["deny", "deny"]);
    expect([effectOf(guarded, custom, noFacts), effectOf(fenced, custom, noFacts)]).toEqual(["deny", "deny"]);
    const nodes = call("read", ["list nodes *"]);
    expect([effectOf(guarded, nodes, noFacts), effectOf(fenced, nodes, noFacts)]).toEqual(["allow", "deny"]);
    // A Namespace lies in itself.
    expect(effectOf(guarded, call("read", ["get namespaces vault"]), noFacts)).toBe("deny");
    expect(effectOf(fenced, call("read", ["get namespaces shop"]), noFacts)).toBe("allow");
  },
);

promise("policy:absent-means-no", "a prefix is a prefix of whole words, and only of namespaces", () => {
  const policy = policyOf({ effect: "allow", match: { namespaces: ["team-*"] } });
  const answers = ["team-a", "team", "teams-a", "a-team-b", "team-"].map((namespace) =>
    effectOf(policy, call("read", [{ ...access("get pods x/web"), namespace }]), noFacts),
  );
  expect(answers).toEqual(["allow", "deny", "deny", "deny", "deny"]);
});

promise("policy:strictest-wins", "in whatever order and shape the rules come", () => {
  const rules = [
    allowEverything,
    { id: "asks", effect: "require-approval", match: { namespaces: ["shop", "bank"] } },
    { id: "denies", effect: "deny", match: { namespaces: ["bank"], verbs: ["get"] } },
  ] as const;
  for (const policy of [policyOf(...rules), policyOf(...rules.toReversed())]) {
    expect(effectOf(policy, call("read", ["get pods lab/web"]), noFacts)).toBe("allow");
    expect(effectOf(policy, call("read", ["get pods shop/web"]), noFacts)).toBe("require-approval");
    expect(effectOf(policy, call("read", ["get pods bank/web"]), noFacts)).toBe("deny");
    expect(effectOf(policy, call("read", ["get pods lab/web", "get pods bank/web"]), noFacts)).toBe("deny");
    expect(effectOf(policy, call("read", ["get pods lab/web", "get pods shop/web"]), noFacts)).toBe("require-approval");
  }
});

promise("policy:secrets-need-a-person", "a broad allow does not reach them, an approval does, a deny wins", () => {
  const read = call("read", ["get secrets shop/db"]);
  expect(effectOf(policyOf(allowEverything), read, noFacts)).toBe("deny");
  const asked = {
    id: "asked",
    effect: "require-approval",
    match: { kinds: ["secrets"], namespaces: ["shop"] },
  } as const;
  expect(decide(policyOf(allowEverything, asked), read, noFacts)).toMatchObject({
    effect: "require-approval",
    rules: ["asked"],
  });
  expect(effectOf(policyOf(allowEverything, asked, { effect: "deny", match: {} }), read, noFacts)).toBe("deny");
  expect(effectOf(policyOf(allowEverything), call("change", ["patch secrets shop/db"]), noFacts)).toBe("deny");
  const beside = call("read", ["get pods shop/web", "list secrets shop/*?"]);
  expect(decide(policyOf(allowEverything, asked), beside, noFacts).dropped).toEqual([access("list secrets shop/*?")]);
});

promise("policy:effect-is-honest", "whatever is allowed", () => {
  const open = policyOf(allowEverything);
  expect(effectOf(open, call("read", ["patch apps/deployments shop/web"]), noFacts)).toBe("deny");
  for (const effect of ["change", "destroy", "execute"] as const) {
    expect(effectOf(open, call(effect, []), noFacts)).toBe("deny");
    expect(effectOf(open, call(effect, ["get pods shop/web"]), noFacts)).toBe("deny");
    expect(effectOf(open, call(effect, ["get pods shop/web", "delete pods shop/web?"]), noFacts)).toBe("deny");
    expect(effectOf(open, call(effect, ["delete pods shop/web"]), noFacts)).toBe("allow");
  }
});

promise("policy:optional-dropped", "denied, asked-for and unmatched ones go; the rest and the answer stay", () => {
  const policy = policyOf(
    { id: "reads", effect: "allow", match: { kinds: ["pods", "events", "services"] } },
    { id: "asks", effect: "require-approval", match: { kinds: ["events"] } },
    { id: "denies", effect: "deny", match: { kinds: ["services"] } },
  );
  const asked = call("read", ["get pods shop/web", "list events shop/*?", "list services shop/*?", "list nodes *?"]);
  expect(decide(policy, asked, noFacts)).toEqual({
    effect: "allow",
    rules: ["reads", "asks", "denies"],
    forbid: null,
    requirements: [],
    obligations: { maxBytes: null, mask: [] },
    tell: null,
    errors: [],
    dropped: [access("list events shop/*?"), access("list services shop/*?"), access("list nodes *?")],
    policy: policy.digest,
  });
});

promise("policy:optional-dropped", "a call of nothing else needs one that stays, and names nothing it left out", () => {
  const policy = policyOf(
    { effect: "allow", match: { namespaces: ["shop"] } },
    { effect: "deny", match: { namespaces: ["vault"] }, tell: "The vault is closed." },
    { effect: "deny", match: { kinds: ["secrets"] }, tell: "Secrets are closed." },
  );
  const wide = (kind: string, ...namespaces: string[]) =>
    call(
      "read",
      namespaces.map((name) => `list ${kind} ${name}/*?`),
    );
  const some = decide(policy, wide("pods", "shop", "vault", "bank"), noFacts);
  expect([some.effect, some.dropped.length]).toEqual(["allow", 2]);
  const none = decide(policy, wide("pods", "vault", "bank"), noFacts);
  expect([none.effect, none.tell]).toEqual(["deny", null]);
  const all = decide(policy, wide("secrets", "shop", "vault"), noFacts);
  expect([all.effect, all.tell]).toEqual(["deny", "Secrets are closed."]);
});

promise("policy:optional-dropped", "a call without accesses is allowed only by a rule that asks for none", () => {
  const bare = call("read", [], { tool: "access_review" });
  for (const match of [{ kinds: ["pods"] }, { verbs: ["get"] }, { namespaces: ["shop"] }, { environments: ["dev"] }])
    expect(effectOf(policyOf({ effect: "allow", match }), bare, noFacts)).toBe("deny");
  expect(effectOf(policyOf({ effect: "allow", match: { tools: ["access_review"] } }), bare, noFacts)).toBe("allow");
  const denied = policyOf(allowEverything, { effect: "deny", match: { tools: ["access_review"] } });
  expect(effectOf(denied, bare, noFacts)).toBe("deny");
});

promise("policy:caller-is-proven", "a client's own name for itself is nobody's", () => {
  const trusted = policyOf({ effect: "allow", match: { agents: ["trusted"] } });
  const banned = policyOf(allowEverything, { effect: "deny", match: { agents: ["trusted"] } });
  const ask = (policy: typeof trusted, principal: PrincipalFields) =>
    effectOf(policy, call("read", ["get pods shop/web"], { principal }), noFacts);
  const person: PrincipalFields = { ...agent, kind: "person", subject: "ann", client: "trusted" };
  expect(ask(trusted, person)).toBe("deny");
  // Nor does leaving the name out escape a rule against it: unproven software could be anything.
  expect(ask(banned, { ...person, client: "" })).toBe("deny");
  const through = (subject: string): PrincipalFields => ({ ...person, actors: [{ issuer: "local", subject }] });
  expect([ask(trusted, through("trusted")), ask(banned, through("other"))]).toEqual(["allow", "allow"]);
  const nested = { ...person, actors: [...through("other").actors, ...through("trusted").actors] };
  expect(ask(trusted, nested)).toBe("deny");
  expect(ask(trusted, { ...agent, subject: "trusted" })).toBe("allow");
});

promise(
  "policy:caller-is-proven",
  "another issuer's account of the same name is another account where the rule says so",
  () => {
    const policy = policyOf({ effect: "allow", match: { subjects: ["https://id.example.com ann"] } });
    const ask = (issuer: string, subject: string) =>
      effectOf(policy, call("read", ["get pods shop/web"], { principal: { ...agent, issuer, subject } }), noFacts);
    expect(ask("https://id.example.com", "ann")).toBe("allow");
    expect(ask("https://other.example.com", "ann")).toBe("deny");
    expect(ask("https://other.example.com", "https://id.example.com ann")).toBe("deny");
  },
);

promise(
  "policy:decision-tells",
  "requirements of all approval rules, the least of the limits, the first fitting words",
  () => {
    const policy = policyOf(
      { ...allowEverything, obligations: { maxBytes: 9000 }, tell: "Fine." },
      { id: "one", effect: "require-approval", match: { kinds: ["pods"] }, obligations: { maxBytes: 5000 } },
      {
        id: "two",
        effect: "require-approval",
        match: { namespaces: ["shop"] },
        tell: "Ask sre.",
        approval: {
          approvers: ["group:sre", "user:ann"],
          count: 2,
          expires: "2h",
          validFor: "90s",
          assurance: "step-up",
        },
      },
    );
    expect(decide(policy, call("destroy", ["get pods shop/web", "delete pods shop/web"]), noFacts)).toEqual({
      effect: "require-approval",
      rules: ["allow-everything", "one", "two"],
      forbid: null,
      requirements: [
        {
          rule: "one",
          approvers: ["group:approvers"],
          count: 1,
          expires: 3600,
          validFor: 600,
          assurance: "same-device",
        },
        {
          rule: "two",
          approvers: ["group:sre", "user:ann"],
          count: 2,
          expires: 7200,
          validFor: 90,
          assurance: "step-up",
        },
      ],
      obligations: { maxBytes: 5000, mask: [] },
      tell: "Ask sre.",
      errors: [],
      dropped: [],
      policy: policy.digest,
    });
  },
);

promise("policy:facts-needed", "nothing is looked up for a call that is denied already", () => {
  const policy = policyOf(
    { effect: "allow", match: { environments: ["dev"], effects: ["change", "read"] } },
    { effect: "deny", match: { namespaces: ["vault"] } },
  );
  const nothing = nothingNeeded;
  const web = access("patch pods shop/web");
  const shop = { ...nothing, namespaces: ["shop"] };
  expect(neededFacts(policy, call("change", [web]))).toEqual({ ...shop, objects: [web] });
  expect(neededFacts(policy, call("read", ["get pods shop/web"]))).toEqual(shop);
  expect(neededFacts(policy, call("change", ["patch pods vault/web"]))).toEqual(nothing);
  expect(neededFacts(policy, call("destroy", ["delete pods shop/web"]))).toEqual(nothing);
  expect(neededFacts(policy, call("change", ["patch pods shop/web", "patch pods kube-system/dns"]))).toEqual(nothing);
  expect(neededFacts(policy, call("read", ["get secrets shop/db"]))).toEqual(nothing);
  const plain = policyOf(allowEverything);
  expect(neededFacts(plain, call("read", ["get pods shop/web"]))).toEqual(nothing);
  expect(neededFacts(plain, call("change", [web]))).toEqual({ ...nothing, objects: [web] });
});

promise("policy:list-agrees", "shown as the best that some call could get", () => {
  const scale = { name: "workloads_scale", effects: ["change", "destroy"] } as const;
  const list = { name: "objects_list", effects: ["read"] } as const;
  const both = (...rules: readonly PlainRule[]) =>
    [scale, list].map((tool) => possible(policyOf(...rules), agent, tool, ["practice"]));
  expect(both()).toEqual(["denied", "denied"]);
  expect(both(allowEverything)).toEqual(["allowed", "allowed"]);
  expect(both({ effect: "allow", match: { verbs: ["get", "list", "watch"] } })).toEqual(["denied", "allowed"]);
  expect(both({ effect: "allow", match: { groups: ["people"] } })).toEqual(["denied", "denied"]);
  expect(both({ effect: "allow", match: { clusters: ["elsewhere"] } })).toEqual(["denied", "denied"]);
  expect(both(allowEverything, { effect: "require-approval", match: { effects: ["change", "destroy"] } })).toEqual([
    "needs approval",
    "allowed",
  ]);
  expect(both(allowEverything, { effect: "require-approval", match: { environments: ["prod"] } })).toEqual([
    "allowed",
    "allowed",
  ]);
  expect(both(allowEverything, { effect: "deny", match: { tools: ["workloads_scale"] } })).toEqual([
    "denied",
    "allowed",
  ]);
  expect(both(allowEverything, { effect: "deny", match: { namespaces: ["shop"] } })).toEqual(["allowed", "allowed"]);
  expect(possible(policyOf(allowEverything), agent, list, [])).toBe("denied");
});
