// Whether somebody who asked for something as an operator of the record still is one: a request does not outlive the role that it was made in.

import { groupsOf, personOf, type Person } from "../approval/people.ts";
import { rolesOf, type RoleHolders } from "../domain/role.ts";
import type { Asked } from "../transcript/holds.ts";

/**
 * By what the configuration says now: the owner of the state folder; a group of their issuer's that operators are still
 * named by (whether they are still in it only the issuer knows); or any of their accounts by its own name or by the
 * groups that the configuration gives the person.
 */
export function stillOperator(
  { accounts, as }: Pick<Asked, "accounts" | "as">,
  { people, transcript }: { readonly people: readonly Person[]; readonly transcript: RoleHolders },
): boolean {
  if (as.some((one) => one === "owner" || transcript.operators.includes(one))) return true;
  return accounts.some(({ iss, sub }) => {
    const person = personOf(people, { issuer: iss, subject: sub });
    const who = { kind: "person", subject: sub, groups: groupsOf(person, []), actors: [] } as const;
    return rolesOf(who, transcript).has("operator");
  });
}
