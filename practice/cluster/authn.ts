// Who asks: a static bearer token or a ServiceAccount's token; everyone else is 401, as with --anonymous-auth=false.

import { createHash, timingSafeEqual } from "node:crypto";
import type { JsonObject } from "./json.ts";
import type { Storage } from "./storage.ts";
import { userOfToken, type SigningKey, type User } from "./tokens.ts";

export type { User } from "./tokens.ts";

/** The superuser of the kubeconfig that start-up writes. */
export const admin: User = {
  username: "practice-admin",
  uid: "practice-admin",
  groups: ["system:masters", "system:authenticated"],
  extra: {},
};

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Reads an `Authorization` header; undefined means 401. */
export function authenticator(
  storage: Storage,
  key: SigningKey,
  adminToken: string,
  now: () => number,
): (authorization: string | undefined) => User | undefined {
  const expected = digest(adminToken);
  return (authorization) => {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return undefined;
    return timingSafeEqual(digest(token), expected) ? admin : userOfToken(storage, key, token, now());
  };
}

/** A user as UserInfo (authentication/v1) shows it. */
export function describeUser(user: User): JsonObject {
  return {
    username: user.username,
    ...(user.uid === "" ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
}
