// The masking profiles in force: others take over whole, for the calls that begin after the change is on record.

import type { EntryDraft } from "../domain/entry.ts";
import { profilesDiffer } from "../masking/differ.ts";
import { openEngine, openMasking, type Engine, type Masking } from "../masking/mask.ts";
import type { Profile } from "../masking/profile.ts";
import { ownEntry } from "./own-entry.ts";

export interface ProfilesInForce {
  /** In force for every answer. */
  readonly profile: Profile;
  /** Those that policy may ask for besides, by name. */
  readonly profiles: ReadonlyMap<string, Profile>;
  /** SHA-256 over all of them and the choice, hex. */
  readonly digest: string;
  /** The engine of `profile` where it is open already. */
  readonly engine?: Engine;
}

/** SHA-256 of the configuration with the profiles before and with the new ones, hex. */
export interface ConfigDigests {
  readonly from: string;
  readonly to: string;
}

export interface MaskingInForce {
  /** Whoever begins something holds on to what this answers until its end. */
  readonly current: () => Masking;
  readonly digest: () => string;
  /** Puts others in force; false where they are those in force. What can't be put on record is not put in force. */
  readonly change: (next: ProfilesInForce, config: ConfigDigests) => Promise<boolean>;
  /** Puts on record that changed profiles were not taken, and why. */
  readonly refused: (problems: readonly string[]) => Promise<void>;
}

export interface MaskingParts {
  readonly key: Uint8Array;
  readonly append: (drafts: readonly EntryDraft[]) => Promise<unknown>;
}

/** Characters of a difference, and lines of an alert: an entry holds 65,535 bytes. */
const most = { characters: 16_000, lines: 20 };

export function openMaskingInForce(first: ProfilesInForce, { key, append }: MaskingParts): MaskingInForce {
  let inForce = first;
  let masking = openMasking({ key, ...first });
  return {
    current: () => masking,
    digest: () => inForce.digest,
    async change(next, config) {
      if (next.digest === inForce.digest) return false;
      // Compiled before anything is said or swapped: what fails here changes nothing.
      const opened = openMasking({ key, ...next, engine: next.engine ?? openEngine(next.profile) });
      await append(changeEntries(inForce, next, config));
      inForce = next;
      masking = opened;
      return true;
    },
    async refused(problems) {
      const about = { kept: inForce.digest, problems: problems.slice(0, most.lines) };
      await append([ownEntry("alert.raised", { alert: "masking refused", about })]);
    },
  };
}

/** That it changed; and where the new profiles hide less, an alert of its own beside it. */
function changeEntries(before: ProfilesInForce, next: ProfilesInForce, config: ConfigDigests): readonly EntryDraft[] {
  const { lines, less } = profilesDiffer(before.profiles, next.profiles);
  const diff = [`masking profiles ${before.digest} to ${next.digest}`, ...lines].join("\n");
  const cut =
    diff.length <= most.characters ? diff : `${diff.slice(0, most.characters)}\n… of ${lines.length} differences`;
  const changed = ownEntry("config.changed", { ...config, diff: cut });
  if (less.length === 0) return [changed];
  const about = { from: before.digest, to: next.digest, less: less.slice(0, most.lines) };
  return [changed, ownEntry("alert.raised", { alert: "masking hides less", about })];
}
