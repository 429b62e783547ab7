// Keeps checkpoints elsewhere while the record grows: each anchor by itself, tried again where it fails, never in a call's way. Each receipt is an entry.

import type { Append, EntryDetails, EntryDraft } from "../domain/entry.ts";
import { Faulted } from "../domain/fault.ts";
import type { Anchor, Anchorable } from "./anchors/contract.ts";
import { diskCause } from "./disk.ts";
import { judgeHeld, type LastKept } from "./held.ts";

export interface NamedAnchor {
  readonly name: string;
  /** Milliseconds between checkpoints there while the record grows. */
  readonly every: number;
  readonly anchor: Anchor;
}

/** What anchoring needs of the transcript that is written. */
export interface Anchored {
  /** Signs the newest head, and the time with it. Faults: transcript_unavailable. */
  anchorable(): Promise<Anchorable>;
  /** How many entries there are up to the last that is more than a receipt. */
  substance(): number;
  /** The last receipt of each anchor, by its name. */
  lastKept(): ReadonlyMap<string, LastKept>;
  readonly append: Append;
}

export interface AnchoringOptions {
  readonly anchors: readonly NamedAnchor[];
  readonly transcript: Anchored;
  /** The state folder. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or at once when `signal` is aborted. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Told in a sentence for the operator when an anchor fails, and when it is reached again. */
  readonly say: (sentence: string) => void;
}

/** How one anchor stands. */
export interface AnchorStanding {
  readonly name: string;
  readonly kind: Anchor["kind"];
  readonly place: string;
  readonly every: number;
  /** What is kept there; null before the first time. */
  readonly last: LastKept | null;
  /** Entries that no checkpoint there covers, up to the last that is more than a receipt. */
  readonly behind: number;
  /** Why the last try failed, or null. */
  readonly trouble: string | null;
}

export interface Anchoring {
  standings(): readonly AnchorStanding[];
  /** Anchors whatever is new, now, and returns how each stands then. */
  now(): Promise<readonly AnchorStanding[]>;
  /** No round begins after this. What is new is kept a last time; returns when that is done, or `late` is aborted. */
  stop(late: AbortSignal): Promise<void>;
}

/** Milliseconds between looks for what is due, and between tries while an anchor fails. */
const idle = 1000;
const longestBackoff = 60_000;

interface Keeper {
  readonly about: NamedAnchor;
  last: LastKept | null;
  trouble: string | null;
  failures: number;
  /** What was put on record about the trouble that goes on; "" for nothing yet. */
  alerted: Alert | "";
  turn: Promise<void>;
}

type Alert = "an anchor fails" | "an anchor contradicts the record";

/** Starts at once. */
export function startAnchoring(options: AnchoringOptions): Anchoring {
  const stopping = new AbortController();
  const ending = new AbortController();
  const kept = options.transcript.lastKept();
  const keepers = options.anchors.map((about): Keeper => {
    const last = kept.get(about.name);
    // One that was moved begins anew: what it held before was somewhere else.
    const here = last?.place === about.anchor.place ? last : null;
    return { about, last: here, trouble: null, failures: 0, alerted: "", turn: Promise.resolve() };
  });
  const all = (signal: AbortSignal): Promise<unknown> =>
    Promise.all(keepers.map((keeper) => inTurn(options, keeper, signal)));
  const running = Promise.all(keepers.map((keeper) => keepUntil(stopping.signal, ending.signal, options, keeper)));
  const standings = (): readonly AnchorStanding[] => keepers.map((keeper) => standingOf(options, keeper));
  return {
    standings,
    async now() {
      await all(ending.signal);
      return standings();
    },
    async stop(late) {
      stopping.abort();
      const over = new Promise<void>((resolve) => {
        if (late.aborted) resolve();
        late.addEventListener("abort", () => resolve());
      });
      // One that hangs keeps none of the others from its last try.
      const last = late.aborted ? running : Promise.all([running, all(ending.signal)]);
      await Promise.race([last, over]);
      ending.abort();
    },
  };
}

