// Group commit: whatever was appended while the last batch went to the disk goes there together, in order, in one write.

import { setImmediate } from "node:timers/promises";
import type { Bodies, SealedLines } from "./bodies.ts";
import type { EntryKind, Receipt } from "../domain/entry.ts";
import { isJsonObject, textAt } from "../domain/json.ts";
import { diskCause, isFull } from "./disk.ts";
import { clockTolerance, type GatewayStamp, type Line, type Unplaced } from "./entry.ts";
import type { Reserve } from "./reserve.ts";
import { bytesOf, stage, type Batched } from "./stage.ts";
import { foldEntry, latestTime, unknownEntry, type Standing } from "./standing.ts";
import type { Segments } from "./stores/index.ts";
import type { Tree } from "./tree.ts";
import type { Owed, Troubles } from "./troubles.ts";
import { BodyLost, unusable } from "./unusable.ts";

export interface CommitParts {
  readonly segments: Segments;
  /** null where no bodies are kept. */
  readonly bodies: Bodies | null;
  readonly reserve: Reserve;
  readonly tree: Tree;
  readonly standing: Standing;
  readonly troubles: Troubles;
  readonly stamp: () => GatewayStamp;
  readonly now: () => number;
  /** Told that segment `number` begins, while `tree` and `standing` hold exactly what lies before it. */
  readonly turned: (number: number) => void;
  /** When the newest head was signed, in milliseconds since 1970: the clock must not stand before it. */
  readonly signedAt: () => number;
  /** Milliseconds that a write may take before nobody waits behind it any more. */
  readonly patience: number;
}

export interface Commit {
  /**
   * Adds entries in order and returns once all are durable. With none, it writes what is owed, which finds out whether
   * a trouble of the disk is over. Faults: transcript_unavailable; as `BodyLost` where the entries themselves are durable.
   */
  append(entries: readonly Unplaced[], sealed?: SealedLines): Promise<readonly Receipt[]>;
  /** Returns when nothing is on its way to the disk. */
  idle(): Promise<void>;
}

interface Waiting extends Batched {
  /** The bodies that its entries refer to. */
  readonly sealed: SealedLines | null;
  readonly accept: (receipts: readonly Receipt[]) => void;
  readonly refuse: (thrown: unknown) => void;
}

/** Commitments of one entry. */
const mostLost = 900;
/** Most appends of one batch: bounds the memory and the wait of those behind. */
const largestBatch = 1024;

/** These end what was let in before: they may draw on the reserve when the disk is full. */
const closing: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "stream.segment",
  "call.settled",
  "call.unknown",
  "grant.issued",
  "grant.revoked",
  "grant.swept",
  "gateway.stopped",
]);

