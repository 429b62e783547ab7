// `sallyport transcript anchor` and `anchors`: keeps the newest checkpoint elsewhere now, and lists what is kept where.

import { Command } from "commander";
import { isJsonObject, textAt, type Json } from "../domain/json.ts";
import { plainText } from "../transcript/describe.ts";
import { readKeptElsewhere } from "../transcript/kept-elsewhere.ts";
import { CommandFailed, type Io } from "./io.ts";
import { askEvidence } from "./on-record.ts";
import { readConfig } from "./setting.ts";
import { spanText } from "./times.ts";
import { reading } from "./transcript-text.ts";

const none = "No anchor is configured: transcript.anchors in sallyport.yaml, docs/anchors.md.\n";

const help = `
Every anchor gets the newest checkpoint, where more than receipts is new; each receipt becomes an entry. A gateway that
runs does it, else this command itself. Exit code 1 where an anchor failed.
`;

export function anchorCommands(io: Io): readonly Command[] {
  const command = (name: string): Command =>
    new Command(name).exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
  return [
    command("anchor")
      .description("keep the newest checkpoint at every anchor now")
      .option("--json", "print how each stands as JSON")
      .addHelpText("after", help)
      .action((flags: { json?: boolean }) => reading(() => anchorNow(io, flags.json === true))),
    command("anchors")
      .description("list the anchors, what each keeps by the record's own receipts, and what is newer")
      .option("--json", "print them as JSON")
      .action((flags: { json?: boolean }) => reading(() => list(io, flags.json === true))),
  ];
}

/** As the owner process tells it, and as the list reads it. */
interface Row {
  readonly name: string;
  readonly kind: string;
  readonly place: string;
  /** What is kept: how many entries, and when that was signed (RFC 3339); null for nothing yet. */
  readonly last: { readonly size: number; readonly at: string } | null;
  readonly behind: number;
  readonly trouble: string | null;
}

async function anchorNow(io: Io, json: boolean): Promise<void> {
  const answered = await askEvidence(io, "evidence.anchor", {});
  if (typeof answered === "string") throw new CommandFailed(answered);
  const rows = Array.isArray(answered["anchors"]) ? answered["anchors"].map(rowIn) : [];
  print(io, rows, json);
  const failed = rows.filter((one) => one.trouble !== null).map((one) => one.name);
  if (failed.length > 0) throw new CommandFailed(`Nothing new is kept at ${failed.join(", ")}.`);
}

function rowIn(one: Json): Row {
  const row = isJsonObject(one) ? one : {};
  const last = isJsonObject(row["last"]) ? row["last"] : null;
  return {
    name: textAt(row, "name"),
    kind: textAt(row, "kind"),
    place: textAt(row, "place"),
    last: last === null ? null : { size: Number(last["size"] ?? 0), at: textAt(last, "at") },
    behind: Number(row["behind"] ?? 0),
    trouble: row["trouble"] === null ? null : textAt(row, "trouble"),
  };
}

async function list(io: Io, json: boolean): Promise<void> {
  const { config, folder } = await readConfig(io, undefined);
  const kept = await readKeptElsewhere(folder);
  const rows = config.transcript.anchors.map((setting): Row => {
    const place = placeOf(setting);
    const found = kept.last.get(setting.name);
    const last = found?.place === place ? found : null;
    const told = last === null ? null : { size: last.size, at: new Date(last.at).toISOString() };
    const behind = Math.max(0, kept.substance - (last?.size ?? 0));
    return { name: setting.name, kind: setting.kind, place, last: told, behind, trouble: null };
  });
  print(io, rows, json);
}

type Setting = Awaited<ReturnType<typeof readConfig>>["config"]["transcript"]["anchors"][number];

/** As receipts name it. */
function placeOf(setting: Setting): string {
  switch (setting.kind) {
    case "file":
      return setting.path;
    case "git":
      return setting.repository;
    case "syslog":
      return setting.address;
  }
}

function print(io: Pick<Io, "out" | "now">, rows: readonly Row[], json: boolean): void {
  if (json) io.out(`${JSON.stringify(rows, null, 2)}\n`);
  else if (rows.length === 0) io.out(none);
  else for (const row of rows) io.out(`${plainText(lineOf(row, io.now()))}\n`);
}

function lineOf({ name, kind, place, last, behind, trouble }: Row, now: number): string {
  const kept =
    last === null ? "nothing is kept yet" : `${last.size} entries, ${spanText(now - Date.parse(last.at))} ago`;
  const newer = behind === 0 ? "" : `; ${behind} are newer`;
  return `${name}  ${kind} ${place}  ${kept}${newer}${trouble === null ? "" : `; FAILS: ${trouble}`}`;
}
