// Who comes to the record, and with which roles: the owner of the state folder, or whoever a token names.

import { groupsOf, personOf } from "../approval/people.ts";
import type { Config } from "../config/schema.ts";
import type { PrincipalFields } from "../domain/principal.ts";
import { roles, rolesOf } from "../domain/role.ts";
import type { Keeper } from "../wiring/evidence-methods.ts";
import { operatorOf } from "./agent-identities.ts";

type Told = Pick<Config, "people" | "transcript">;

/** Whoever could open the owner's socket, or the state folder itself: they hold the files, and so both roles. */
export function ownerKeeper(user: string, { people }: Pick<Told, "people">): Keeper {
  const by = operatorOf(user);
  const person = personOf(people, by);
  return { by, person: person?.name ?? "", accounts: person?.accounts ?? [], as: ["owner"], roles: new Set(roles) };
}

/** Whoever a token names: the roles that the configuration gives them, as everywhere by the groups of the person too. */
export function namedKeeper(who: PrincipalFields, { people, transcript }: Told): Keeper {
  const person = personOf(people, who);
  const by = { ...who, client: "terminal" };
  return {
    by,
    person: person?.name ?? "",
    accounts: person?.accounts ?? [],
    as: who.groups.map((group) => `group:${group}`).filter((one) => transcript.operators.includes(one)),
    roles: rolesOf({ ...who, groups: groupsOf(person, who.groups) }, transcript),
  };
}
