// Puts on record what a command did with evidence: through the gateway that runs, or by itself where none does.

import type { EntryDetails } from "../domain/entry.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import { connectOwner } from "../owner/client.ts";
import { takeLockInTurn } from "../owner/turn.ts";
import { openTranscript } from "../transcript/record.ts";
import { evidenceMethods, type EvidenceMethods, type Notable } from "../wiring/evidence-methods.ts";
import { operatorOf } from "./agent-identities.ts";
import { sentenceOf, stateFolder, type Io } from "./io.ts";
import { readSetting } from "./setting.ts";

/** Returns "" when the entry is durable, else why it is not there. */
export type OnRecord = <K extends Notable>(kind: K, details: EntryDetails[K]) => Promise<string>;

export function onRecord(io: Io): OnRecord {
  return async (kind, details) => {
    try {
      const answer = await askEvidence(io, "evidence.note", { kind, details });
      return typeof answer === "string" ? answer : "";
    } catch (thrown) {
      return sentenceOf(thrown);
    }
  };
}

/** One method of `evidence.*`; a sentence where it was not answered. */
export async function askEvidence(
  io: Io,
  method: keyof EvidenceMethods,
  params: JsonObject,
): Promise<JsonObject | string> {
  const folder = stateFolder(io.env);
  const connected = await connectOwner({ folder, uid: io.uid, version: io.version });
  switch (connected.kind) {
    case "refused":
      return connected.sentence;
    case "absent":
      return await answerAlone(io, method, params);
    case "connected":
      try {
        const answer = await connected.to.call(method, params);
        if (answer.kind === "gone") return answer.sentence;
        if (answer.kind === "fault") return `The gateway refused: ${answer.fault.code}.`;
        return isJsonObject(answer.result) ? answer.result : {};
      } finally {
        connected.to.close();
      }
  }
}

async function answerAlone(io: Io, method: keyof EvidenceMethods, params: JsonObject): Promise<JsonObject | string> {
  const { folder, digest, policy } = await readSetting(io, undefined);
  const { uid, pause, signal } = io;
  const taken = await takeLockInTurn({ folder, uid, pause, signal });
  if (taken.kind === "refused") return taken.sentence;
  if (taken.kind === "busy") return `A Sallyport is starting or ending on ${folder}.`;
  try {
    const { now, random, version } = io;
    const gateway = { version, config: digest, policy: policy.digest };
    const say = (sentence: string): void => io.err(`${sentence}\n`);
    const disk = io.disk === undefined ? {} : { disk: io.disk };
    const transcript = await openTranscript({ folder, gateway, now, random, say, ...disk });
    try {
      const { append, purge } = transcript;
      return await evidenceMethods({ append, purge, by: operatorOf(io.user) })[method](params);
    } finally {
      await transcript.close();
    }
  } finally {
    taken.lock.release();
  }
}