function standingOf({ transcript }: AnchoringOptions, { about, last, trouble }: Keeper): AnchorStanding {
  const { name, every, anchor } = about;
  const behind = Math.max(0, transcript.substance() - (last?.size ?? 0));
  return { name, kind: anchor.kind, place: anchor.place, every, last, behind, trouble };
}

async function keepUntil(
  stopping: AbortSignal,
  ending: AbortSignal,
  options: AnchoringOptions,
  keeper: Keeper,
): Promise<void> {
  while (!stopping.aborted) {
    if (keeper.failures > 0 || isDue(options, keeper)) await inTurn(options, keeper, ending);
    const { failures } = keeper;
    await options.pause(
      failures === 0 ? idle : Math.min(longestBackoff, idle * 2 ** Math.min(failures - 1, 10)),
      stopping,
    );
  }
}

/** A clock that was set back must not keep it from being due. */
function isDue({ now }: AnchoringOptions, { about, last }: Keeper): boolean {
  return last === null || now() - last.at >= about.every || now() < last.at;
}

/** One try at a time, and none where nothing but receipts is new. */
function inTurn(options: AnchoringOptions, keeper: Keeper, signal: AbortSignal): Promise<void> {
  keeper.turn = keeper.turn.then(async () => {
    if (signal.aborted || options.transcript.substance() <= (keeper.last?.size ?? 0)) return;
    const failed = await tryOnce(options, keeper, signal);
    if (failed === null) succeeded(options, keeper);
    else await tell(options, keeper, failed);
  });
  return keeper.turn;
}

interface Failed {
  readonly alert: Alert;
  readonly why: string;
}

async function tryOnce(options: AnchoringOptions, keeper: Keeper, signal: AbortSignal): Promise<Failed | null> {
  const { folder, transcript } = options;
  const { name, anchor } = keeper.about;
  try {
    const checkpoint = await transcript.anchorable();
    const { size, root, at, origin } = checkpoint;
    const notes = await anchor.held(origin, signal);
    const question = { folder, last: keeper.last, size, all: keeper.last === null };
    const wrong = notes === null ? "" : await judgeHeld({ ...question, notes });
    if (wrong !== "") return { alert: "an anchor contradicts the record", why: wrong };
    const receipt = await anchor.keep(checkpoint, signal);
    const { kind, place } = anchor;
    const details: EntryDetails["checkpoint.anchored"] = {
      anchor: name,
      destination: kind,
      place,
      size,
      root,
      at: new Date(at).toISOString(),
      receipt,
    };
    await transcript.append([own("checkpoint.anchored", details)]);
    keeper.last = { size, root, at, place };
    return null;
  } catch (thrown) {
    return { alert: "an anchor fails", why: thrown instanceof Faulted ? thrown.fault.cause : diskCause(thrown) };
  }
}

function succeeded({ say }: AnchoringOptions, keeper: Keeper): void {
  if (keeper.failures > 0) say(`The anchor ${keeper.about.name} keeps checkpoints again.`);
  [keeper.failures, keeper.trouble, keeper.alerted] = [0, null, ""];
}

/** The log and the record hear of it once; what the record could not take in is told with the next try. */
async function tell({ transcript, say }: AnchoringOptions, keeper: Keeper, { alert, why }: Failed): Promise<void> {
  const { name, anchor } = keeper.about;
  keeper.failures++;
  keeper.trouble = why;
  if (keeper.alerted === alert) return;
  if (keeper.failures === 1 || keeper.alerted !== "")
    say(`The anchor ${name} keeps no checkpoint, and is tried again: ${alert}: ${why}`);
  const about = { anchor: name, destination: anchor.kind, place: anchor.place, why };
  const [told] = await Promise.allSettled([transcript.append([own("alert.raised", { alert, about })])]);
  if (told.status === "fulfilled") keeper.alerted = alert;
}

function own<K extends "checkpoint.anchored" | "alert.raised">(kind: K, details: EntryDetails[K]): EntryDraft {
  return { kind, session: null, call: null, principal: null, details } as EntryDraft;
}
