// Calls as policy would hand them over, for tests of what is issued for them.

import type { Access } from "../../../src/domain/access.ts";
import type { AuthorizedCall, Effect } from "../../../src/domain/call.ts";
import { idsFrom, type Ids } from "../../../src/domain/ids.ts";
import type { Principal, PrincipalFields, Session } from "../../../src/domain/principal.ts";

export function testIds(): Ids {
  return idsFrom(Date.now, (count) => crypto.getRandomValues(new Uint8Array(count)));
}

/** An access with everything that a test does not care about filled in. */
export function access(cluster: string, part: Partial<Access> & Pick<Access, "verb" | "resource">): Access {
  return {
    cluster,
    group: part.resource === "deployments" ? "apps" : "",
    version: "v1",
    subresource: "",
    kind: part.resource,
    namespace: "shop",
    name: "",
    optional: false,
    ...part,
  };
}

export interface CallParts {
  readonly cluster: string;
  readonly effect: Effect;
  readonly accesses: readonly Access[];
  readonly session?: Session;
}

const ids = testIds();

export function newSession(): Session {
  return { id: ids.session(), door: "http" };
}

export function authorizedCall({ cluster, effect, accesses, session = newSession() }: CallParts): AuthorizedCall {
  const principal = {
    issuer: "https://issuer.example",
    subject: "ada",
    kind: "person",
    groups: [],
    actors: [],
    client: "test agent",
    verifier: "local-user",
  } as const;
  return {
    call: {
      id: ids.call(),
      principal: principal as PrincipalFields as Principal,
      session,
      tool: "workloads_scale",
      toolDigest: "00",
      effect,
      cluster,
      arguments: {},
      accesses,
      reason: effect === "read" ? null : "a test of credentials",
      previewOnly: false,
      digest: "00",
    },
    accesses,
    decision: {
      effect: "allow",
      rules: ["a-rule"],
      forbid: null,
      requirements: [],
      obligations: { maxBytes: null, mask: [] },
      tell: null,
      errors: [],
      dropped: [],
      policy: "00",
    },
    approval: null,
    preconditions: [],
  } as Omit<AuthorizedCall, symbol> as AuthorizedCall;
}

/** `<call>.1`, `<call>.2`, … */
export function auditIds(prefix: string): () => string {
  let count = 0;
  return () => `${prefix}.${++count}`;
}
