// Puts on record what a command read of the evidence or did with it: through the gateway that runs, or by itself where that is allowed and none does.

import { readFile } from "node:fs/promises";
import type { Config } from "../config/schema.ts";
import type { EntryDetails } from "../domain/entry.ts";
import { isJsonObject, textAt, type JsonObject } from "../domain/json.ts";
import { Faulted, type Fault } from "../domain/fault.ts";
import { openMasking } from "../masking/mask.ts";
import type { SessionId } from "../domain/ids.ts";
import { connectOwner } from "../owner/client.ts";
import { takeLockInTurn } from "../owner/turn.ts";
import { startAnchoring, type AnchorStanding } from "../transcript/anchoring.ts";
import type { Asked } from "../transcript/holds.ts";
import { stateTranscript } from "../transcript/files.ts";
import { openTranscript, type Transcript } from "../transcript/record.ts";
import { openAnchors } from "../wiring/anchors.ts";
import { quietly } from "../wiring/quietly.ts";
import { evidenceMethods, type EvidenceMethod, type Notable } from "../wiring/evidence-methods.ts";
import { stillOperator } from "../wiring/still-operator.ts";
import { CommandFailed, sentenceOf, stateFolder, type Io } from "./io.ts";
import { ownerKeeper } from "./keepers.ts";
import { readSetting } from "./setting.ts";

/** What the command knows of it: how large the record was is the writer's own word, but for a review, which is of the tree that was read. */
type Told<K extends Notable> = K extends "review.completed" ? EntryDetails[K] : Omit<EntryDetails[K], "size">;

/**
 * Returns "" when the entry is durable, else why it is not there: the owner of the state folder reads on. Whoever comes
 * with a token reads on record or not at all: then it throws `CommandFailed`.
 */
export type OnRecord = <K extends Notable>(kind: K, details: Told<K>) => Promise<string>;

/** A reading alone writes nothing where no gateway runs: whoever looks at a record after a crash must not change it. */
const readings: readonly Notable[] = ["evidence.viewed", "evidence.searched", "evidence.verified"];

export function onRecord(io: Io): OnRecord {
  return async (kind, details) => {
    const why = await noted(io, kind, { ...details }).catch(sentenceOf);
    if (why !== "" && tokenFile(io) !== "") throw new CommandFailed(why);
    return why;
  };
}

/** Before anything is written that a reading gives: whoever comes with a token is an auditor, or it throws `CommandFailed`. */
export async function admitted(io: Io): Promise<void> {
  if (tokenFile(io) === "") return;
  const answer = await askEvidence(io, "evidence.may", { role: "auditor" }, false);
  if (typeof answer === "string") throw new CommandFailed(answer);
}

async function noted(io: Io, kind: Notable, details: JsonObject): Promise<string> {
  const answer = await askEvidence(io, "evidence.note", { kind, details }, !readings.includes(kind));
  return typeof answer === "string" ? answer : "";
}

/** Says that a reading left no entry, and why; nothing where it did. */
export async function recorded(io: Pick<Io, "err">, told: Promise<string>): Promise<void> {
  const why = await told;
  if (why !== "") io.err(`No entry tells of this reading: ${why}\n`);
}

const tokenFile = (io: Io): string => io.env["SALLYPORT_TOKEN_FILE"] ?? "";

/** One method of `evidence.*`; a sentence where it was not answered. `alone`: may this command write where no gateway runs? */
export async function askEvidence(
  io: Io,
  method: EvidenceMethod,
  params: JsonObject,
  alone = true,
): Promise<JsonObject | string> {
  const folder = stateFolder(io.env);
  const path = tokenFile(io);
  const connected = await connectOwner({ folder, uid: io.uid, version: io.version });
  switch (connected.kind) {
    case "refused":
      return connected.sentence;
    case "absent":
      // Who somebody is, and which roles they hold, only the gateway knows.
      if (path !== "") return "No gateway runs that could look at the token of SALLYPORT_TOKEN_FILE: start one first.";
      return alone ? await answerAlone(io, method, params).catch(refused) : "no gateway runs.";
    case "connected":
      try {
        const token = path === "" ? {} : { token: (await readFile(path, "utf8")).trim() };
        const answer = await connected.to.call(method, { ...params, ...token });
        if (answer.kind === "gone") return answer.sentence;
        if (answer.kind === "fault") return refusal(answer.fault);
        return isJsonObject(answer.result) ? answer.result : {};
      } finally {
        connected.to.close();
      }
  }
}

/** What the command's own hand refuses it says as a gateway would. */
function refused(thrown: unknown): string {
  if (thrown instanceof Faulted && thrown.fault.cause === "") return refusal(thrown.fault);
  throw thrown;
}

function refusal({ code, detail, cause }: Fault): string {
  if (code === "denied")
    return "The token of SALLYPORT_TOKEN_FILE is not that of a person who may: see transcript.auditors and transcript.operators in sallyport.yaml.";
  const problem = textAt(detail, "problem");
  const why = [problem, cause].filter((one) => one !== "").join("; ");
  return `The gateway refused: ${code}${why === "" ? "" : ` (${why})`}.`;
}

async function answerAlone(io: Io, method: EvidenceMethod, params: JsonObject): Promise<JsonObject | string> {
  const { folder, config, digest, policy, masking } = await readSetting(io, undefined);
  // A folder that is named wrongly is refused, never begun: a hold in a record of its own would hold nothing.
  await stateTranscript(folder);
  const { uid, pause, signal } = io;
  const taken = await takeLockInTurn({ folder, uid, pause, signal });
  if (taken.kind === "refused") return taken.sentence;
  if (taken.kind === "busy") return `A Sallyport is starting or ending on ${folder}.`;
  try {
    const { now, random, version } = io;
    const gateway = { version, config: digest, policy: policy.digest };
    const say = (sentence: string): void => io.err(`${sentence}\n`);
    const disk = io.disk === undefined ? {} : { disk: io.disk };
    const words = openMasking({ key: random(32), ...masking });
    const mask = (text: string): string =>
      words.forCall({ id: "ses_evidence" as SessionId, door: "socket" }, {}).text(text);
    const transcript = await openTranscript({ folder, gateway, now, random, say, ...disk });
    try {
      const { append, keeping } = transcript;
      const { retention } = config.transcript;
      const keeper = ownerKeeper(io.user, config);
      const head = (): ReturnType<Transcript["head"]> => transcript.head();
      const anchor = (): Promise<readonly AnchorStanding[]> => anchorOnce(io, config, transcript, folder);
      const still = (asked: Pick<Asked, "accounts" | "as">): boolean => stillOperator(asked, config);
      const parts = { append, keeping, retention, head, mask, keeper, anchor, stillOperator: still };
      return await evidenceMethods(parts)[method](params);
    } finally {
      await transcript.close();
    }
  } finally {
    taken.lock.release();
  }
}

/** As a gateway would, once. */
async function anchorOnce(
  io: Io,
  config: Config,
  transcript: Transcript,
  folder: string,
): Promise<readonly AnchorStanding[]> {
  const { now, env, version } = io;
  const anchors = await openAnchors({ settings: config.transcript.anchors, version, now, env });
  const say = (sentence: string): void => io.err(`${sentence}\n`);
  const anchoring = startAnchoring({ anchors, transcript, folder, now, pause: quietly, say });
  try {
    return await anchoring.now();
  } finally {
    await anchoring.stop(AbortSignal.abort());
  }
}