export function openCommit(parts: CommitParts): Commit {
  const { segments, bodies, reserve, tree, standing, troubles, now } = parts;
  const queue: Waiting[] = [];
  /** Calls whose end was refused: marked `call.unknown` as soon as writing works again. */
  const lost = new Set<string>();
  /** Commitments of bodies that entries refer to and that may not have reached the medium. */
  const lostBodies: string[] = [];
  let running: Promise<void> | null = null;
  /** What nobody is kept waiting behind: a write that the disk has not answered, or null. */
  let stuck: Error | null = null;
  let segment = segments.number();

  function watchClock(time: number): void {
    const floor = Math.max(parts.signedAt(), latestTime(standing) - clockTolerance);
    if (time < floor) troubles.begin("clock", `the clock stands ${floor - time} ms before what was already recorded`);
    else troubles.end("clock");
  }

  function owed(): Owed {
    const marked = [...lost];
    const unmarked = marked.flatMap((call) => standing.open.get(call) ?? []);
    const about = { sid: null, call: null, principal: null, client: "" } as const;
    const bodiesLost = lostBodies.slice(0, mostLost);
    const told: readonly Unplaced[] =
      bodiesLost.length === 0
        ? []
        : [{ ...about, kind: "audit.recovered", details: { repaired: 0, bodies: bodiesLost } }];
    const troubled = troubles.owed("disk");
    return {
      entries: [
        ...troubled.entries,
        ...told,
        ...unmarked.map((call) => unknownEntry(call, "its end could not be written")),
      ],
      told() {
        for (const call of marked) lost.delete(call);
        lostBodies.splice(0, bodiesLost.length);
        // It works, whatever it had.
        troubles.end("disk");
        troubled.told();
      },
    };
  }

  function keep(lines: readonly Line[]): readonly Receipt[] {
    if (segments.number() !== segment) {
      segment = segments.number();
      parts.turned(segment);
    }
    return lines.map((line) => {
      const index = tree.size();
      const leaf = line.leaf.toString("hex");
      tree.grow(line.leaf);
      foldEntry(standing, line.entry, leaf);
      return { index, leaf };
    });
  }

  function accept(lines: readonly Line[], taken: readonly { batched: Waiting; from: number }[]): void {
    const receipts = keep(lines);
    for (const { batched, from } of taken) batched.accept(receipts.slice(from, from + batched.entries.length));
  }

  function refuse(batch: readonly Waiting[], thrown: unknown): void {
    for (const waiting of batch) {
      for (const entry of waiting.entries)
        if (entry.kind === "call.settled" && entry.call !== null) lost.add(entry.call);
      waiting.refuse(unusable(diskCause(thrown)));
    }
  }

  async function commit(batch: readonly Waiting[]): Promise<void> {
    const time = now();
    watchClock(time);
    const first = owed();
    const { lines, taken, unwritable } = stage(standing, first.entries, batch, time, parts.stamp());
    for (const { batched, thrown } of unwritable) batched.refuse(thrown);
    try {
      const admitted = lines.filter((line) => line.entry.kind === "call.received").length;
      await reserve.hold(standing.open.size + admitted + 1);
      // Bodies and entries reach the medium at the same time, and nobody is answered before both have.
      const [sealed, written] = await Promise.allSettled([
        writeBodies(taken.map(({ batched }) => batched)),
        lines.length > 0 ? segments.write(bytesOf(lines)) : undefined,
      ]);
      if (written.status === "rejected") throw written.reason;
      if (sealed.status === "rejected") {
        first.told();
        return withoutBodies(lines, taken, sealed.reason);
      }
    } catch (thrown) {
      troubles.begin("disk", `entries can't be written: ${diskCause(thrown)}`);
      return await closeOnReserve(
        taken.map(({ batched }) => batched),
        thrown,
      );
    }
    first.told();
    accept(lines, taken);
  }

  async function writeBodies(batch: readonly Waiting[]): Promise<void> {
    const sealed = batch.flatMap((waiting) => waiting.sealed ?? []);
    if (sealed.length === 0) return;
    await bodies?.write(sealed);
    await bodies?.sync();
  }

  /**
   * The entries are durable and their bodies may not be, which goes on record. What ends a call is answered all the
   * same; what would let one in is refused.
   */
  function withoutBodies(
    lines: readonly Line[],
    taken: readonly { batched: Waiting; from: number }[],
    thrown: unknown,
  ): void {
    troubles.begin("disk", `bodies can't be written: ${diskCause(thrown)}`);
    const receipts = keep(lines);
    for (const { batched, from } of taken) {
      if (batched.sealed !== null)
        for (const { entry } of lines.slice(from, from + batched.entries.length))
          if (textAt(entry.details, "body", "commit") !== "") lostBodies.push(textAt(entry.details, "body", "commit"));
      if (batched.sealed === null || ends(batched)) {
        batched.accept(receipts.slice(from, from + batched.entries.length));
        continue;
      }
      batched.refuse(new BodyLost(diskCause(thrown)));
    }
  }

  /** The disk failed: where it is only full, the ends of calls that were let in still find their reserved space. */
  async function closeOnReserve(batch: readonly Waiting[], thrown: unknown): Promise<void> {
    const ending = isFull(thrown) ? batch.filter(ends) : [];
    refuse(
      batch.filter((waiting) => !ending.includes(waiting)),
      thrown,
    );
    const kept = ending.map((waiting) => ({ ...waiting, entries: waiting.entries.map(small) }));
    if (kept.length === 0) return;
    const { lines, taken } = stage(standing, [], kept, now(), parts.stamp());
    try {
      const bytes = bytesOf(lines);
      await reserve.spend(bytes.length);
      await segments.write(bytes);
    } catch (again) {
      return refuse(kept, again);
    }
    accept(lines, taken);
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // One turn of the event loop, so that callers who were just answered can join the batch.
      await setImmediate();
      const batch = queue.splice(0, largestBatch);
      const watch = setTimeout(giveUp, parts.patience).unref();
      try {
        await commit(batch);
      } catch (thrown) {
        // A defect of ours: nobody is left waiting for it.
        for (const waiting of batch) waiting.refuse(thrown);
      }
      clearTimeout(watch);
      stuck = null;
    }
    running = null;
  }

  /**
   * A disk that does not answer, as a network's may not: whoever is in the write can be told neither yes nor no, and
   * nobody else waits behind them.
   */
  function giveUp(): void {
    stuck = new Error(`the disk has not answered for ${parts.patience / 1000} s`);
    troubles.begin("disk", stuck.message);
    refuse(queue.splice(0), stuck);
  }

  return {
    append: (entries, sealed) =>
      new Promise((accept, turnAway) => {
        const waiting: Waiting = { entries, sealed: sealed ?? null, accept, refuse: turnAway };
        if (stuck !== null) {
          refuse([waiting], stuck);
          return;
        }
        queue.push(waiting);
        running ??= drain();
      }),
    async idle() {
      await running;
    },
  };
}

/** Does it end what was let in before, and nothing else? What a call raised an alert for ends with it. */
function ends({ entries }: Batched): boolean {
  const settles = entries.some(({ kind }) => kind === "call.settled");
  return entries.length > 0 && entries.every(({ kind }) => closing.has(kind) || (settles && kind === "alert.raised"));
}

/** There is room for the entry alone: without its body, and without an alert's diff. */
function small(entry: Unplaced): Unplaced {
  const { body, about } = entry.details;
  const alone = body === undefined ? entry.details : { ...entry.details, body: null };
  if (entry.kind !== "alert.raised" || !isJsonObject(about)) return { ...entry, details: alone };
  const { diff: _diff, ...rest } = about;
  return { ...entry, details: { ...alone, about: rest } };
}
