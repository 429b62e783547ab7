// Doctor's checks of who keeps the record: roles that nobody holds, and holds in force.

import type { Config } from "../config/schema.ts";
import { readHolds } from "../transcript/signed.ts";
import { stateFolder, type Io } from "./io.ts";

interface Found {
  readonly name: string;
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  readonly next: string;
}

/** How many holds there are, and none of what they cover. */
export async function keepingChecks(io: Pick<Io, "env" | "now">, config: Config): Promise<readonly Found[]> {
  const [read] = await Promise.allSettled([readHolds(stateFolder(io.env))]);
  const holds = read.status === "fulfilled" ? read.value : [];
  const asked = holds.filter((one) => one.asked !== null && Date.parse(one.asked.expires) > io.now()).length;
  const waiting = asked === 0 ? "" : `, the release of ${asked} is asked for`;
  const held: Found = { name: "holds", result: "ok", says: `${holds.length} in force${waiting}`, next: "" };
  return [...rolesCheck(config, holds.length > 0), ...(holds.length === 0 ? [] : [held])];
}

/** On one person's machine the owner is everybody; elsewhere a role that nobody holds is worth knowing. */
function rolesCheck({ mode, transcript }: Config, held: boolean): readonly Found[] {
  const note = (says: string, setting: string): Found => ({
    name: "record roles",
    result: "note",
    says,
    next: `${setting} in sallyport.yaml; docs/evidence.md, Who may read`,
  });
  const nobody = "nobody but the owner of the state folder";
  const [auditors, operators] = [transcript.auditors.length, transcript.operators.length];
  const several = mode === "multi-user";
  const found = [
    ...(several && auditors === 0 ? [note(`${nobody} may read the record`, "transcript.auditors")] : []),
    ...((several || held) && operators === 0
      ? [note(`${nobody} is an operator: no second person could release a hold`, "transcript.operators")]
      : []),
  ];
  if (found.length > 0 || auditors + operators === 0) return found;
  const says = `${auditors} auditors and ${operators} operators are named, groups or people`;
  return [{ name: "record roles", result: "ok", says, next: "" }];
}
