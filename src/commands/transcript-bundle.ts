// `sallyport transcript export --bundle`: entries with their proofs, for an auditor to check without us; on record before it is there.

import { lstat, mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { bodyClasses, type BodyClass } from "../domain/entry.ts";
import { whatWasHandedOut, proveHandedOut } from "../transcript/bundle/handing-out.ts";
import { wholenessOf } from "../transcript/bundle/form.ts";
import { makeBundle, type BundleAsked } from "../transcript/bundle/make.ts";
import { unlessAbsent } from "../transcript/files.ts";
import type { Query } from "../transcript/searchable.ts";
import { recipientWrapping } from "../transcript/seal.ts";
import { ownWrapping } from "../wiring/state.ts";
import { givenAnchors } from "./given-anchors.ts";
import { CommandFailed, stateFolder, type Io } from "./io.ts";
import type { OnRecord } from "./on-record.ts";

export interface BundleFlags {
  readonly bundle?: string;
  readonly wholeCalls?: boolean;
  readonly bodies?: readonly (BodyClass | "none" | "all")[];
  readonly recipient?: string;
  readonly anchor?: readonly string[];
  readonly why?: string;
}

/** What an export does where a bundle is asked for. `asked`: the query in the command's own words. */
export type HandOut = (flags: BundleFlags, query: Query, asked: string) => Promise<void>;

/**
 * Makes the bundle beside its place, has the record say so, adds the proof that it does, and puts it in place: a bundle
 * that is there is whole and on record. Throws `CommandFailed`.
 */
export function handingOut(
  io: Pick<Io, "env" | "err" | "now" | "pause" | "random" | "shipped" | "version">,
  onRecord: OnRecord,
): HandOut {
  return async (flags, query, asked) => {
    const { bundle: out = "", why = "" } = flags;
    if (why.trim().length < 3) throw new CommandFailed("Say --why it is handed out: the record tells of it.", 2);
    const folder = stateFolder(io.env);
    const given = await partsOf(io, folder, flags);
    // A session's calls may have gone on in another session: without those entries its own would stay unexplained.
    const wholeCalls = flags.wholeCalls === true || wholenessOf(query).kind === "session";
    const fresh = join(dirname(out), `.${basename(out)}.part`);
    await makeFolder(out, fresh);
    try {
      const { version, now } = io;
      const verifier = await unlessAbsent(readFile(join(io.shipped, "..", "verify.mjs")));
      const parts = { query, asked, why, wholeCalls, verifier, version, now: now(), ...given };
      const made = await makeBundle(folder, fresh, parts);
      const { chosen, beside } = made.manifest.entries;
      const told = {
        what: whatWasHandedOut,
        to: given.rewrap?.to.id ?? out,
        query: `${asked}${wholeCalls ? " --whole-calls" : ""}`.trim(),
        count: chosen,
        why,
        digest: made.digest,
      };
      const refused = await onRecord("evidence.exported", told);
      if (refused !== "") throw new CommandFailed(`Nothing was handed out, for no entry could tell of it: ${refused}`);
      await proveHandedOut(folder, fresh, made, io.pause);
      await rename(fresh, out);
      const without =
        verifier === null ? " The one-file verifier is not among them: this program has none beside it." : "";
      io.err(
        `${chosen} entries that answer and ${beside} beside them to ${out}, SHA-256 of manifest.json ${made.digest}.${without}\n`,
      );
    } catch (thrown) {
      await rm(fresh, { recursive: true, force: true });
      throw thrown;
    }
  };
}

async function partsOf(
  io: Pick<Io, "env" | "random">,
  folder: string,
  { bodies = ["none"], recipient, anchor = [] }: BundleFlags,
): Promise<Pick<BundleAsked, "classes" | "rewrap" | "anchors">> {
  const none = bodies.includes("none");
  if (none && bodies.length > 1) throw new CommandFailed("--bodies none stands alone.", 2);
  const classes = none ? [] : bodyClasses.filter((one) => bodies.includes("all") || bodies.includes(one));
  if (classes.length > 0 !== (recipient !== undefined))
    throw new CommandFailed("--bodies and --recipient belong together: bodies are for one auditor's key alone.", 2);
  const anchors = await givenAnchors(io, anchor);
  if (recipient === undefined) return { classes, rewrap: null, anchors };
  const to = recipientWrapping(recipient, io.random);
  if (to === null) throw new CommandFailed("--recipient is no line that auditor-key prints.", 2);
  return { classes, rewrap: { to, own: await ownWrapping(folder, io.random) }, anchors };
}

/** The folder that it is made in, where its own place is free. */
async function makeFolder(out: string, fresh: string): Promise<void> {
  if ((await unlessAbsent(lstat(out))) !== null) throw new CommandFailed(`${out} is there already.`, 2);
  try {
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { mode: 0o700 });
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
    throw new CommandFailed(`${out} can't be made (${code}).`, 2);
  }
}
