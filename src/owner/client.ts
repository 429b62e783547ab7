// The way to the owner from another process of the same user: the command line, or a second `sallyport` on stdio.

import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { fault, faultCodes, type EffectLeft, type Fault, type FaultCode } from "../domain/fault.ts";
import { isJsonObject, type Json } from "../domain/json.ts";
import { firstLine, parseLine, parseWelcome, type Hello } from "./greeting.ts";
import { findMeeting } from "./meeting.ts";

export interface OwnerClient {
  call(method: string, params: Json): Promise<OwnerAnswer>;
  close(): void;
}

export type OwnerAnswer =
  | { readonly kind: "result"; readonly result: Json }
  | { readonly kind: "fault"; readonly fault: Fault }
  /** The owner ended before it answered: whether it acted is not known. */
  | { readonly kind: "gone"; readonly sentence: string };

export type Connected<T> =
  | { readonly kind: "connected"; readonly to: T }
  /** No owner is running. */
  | { readonly kind: "absent"; readonly sentence: string }
  | { readonly kind: "refused"; readonly sentence: string };

export interface OwnerAddress {
  readonly folder: string;
  /** The user that this process runs as. */
  readonly uid: number;
  readonly version: string;
}

/** Connects for calls of the owner's methods. */
export async function connectOwner(address: OwnerAddress): Promise<Connected<OwnerClient>> {
  const greeted = await greetOwner(address, "methods", "");
  return greeted.kind === "connected" ? { kind: "connected", to: clientOn(greeted.to) } : greeted;
}

const welcomeWait = 10_000;

/** Connects, shows the token and waits to be let in; the stream after that belongs to the purpose. */
export async function greetOwner(
  { folder, uid, version }: OwnerAddress,
  purpose: Hello["purpose"],
  config: string,
): Promise<Connected<Socket>> {
  const found = await findMeeting(folder, uid);
  if (found.kind === "absent") return noOwner(folder);
  if (found.kind === "refused") return found;
  const { socket: path, token } = found.meeting;
  const socket = await open(path);
  if (socket === null) return noOwner(folder);
  const hello: Hello = { token, version, config, purpose };
  socket.write(`${JSON.stringify(hello)}\n`);
  const line = await firstLine(socket, welcomeWait);
  const welcome = line === null ? null : parseWelcome(line);
  if (welcome?.ok === true) return { kind: "connected", to: socket };
  socket.destroy();
  return { kind: "refused", sentence: welcome?.sentence ?? `The owner of ${folder} does not answer.` };
}

function noOwner(folder: string): { readonly kind: "absent"; readonly sentence: string } {
  return { kind: "absent", sentence: `No Sallyport is running on ${folder}: start one first.` };
}

/** null where nothing listens: the file was left by an owner that died. */
async function open(path: string): Promise<Socket | null> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket));
    // Later errors show as the close that follows them.
    socket.on("error", () => resolve(null));
  });
}

function clientOn(socket: Socket): OwnerClient {
  const waiting = new Map<number, (answer: OwnerAnswer) => void>();
  let lastId = 0;
  const gone = { kind: "gone", sentence: "The running Sallyport ended before it answered." } as const;
  const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
  // It tells the socket's errors once more; the close that follows them is what counts.
  lines.on("error", () => socket.destroy());
  lines.on("line", (line) => {
    const reply = parseLine(line);
    if (!isJsonObject(reply) || typeof reply["id"] !== "number") return;
    waiting.get(reply["id"])?.(answerOf(reply["result"], reply["error"]));
    waiting.delete(reply["id"]);
  });
  socket.on("close", () => {
    for (const settle of waiting.values()) settle(gone);
    waiting.clear();
  });
  return {
    async call(method, params) {
      if (socket.destroyed || !socket.writable) return gone;
      const id = ++lastId;
      const answer = new Promise<OwnerAnswer>((resolve) => waiting.set(id, resolve));
      socket.write(`${JSON.stringify({ id, method, params })}\n`);
      return await answer;
    },
    close: () => socket.end(),
  };
}

function answerOf(result: Json | undefined, error: Json | undefined): OwnerAnswer {
  if (result !== undefined) return { kind: "result", result };
  if (!isJsonObject(error)) return { kind: "fault", fault: fault("internal") };
  const { code, effect, detail } = error;
  if (!isFaultCode(code)) return { kind: "fault", fault: fault("internal") };
  return {
    kind: "fault",
    fault: fault(code, isJsonObject(detail) ? detail : {}, "", isEffect(effect) ? effect : "unknown"),
  };
}

function isFaultCode(code: Json | undefined): code is FaultCode {
  return typeof code === "string" && Object.hasOwn(faultCodes, code);
}

function isEffect(effect: Json | undefined): effect is EffectLeft {
  return effect === "none" || effect === "applied" || effect === "unknown";
}
