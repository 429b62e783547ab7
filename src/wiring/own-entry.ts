// An entry that no caller caused: the gateway's own word.

import type { EntryDraft } from "../domain/entry.ts";

export function ownEntry<K extends EntryDraft["kind"]>(
  kind: K,
  details: Extract<EntryDraft, { kind: K }>["details"],
): EntryDraft {
  return { kind, session: null, call: null, principal: null, details } as EntryDraft;
}
