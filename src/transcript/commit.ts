// Group commit: whatever was appended while the last batch went to the disk goes there together, in order, in one write.

import { setImmediate } from "node:timers/promises";
import type { Bodies, SealedLines } from "./bodies.ts";
import type { EntryKind, Receipt } from "../domain/entry.ts";
import { textAt } from "../domain/json.ts";
import { diskCause, isFull } from "./disk.ts";
import { clockTolerance, type GatewayStamp, type Line, type Unplaced } from "./entry.ts";
import type { Reserve } from "./reserve.ts";
import { bytesOf, stage, type Batched } from "./stage.ts";
import { foldEntry, latestTime, unknownEntry, type Standing } from "./standing.ts";
import type { Segments } from "./stores/index.ts";
import type { Tree } from "./tree.ts";
import type { Troubles } from "./troubles.ts";
import { unusable } from "./unusable.ts";

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
}

export interface Commit {
  /**
   * Adds entries in order and returns once all are durable. With none, it writes what is owed, which finds out whether
   * a trouble of the disk is over. Faults: transcript_unavailable.
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
  let segment = segments.number();

  function watchClock(time: number): void {
    const floor = Math.max(parts.signedAt(), latestTime(standing) - clockTolerance);
    if (time < floor) troubles.begin("clock", `the clock stands ${floor - time} ms before what was already recorded`);
    else troubles.end("clock");
  }

  function owed(): readonly Unplaced[] {
    const unmarked = [...lost].flatMap((call) => standing.open.get(call) ?? []);
    const about = { sid: null, call: null, principal: null, client: "" } as const;
    const told: readonly Unplaced[] =
      lostBodies.length === 0
        ? []
        : [{ ...about, kind: "audit.recovered", details: { repaired: 0, bodies: lostBodies.slice(0, mostLost) } }];
    return [
      ...troubles.owed("disk"),
      ...told,
      ...unmarked.map((call) => unknownEntry(call, "its end could not be written")),
    ];
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
    const { lines, taken, unwritable } = stage(standing, owed(), batch, time, parts.stamp());
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
      if (sealed.status === "rejected") return withoutBodies(lines, taken, sealed.reason);
    } catch (thrown) {
      troubles.begin("disk", `entries can't be written: ${diskCause(thrown)}`);
      return await closeOnReserve(
        taken.map(({ batched }) => batched),
        thrown,
      );
    }
    written();
    accept(lines, taken);
  }

  /** What was owed is durable, and the disk works. */
  function written(): void {
    lost.clear();
    lostBodies.splice(0, mostLost);
    troubles.end("disk");
    troubles.told();
  }

  async function writeBodies(batch: readonly Waiting[]): Promise<void> {
    const sealed = batch.flatMap((waiting) => waiting.sealed ?? []);
    if (sealed.length === 0) return;
    await bodies?.write(sealed);
    await bodies?.sync();
  }

  /**
   * The entries are durable and their bodies may not be, which goes on record. What ends a call is answered all the
   * same; what would let one in is refused, and marked as not known to have ended.
   */
  function withoutBodies(
    lines: readonly Line[],
    taken: readonly { batched: Waiting; from: number }[],
    thrown: unknown,
  ): void {
    written();
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
      for (const { call } of batched.entries) if (call !== null) lost.add(call);
      batched.refuse(unusable(diskCause(thrown)));
    }
  }

  /** The disk failed: where it is only full, the ends of calls that were let in still find their reserved space. */
  async function closeOnReserve(batch: readonly Waiting[], thrown: unknown): Promise<void> {
    const ending = isFull(thrown) ? batch.filter(ends) : [];
    refuse(
      batch.filter((waiting) => !ending.includes(waiting)),
      thrown,
    );
    const kept = ending.map((waiting) => ({ ...waiting, entries: waiting.entries.map(withoutBody) }));
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
      try {
        await commit(batch);
      } catch (thrown) {
        // A defect of ours: nobody is left waiting for it.
        for (const waiting of batch) waiting.refuse(thrown);
      }
    }
    running = null;
  }

  return {
    append: (entries, sealed) =>
      new Promise((accept, refuse) => {
        queue.push({ entries, sealed: sealed ?? null, accept, refuse });
        running ??= drain();
      }),
    async idle() {
      await running;
    },
  };
}

/** Does it end what was let in before, and nothing else? */
function ends({ entries }: Batched): boolean {
  return entries.length > 0 && entries.every((entry) => closing.has(entry.kind));
}

/** There is room for the entry alone. */
function withoutBody(entry: Unplaced): Unplaced {
  return entry.details["body"] === undefined ? entry : { ...entry, details: { ...entry.details, body: null } };
}
