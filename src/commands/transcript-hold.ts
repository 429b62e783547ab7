// `sallyport transcript hold`: what no purge may destroy, for as long as two people have not agreed that it may.

import { Command } from "commander";
import { textAt, type JsonObject } from "../domain/json.ts";
import { plainText } from "../transcript/describe.ts";
import { coversOf, type Hold } from "../transcript/holds.ts";
import type { HoldCode } from "../transcript/keeping.ts";
import type { Query } from "../transcript/searchable.ts";
import { readHolds } from "../transcript/signed.ts";
import type { EvidenceMethod } from "../wiring/evidence-methods.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import { askEvidence, recorded, type OnRecord } from "./on-record.ts";
import { reasonText } from "./times.ts";
import { queryOf, withQuery } from "./transcript-search.ts";
import { reading } from "./transcript-text.ts";

const help = `
What a hold covers stays, whatever its age: purge names what it kept, and for which hold. A hold covers what is sealed
beside the entries that it asks for, of the whole call, now and later; and all that is under the same keys. It is over
when one person has asked for its release and another one has agreed within seven days. Holds are read from the entries
themselves: no file beside them can end one.

Examples:
  $ sallyport transcript hold place case-17 --session ses_0199… --reason "incident of 3 March"
  $ sallyport transcript hold place audit-2026 --since 2026-01-01 --until 2027-01-01 --reason "yearly audit"
  $ sallyport transcript hold list
  $ sallyport transcript hold release case-17 --reason "case closed"      the one person
  $ sallyport transcript hold confirm case-17 --reason "as agreed"        another one
`;

interface Placing extends Query {
  readonly everything?: boolean;
  readonly reason: string;
}

export function holdCommand(io: Io, onRecord: OnRecord): Command {
  const command = (name: string, says: string): Command =>
    new Command(name).description(says).exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
  const named = (name: string, says: string): Command => command(name, says).argument("<hold>", "the hold's name");
  const hold = command("hold", "say what no purge may destroy").addHelpText("after", help);
  const changing = (name: string, says: string, method: EvidenceMethod): Command =>
    named(name, says)
      .requiredOption("--reason <text>", "why, for the record", reasonText)
      .action((wanted: string, { reason }: { reason: string }) =>
        reading(() => change(io, method, { hold: wanted, reason })),
      );
  const parts = [
    command("list", "print the holds in force")
      .option("--json", "print them as JSON, one a line")
      .action((flags: { json?: boolean }) => reading(() => list(io, onRecord, flags.json === true))),
    named("show", "print one of them, whole")
      .option("--json", "print it as JSON")
      .action((wanted: string, flags: { json?: boolean }) =>
        reading(() => show(io, onRecord, wanted, flags.json === true)),
      ),
    withQuery(named("place", "hold what a query finds, now and later"), io)
      .option("--everything", "hold all that is sealed")
      .requiredOption("--reason <text>", "why, for the record", reasonText)
      .action((wanted: string, flags: Placing) => reading(() => place(io, wanted, flags))),
    changing("release", "ask that a hold be released: another person has to agree", "evidence.ask"),
    changing("confirm", "agree to what another person asked: the hold is over", "evidence.confirm"),
  ];
  for (const part of parts) hold.addCommand(part);
  return hold;
}

async function place(io: Io, hold: string, { everything, reason, ...flags }: Placing): Promise<void> {
  const covers = coversOf(queryOf(flags));
  if ((Object.keys(covers).length === 0) !== (everything === true))
    throw new CommandFailed("Say what the hold covers, such as --session or --since; or --everything alone.", 2);
  await change(io, "evidence.place", { hold, covers, reason });
}

