// BODIES: every sealed body that an entry refers to is there unchanged, or an entry says that it was purged or lost.

import type { KeyObject } from "node:crypto";
import { isJsonObject, textAt, type Json } from "../../domain/json.ts";
import type { Wrong } from "../purges.ts";
import { openBody, usable, type KeyWrapping, type SealedBody, type WrappedKey } from "../seal.ts";
import { collectFindings, type Check, type EntryPlace } from "../verdict.ts";

export interface BodiesCheck extends Check {
  /** The wrapped keys as they stand: before the entries are read, and again after. */
  keys(keys: readonly WrappedKey[]): void;
  /** Takes a sealed body from its file, and the SHA-256 of its line (hex). After the entries. */
  sealed(body: SealedBody, seal: string): void;
  /** What was found wrong with purges. */
  wrong(found: readonly Wrong[]): void;
  /** Opens what can be opened. After the bodies. */
  open(): Promise<void>;
}

interface Ref {
  readonly key: string;
  readonly seal: string;
  readonly at: EntryPlace;
}

/** `unwrap` opens the keys; null: only that nothing was changed can be shown, not what was said. */
export function checkBodies(unwrap: KeyWrapping["unwrap"] | null): BodiesCheck {
  const findings = collectFindings();
  const wrapped = new Map<string, WrappedKey>();
  let now = new Set<string>();
  const refs = new Map<string, Ref>();
  const purged = new Map<string, EntryPlace>();
  const lost = new Set<string>();
  const found = new Set<string>();
  const toOpen: SealedBody[] = [];
  const counts = { present: 0, opened: 0, locked: 0, never: 0 };

  function takeEnd(): { readonly purged: number; readonly lost: number } {
    const ended = { purged: 0, lost: 0 };
    for (const [commit, { key, at }] of refs) {
      const gone = purged.get(key);
      if (gone !== undefined && gone.index > at.index) ended.purged++;
      else if (lost.has(commit)) ended.lost++;
      else if (!wrapped.has(key))
        findings.add("the key of its body is missing, and no entry says that it was purged", at);
      else if (!found.has(commit)) findings.add("its body is missing, and no entry says that it was purged", at);
    }
    for (const [key, at] of purged)
      if (now.has(key)) findings.add(`says that key ${key} was destroyed, and it is still there`, at);
    return ended;
  }

  return {
    keys(keys) {
      now = new Set(keys.map(({ key }) => key));
      for (const key of keys) wrapped.set(key.key, key);
    },
    take({ details, kind }, at) {
      const { body } = details;
      if (body === null) counts.never++;
      if (isJsonObject(body))
        refs.set(textAt(body, "commit"), { key: textAt(body, "key"), seal: textAt(body, "seal"), at });
      if (kind === "retention.purged") for (const key of textsIn(details["keys"])) purged.set(key, at);
      if (kind === "audit.recovered") for (const commit of textsIn(details["bodies"])) lost.add(commit);
    },
    sealed(body, seal) {
      const ref = refs.get(body.commit);
      if (ref === undefined) return;
      found.add(body.commit);
      if (ref.seal !== seal || ref.key !== body.key)
        return findings.add("its body is not the one that was sealed", ref.at);
      counts.present++;
      if (unwrap !== null) toOpen.push(body);
    },
    wrong(those) {
      for (const { problem, at } of those) findings.add(problem, at);
    },
    async open() {
      const opened = new Map<string, KeyObject | null>();
      for (const body of unwrap === null ? [] : toOpen) {
        const key = wrapped.get(body.key);
        if (key === undefined) continue;
        if (!opened.has(body.key)) {
          const bytes = (await unwrap?.(key)) ?? null;
          opened.set(body.key, bytes === null ? null : usable(bytes));
        }
        const dataKey = opened.get(body.key) ?? null;
        if (dataKey === null) counts.locked++;
        else if (openBody(body, dataKey) !== null) counts.opened++;
        else findings.add("its body does not open to what was committed to", refs.get(body.commit)?.at);
      }
    },
    verdict() {
      const ended = takeEnd();
      const locked = counts.locked === 0 ? "" : `, ${counts.locked} are not for it`;
      const how =
        unwrap === null ? "sealed; you gave no key to open them" : `${counts.opened} opened with your key${locked}`;
      const parts = [
        `${counts.present} bodies are there unchanged (${how})`,
        ...(ended.purged > 0 ? [`${ended.purged} were purged, each by an entry`] : []),
        ...(ended.lost > 0 ? [`${ended.lost} were lost when they were written, which is on record`] : []),
        ...(counts.never > 0 ? [`${counts.never} found no room when they were written`] : []),
      ];
      const verdict = findings.verdict(
        "BODIES",
        `${parts.join("; ")}.`,
        (count) => `${count} bodies are not as their entries say.`,
      );
      if (verdict.verdict === "failed" || refs.size > 0) return verdict;
      return { ...verdict, verdict: "not-checked", says: "No entry refers to a sealed body." };
    },
  };
}

function textsIn(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((one) => typeof one === "string") : [];
}
