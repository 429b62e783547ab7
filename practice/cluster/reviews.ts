// Reviews: questions about who one is and what one may do, answered and forgotten.

import { describeUser, type User } from "./authn.ts";
import { at, isJsonObject, mapAt, textAt, textsAt, timestamp, type Json, type JsonObject } from "./json.ts";
import { groupVersionOf, type Kind } from "./kinds.ts";
import { decodeObject } from "./objects.ts";
import { authorize, granted, type Attributes } from "./rbac.ts";
import { invalid, invalidValue } from "./status.ts";
import type { Storage } from "./storage.ts";

/** The review with its status. `authenticate` reads a bearer token, for TokenReview. */
export function answerReview(
  storage: Storage,
  authenticate: (authorization: string) => User | undefined,
  user: User,
  kind: Kind,
  body: Json | undefined,
  now: number,
): JsonObject {
  const review = decodeObject(body, kind.kind, groupVersionOf(kind));
  const metadata = mapAt(review, "metadata");
  switch (kind.kind) {
    case "SelfSubjectReview":
      return { ...review, metadata: { creationTimestamp: timestamp(now) }, status: { userInfo: describeUser(user) } };
    case "SelfSubjectRulesReview":
      return { ...review, metadata, status: rulesOf(storage, user, textAt(review, "spec", "namespace")) };
    case "TokenReview": {
      const found = authenticate(`Bearer ${textAt(review, "spec", "token")}`);
      const status =
        found === undefined
          ? { user: {}, error: "invalid bearer token" }
          : { authenticated: true, user: describeUser(found) };
      return { ...review, metadata, status };
    }
    case "SubjectAccessReview":
      return { ...review, metadata, status: verdictOn(storage, subjectOf(review), review) };
    default:
      return { ...review, metadata, status: verdictOn(storage, user, review) };
  }
}

const subjectOf = (review: JsonObject): User => ({
  username: textAt(review, "spec", "user"),
  uid: textAt(review, "spec", "uid"),
  groups: textsAt(review, "spec", "groups"),
  extra: {},
});

function verdictOn(storage: Storage, user: User, review: JsonObject): JsonObject {
  const verdict = authorize(storage, user, attributesOf(review));
  return verdict.allowed && verdict.reason !== ""
    ? { allowed: true, reason: verdict.reason }
    : { allowed: verdict.allowed };
}

function attributesOf(review: JsonObject): Attributes {
  const asked = at(review, "spec", "resourceAttributes");
  const path = at(review, "spec", "nonResourceAttributes");
  if (isJsonObject(asked) === isJsonObject(path)) {
    const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    throw invalid("", "authorization.k8s.io", "", [invalidValue("spec.resourceAttributes", null, why)]);
  }
  if (!isJsonObject(asked)) return { verb: textAt(path, "verb"), path: textAt(path, "path") };
  return {
    verb: textAt(asked, "verb"),
    group: textAt(asked, "group"),
    resource: textAt(asked, "resource"),
    subresource: textAt(asked, "subresource"),
    namespace: textAt(asked, "namespace"),
    name: textAt(asked, "name"),
  };
}

function rulesOf(storage: Storage, user: User, namespace: string): JsonObject {
  const held = granted(storage, user, namespace).map(({ rule }) => rule);
  const whole = user.groups.includes("system:masters");
  return {
    resourceRules: [
      ...(whole ? [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }] : []),
      ...held.filter((rule) => textsAt(rule, "resources").length > 0),
    ],
    nonResourceRules: [
      ...(whole ? [{ verbs: ["*"], nonResourceURLs: ["*"] }] : []),
      ...held.filter((rule) => textsAt(rule, "nonResourceURLs").length > 0),
    ],
    incomplete: false,
  };
}
