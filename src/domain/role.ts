// Who may read the record, and who may keep it: two roles that a configuration gives to people, and absent means no.

import type { PrincipalFields } from "./principal.ts";

/** `auditor` reads, verifies and exports; `operator` purges, places and releases holds, compares with the cluster's log. Neither approves by it. */
export const roles = ["auditor", "operator"] as const;
export type Role = (typeof roles)[number];

/** `group:NAME` or `user:SUBJECT`, as rules name approvers. */
export interface RoleHolders {
  readonly auditors: readonly string[];
  readonly operators: readonly string[];
}

export const nobody: RoleHolders = { auditors: [], operators: [] };

/** The roles of whoever this is. Software has none, and nobody has one while something acts for them. */
export function rolesOf(
  who: Pick<PrincipalFields, "kind" | "subject" | "groups" | "actors">,
  { auditors, operators }: RoleHolders,
): ReadonlySet<Role> {
  if (who.kind !== "person" || who.actors.length > 0) return new Set();
  const named = (holders: readonly string[]): boolean =>
    holders.some((one) => one === `user:${who.subject}` || who.groups.some((group) => one === `group:${group}`));
  const held = { auditor: named(auditors), operator: named(operators) };
  return new Set(roles.filter((role) => held[role]));
}
