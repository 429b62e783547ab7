// Doctor's checks of anchors: each can be reached, what it holds agrees with the record here, and none is long behind.

import { join } from "node:path";
import type { AnchorSetting } from "../config/anchors.ts";
import type { Config } from "../config/schema.ts";
import { syslogDestination } from "../transcript/destinations.ts";
import { judgeHeld } from "../transcript/held.ts";
import { readText } from "../transcript/files.ts";
import { readKeptElsewhere } from "../transcript/kept-elsewhere.ts";
import { parseVkey } from "../transcript/note.ts";
import { openAnchors } from "../wiring/anchors.ts";
import { addressOf } from "../wiring/syslog-address.ts";
import { sentenceOf, type Io } from "./io.ts";
import { spanText } from "./times.ts";

interface Found {
  readonly name: string;
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  readonly next: string;
}

/** Milliseconds that a syslog receiver may take to answer. */
const patience = 5000;

export async function anchorChecks(
  io: Pick<Io, "now" | "env" | "version">,
  folder: string,
  config: Config,
): Promise<readonly Found[]> {
  const { anchors } = config.transcript;
  if (anchors.length > 0) return await Promise.all(anchors.map((setting) => anchorCheck(io, folder, setting)));
  const says = "none is configured: whoever holds this folder and its key could cut or rewrite the record unseen";
  return [{ name: "anchors", result: "note", says, next: "keep checkpoints elsewhere: docs/anchors.md" }];
}

async function anchorCheck(
  io: Pick<Io, "now" | "env" | "version">,
  folder: string,
  setting: AnchorSetting,
): Promise<Found> {
  const name = `anchor ${setting.name}`;
  const [looked] = await Promise.allSettled([look(io, folder, setting)]);
  if (looked.status === "rejected") {
    const next = "see that it is there and that this user may write to it; what is new is kept once it is";
    return { name, result: "failed", says: sentenceOf(looked.reason), next };
  }
  return { name, ...looked.value };
}

async function look(
  io: Pick<Io, "now" | "env" | "version">,
  folder: string,
  setting: AnchorSetting,
): Promise<Omit<Found, "name">> {
  const [named] = await openAnchors({ settings: [setting], version: io.version, now: io.now, env: io.env });
  const vkey = parseVkey((await readText(join(folder, "transcript", "log.vkey"))) ?? "");
  if (named === undefined || vkey === null)
    return { result: "note", says: "there is no record yet that it could keep", next: "" };
  const { anchor } = named;
  if (setting.kind === "syslog")
    await syslogDestination(await addressOf(`the anchor ${setting.name}`, setting), patience).deliver([], "");
  const notes = await anchor.held(vkey.name, AbortSignal.timeout(60_000));
  // Read after what is held: a gateway that runs may anchor meanwhile.
  const kept = await readKeptElsewhere(folder);
  const found = kept.last.get(setting.name);
  const last = found?.place === anchor.place ? found : null;
  const wrong = notes === null ? "" : await judgeHeld({ folder, notes, last, size: kept.size, all: true });
  const repair = "find out which of the two was changed: sallyport transcript verify --anchor; docs/anchors.md";
  if (wrong !== "") return { result: "failed", says: `${anchor.place} ${wrong}`, next: repair };
  const behind = Math.max(0, kept.substance - (last?.size ?? 0));
  const says =
    last === null ? "nothing is kept there yet" : `keeps ${last.size} entries of ${spanText(io.now() - last.at)} ago`;
  const overdue = behind > 0 && (last === null || io.now() - last.at > 2 * named.every + 600_000);
  if (!overdue) return { result: "ok", says: behind === 0 ? says : `${says}; ${behind} are newer`, next: "" };
  const next =
    "see that a gateway runs, and what its log says of this anchor; sallyport transcript anchor tries at once";
  return { result: "note", says: `${says}; ${behind} are newer, and it is overdue`, next };
}