const refusals: { readonly [code in HoldCode]: string } = {
  hold_exists: "There is a hold of this name already: sallyport transcript hold show tells what it covers.",
  hold_name: "A hold's name is small letters, digits and - alone, 40 at most.",
  no_hold: "No hold of this name is in force.",
  asked_already: "Somebody else has asked for that already: agree with sallyport transcript hold confirm.",
  not_asked: "Nobody has asked for its release in the last seven days: ask with sallyport transcript hold release.",
  asker_gone: "Whoever asked for it is no operator of the record any more: ask anew.",
  same_person:
    "You asked for it yourself: another person has to agree, and another account of yours is no other person.",
};

const done: { readonly [kind: string]: (hold: string) => string } = {
  placed: (hold) => `Hold ${hold} is in force: no purge destroys what it covers.`,
  asked: (hold) =>
    `The release of ${hold} is asked for. It is in force until another person says, within seven days:\n  sallyport transcript hold confirm ${hold} --reason "…"`,
  released: (hold) => `Hold ${hold} is over.`,
};

async function change(io: Io, method: EvidenceMethod, params: JsonObject): Promise<void> {
  const answered = await askEvidence(io, method, params);
  if (typeof answered === "string") throw new CommandFailed(answered);
  const [kind, hold, code] = ["kind", "hold", "code"].map((key) => textAt(answered, key));
  const says = done[kind ?? ""];
  if (says !== undefined) return io.out(`${says(hold ?? "")}\n`);
  const refused = (refusals as { readonly [code: string]: string })[code ?? ""];
  throw new CommandFailed(refused ?? "The gateway answered something else.");
}

async function list(io: Io, onRecord: OnRecord, json: boolean): Promise<void> {
  const holds = await readHolds(stateFolder(io.env));
  await note(io, onRecord, "transcript hold list", "", holds.length);
  if (json) return holds.forEach((hold) => io.out(`${JSON.stringify(fieldsOf(hold))}\n`));
  if (holds.length === 0) io.out("No hold is in force.\n");
  for (const hold of holds) io.out(`${lineOf(hold)}\n`);
}

async function show(io: Io, onRecord: OnRecord, wanted: string, json: boolean): Promise<void> {
  const hold = (await readHolds(stateFolder(io.env))).find(({ name }) => name === wanted);
  await note(io, onRecord, "transcript hold show", plainText(wanted), hold === undefined ? 0 : 1);
  if (hold === undefined) throw new CommandFailed(`No hold ${plainText(wanted)} is in force.`);
  if (json) return io.out(`${JSON.stringify(fieldsOf(hold))}\n`);
  const { asked } = hold;
  const release =
    asked === null
      ? []
      : [`  release asked for by ${nameOf(asked.accounts[0])} at ${asked.at}, until ${asked.expires}: ${asked.reason}`];
  io.out([lineOf(hold), ...release.map(plainText), ""].join("\n"));
}

async function note(io: Io, onRecord: OnRecord, what: string, query: string, count: number): Promise<void> {
  await recorded(io, onRecord("evidence.viewed", { call: "", found: count > 0, what, query, count }));
}

function fieldsOf({ name, covers, reason, by, at, index, asked }: Hold): JsonObject {
  return {
    hold: name,
    covers: coversOf(covers),
    reason,
    by: by === null ? null : { ...by },
    at,
    index,
    asked: asked === null ? null : { ...asked, accounts: asked.accounts.map((one) => ({ ...one })) },
  };
}

/** `case-17  since 2026-03-03T08:00:00.000Z  by ada  session ses_…  incident of 3 March` */
function lineOf({ name, covers, reason, by, at, asked }: Hold): string {
  const asks = Object.entries(coversOf(covers)).map(
    ([key, value]) => `${key} ${typeof value === "string" ? value : ""}`,
  );
  const what = asks.length === 0 ? "everything" : asks.join(", ");
  const waits = asked === null ? "" : "  its release is asked for";
  return plainText(`${name}  since ${at}  by ${nameOf(by)}  covers ${what}  ${reason}${waits}`);
}

const nameOf = (account: { readonly sub: string } | null | undefined): string => account?.sub ?? "the gateway";
