// What a command may touch of the outside: given by main.ts, which alone knows the process.

import type { Readable, Writable } from "node:stream";
import { Faulted } from "../domain/fault.ts";
import type { Disk } from "../transcript/disk.ts";
import type { ClockTimes } from "../wiring/clock-checks.ts";

export interface Io {
  readonly version: string;
  /** The version of the Node that runs this. */
  readonly node: string;
  /** The user that this process runs as: number (-1 where the system has none) and name. */
  readonly uid: number;
  readonly user: string;
  readonly home: string;
  /** For short-lived sockets: `$XDG_RUNTIME_DIR`, else the system's folder for temporary files. */
  readonly runtimeFolder: string;
  /** What this process was started with: the interpreter, and the file as it was named (a link stays one). */
  readonly launched: { readonly node: string; readonly file: string };
  /** Processor cores that this process may use. */
  readonly cores: number;
  /** Where the policies that ship with Sallyport lie. */
  readonly shipped: string;
  readonly input: Readable;
  readonly output: Writable;
  readonly env: { readonly [name: string]: string | undefined };
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Standard output is a terminal that shows colours. */
  readonly colour: boolean;
  /** A person sits at standard input and output. */
  readonly interactive: boolean;
  /** Asks the person one line; only where `interactive`. */
  readonly ask: (question: string) => Promise<string>;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly random: (count: number) => Uint8Array;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Runs something at each SIGHUP, which then no longer ends the process; returns how to stop. Absent: there is no such signal. */
  readonly onHangup?: (run: () => void) => () => void;
  /** The address of Slack's Web API, with a slash at its end; absent: Slack's own. */
  readonly slackApi?: string;
  /** Where the transcript is written; absent: the real disk. */
  readonly disk?: Disk;
  /** When a gateway compares its clock with the clusters'; absent: at its start and once an hour. */
  readonly clockTimes?: ClockTimes;
}

/** Ends the command with a sentence on standard error and this exit code (1 failed, 2 wrong usage, 3 found a problem). */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  readonly exitCode: number;
  constructor(sentence: string, exitCode = 1) {
    super(sentence);
    this.exitCode = exitCode;
  }
}

/** The state folder: `$SALLYPORT_HOME`, else `$XDG_STATE_HOME/sallyport`, else `~/.local/state/sallyport`. */
export function stateFolder(env: Io["env"]): string {
  if (env["SALLYPORT_HOME"]) return env["SALLYPORT_HOME"];
  const base = env["XDG_STATE_HOME"] || (env["HOME"] ? `${env["HOME"]}/.local/state` : "");
  if (base === "")
    throw new CommandFailed("No state folder: set SALLYPORT_HOME to a folder that only you can read.", 2);
  return `${base}/sallyport`;
}

/** The sentence for a person of whatever went wrong. */
export function sentenceOf(thrown: unknown): string {
  if (thrown instanceof Faulted) return thrown.fault.cause === "" ? thrown.fault.code : thrown.fault.cause;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Is this version of Node, for example `22.18.0`, older than what the program is built for? */
export function nodeIsTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 22 || (major === 22 && minor < 19);
}
