// The file that approval requests lie in: read strictly, written durably, refused rather than guessed at.

import { open, readFile } from "node:fs/promises";
import * as z from "zod";
import { fault, Faulted } from "../domain/fault.ts";
import { digestOf } from "./digest.ts";
import { absent, replaceFile } from "./durable.ts";
import { isEnd } from "./states.ts";
import { firstProblem, keptRequest } from "./stored.ts";
import type { KeptRequest } from "./stores/contract.ts";

/** All that the file holds. The stamp is new with each write, so that a reader sees at once whether it is behind. */
export interface Requests {
  readonly format: 1;
  readonly stamp: string;
  readonly requests: readonly KeptRequest[];
}

const requestsShape = z.strictObject({ format: z.literal(1), stamp: z.string(), requests: z.array(keptRequest) });

/** A lowdb adapter. Faults: internal, with the sentence for the operator in its cause. */
export interface RequestsFile {
  /** null: there is no file. */
  read(): Promise<Requests | null>;
  write(requests: Requests): Promise<void>;
  /** The stamp of the file as it lies there now; "" when there is none. */
  stamp(): Promise<string>;
}

export function requestsFile(path: string, random: (count: number) => Uint8Array): RequestsFile {
  // A request never changes in place, so its text is made once: a write costs what changed, and one pass over the rest.
  const texts = new WeakMap<KeptRequest, string>();
  const textOf = (request: KeptRequest): string => {
    const text = texts.get(request) ?? JSON.stringify(keptRequest.parse(request) && request);
    texts.set(request, text);
    return text;
  };
  return {
    async read() {
      const text = await readFile(path, "utf8").catch(absent);
      return text === undefined ? null : parse(path, text);
    },
    async write({ format, stamp, requests }) {
      const head = `{"format":${format},"stamp":${JSON.stringify(stamp)},"requests":[`;
      const tag = Buffer.from(random(8)).toString("hex");
      await replaceFile(path, `${head}\n${requests.map(textOf).join(",\n")}\n]}\n`, tag).catch(unwritable(path));
    },
    stamp: () => readStamp(path),
  };
}

/** The whole file or a fault: a damaged file is never taken for an empty one, since that would forget who said no. */
function parse(path: string, text: string): Requests {
  if (text.trim() === "") throw refused(path, "is empty");
  const value = json(path, text);
  const checked = requestsShape.safeParse(value);
  if (!checked.success) throw refused(path, `does not hold what it should (${firstProblem(checked.error)})`);
  // The value as it stands in the file, not zod's copy: the copy's keys are in another order, and digests of parts are compared as text.
  const requests = value as Requests;
  const changed = requests.requests.find((one) => !isEnd(one.state) && digestOf(one.card) !== one.cardDigest);
  if (changed !== undefined) throw refused(path, `holds a card that was changed (${changed.id})`);
  return requests;
}

function json(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused(path, "is not JSON");
  }
}

export function refused(path: string, what: string): Faulted {
  const remedy =
    "Nothing was changed. Put back a good copy, or move the whole folder away to start without its requests.";
  return new Faulted(fault("internal", {}, `The approvals file ${path} ${what}. ${remedy}`));
}

function unwritable(path: string): (error: unknown) => never {
  return (error) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Faulted(fault("internal", {}, `The approvals file ${path} can't be written: ${why}`));
  };
}

/** Reads only the head that `write` makes. */
async function readStamp(path: string): Promise<string> {
  const file = await open(path, "r").catch(absent);
  if (file === undefined) return "";
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(96), 0, 96, 0);
    return /^\{"format":1,"stamp":"([0-9a-f]+)"/.exec(buffer.toString("latin1", 0, bytesRead))?.[1] ?? "";
  } finally {
    await file.close();
  }
}
