// Bodies in the plain, for whoever holds the key that theirs are wrapped under.

import { join } from "node:path";
import type { KeyObject } from "node:crypto";
import type { BodyRef } from "../domain/entry.ts";
import { readKeys, visitBodies } from "./bodies.ts";
import { openBody, usable, type KeyWrapping, type SealedBody } from "./seal.ts";

/**
 * The texts of these bodies by their commitments; `folder` is the state folder. One that was purged, is not for this key,
 * or is not what its entry says, is not among them. Rejects with the operating system's error where a file can't be read.
 */
export async function openBodies(
  folder: string,
  refs: readonly BodyRef[],
  unwrap: KeyWrapping["unwrap"],
): Promise<ReadonlyMap<string, string>> {
  const bodies = join(folder, "transcript", "bodies");
  const wanted = new Map(refs.map((one) => [one.commit, one]));
  const sealed: SealedBody[] = [];
  await visitBodies(bodies, (body, seal) => {
    const ref = wanted.get(body.commit);
    if (ref?.seal === seal && ref.key === body.key) sealed.push(body);
  });
  const keys = new Map<string, KeyObject>();
  for (const wrapped of await readKeys(bodies)) {
    if (!sealed.some(({ key }) => key === wrapped.key)) continue;
    const bytes = await unwrap(wrapped);
    if (bytes !== null) keys.set(wrapped.key, usable(bytes));
  }
  const texts = new Map<string, string>();
  for (const body of sealed) {
    const key = keys.get(body.key);
    const text = key === undefined ? null : openBody(body, key);
    if (text !== null) texts.set(body.commit, text);
  }
  return texts;
}
