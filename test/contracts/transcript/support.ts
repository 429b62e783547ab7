// Folders, a clock that tests turn, and the drafts of whole calls.

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { EntryDetails, EntryDraft, EntryKind } from "../../../src/domain/entry.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import type { PrincipalFields } from "../../../src/domain/principal.ts";
import { realDisk, type Disk } from "../../../src/transcript/disk.ts";
import { openTranscript, type Transcript, type TranscriptOptions } from "../../../src/transcript/record.ts";

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-transcript-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const start = Date.parse("2026-03-01T10:00:00.000Z");
export const digest = (letter: string): string => letter.repeat(64);

/** The real disk without its waits: for tests that open many transcripts and cut no power. */
export const quickDisk: Disk = {
  ...realDisk,
  async open(path) {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    return {
      write: async (bytes, at) => void (await file.write(bytes, 0, bytes.length, at)),
      sync: () => Promise.resolve(),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  },
  openDurable: (path) => quickDisk.open(path),
  makeFolder: async (path) => void (await mkdir(path, { recursive: true, mode: 0o700 })),
  async replace(path, bytes) {
    await writeFile(`${path}.new`, bytes, { mode: 0o600 });
    await rename(`${path}.new`, path);
  },
};

/** Opens a transcript whose checkpoints are made by hand or at close. */
export async function openIn(folder: string, over: Partial<TranscriptOptions> = {}): Promise<Transcript> {
  const transcript = await openTranscript({
    folder,
    gateway: { version: "1.2.3", config: digest("c"), policy: digest("b") },
    now: () => start,
    random: (count) => randomBytes(count),
    say: () => undefined,
    checkpointEvery: 3_600_000,
    ...over,
  });
  onTestFinished(() => transcript.close());
  return transcript;
}

export const agent: PrincipalFields = {
  kind: "person",
  issuer: "https://id.example",
  subject: "ada",
  groups: [],
  actors: [{ issuer: "https://id.example", subject: "coding-agent" }],
  client: "editor",
  verifier: "oidc",
};

export const session = "ses_01950000-0000-7000-8000-000000000001" as SessionId;
export const callId = (number: number): string => `call_01950000-0000-7000-8000-${String(number).padStart(12, "0")}`;

/** A draft of this kind; the call and its session are the default ones unless said. */
export function draft<K extends EntryKind>(kind: K, call: string | null, details: EntryDetails[K]): EntryDraft {
  const own = call === null;
  return {
    kind,
    session: own ? null : { id: session, door: "http" },
    call,
    principal: own ? null : agent,
    details,
  } as EntryDraft;
}

export const received = (call: string, over: Partial<EntryDetails["call.received"]> = {}): EntryDraft =>
  draft("call.received", call, {
    tool: "workloads_scale",
    arguments: { name: "api", replicas: 5 },
    digest: digest("d"),
    reason: "traffic",
    preview: false,
    ...over,
  });

export const decided = (call: string, over: Partial<EntryDetails["call.decided"]> = {}): EntryDraft =>
  draft("call.decided", call, {
    tool: "workloads_scale",
    effect: "change",
    decision: "allow",
    accesses: ["patch apps/deployments/scale prod/api"],
    rules: ["scale-production"],
    forbid: null,
    errors: [],
    policy: digest("b"),
    facts: {},
    approval: null,
    code: "",
    ...over,
  });

export const settled = (call: string, over: Partial<EntryDetails["call.settled"]> = {}): EntryDraft =>
  draft("call.settled", call, {
    tool: "workloads_scale",
    outcome: "completed",
    code: "",
    effect: "none",
    objects: [],
    grant: "",
    account: "",
    jti: "",
    ambient: false,
    masked: [],
    bytes: 10,
    durations: { total: 5 },
    ...over,
  });

export const granted = (call: string, grant: string, over: Partial<EntryDetails["grant.issued"]> = {}): EntryDraft =>
  draft("grant.issued", call, {
    grant,
    issuer: "token-request",
    account: `system:serviceaccount:sallyport-sessions:run-${grant}`,
    jti: "jti",
    accesses: ["patch apps/deployments/scale prod/api"],
    expires: "2026-03-01T10:10:00.000Z",
    ...over,
  });

export const revoked = (call: string, grant: string, complete = true): EntryDraft =>
  draft("grant.revoked", call, { grant, complete });

/** A read from its arrival to its end. */
export const plainRead = (call: string): readonly EntryDraft[] => [
  received(call, { tool: "objects_list" }),
  decided(call, { tool: "objects_list", effect: "read" }),
  settled(call, { tool: "objects_list" }),
];

/** An approved change from its arrival to its end, each part as the gateway appends it. */
export function approvedChange(call: string, approval: string, grant: string): readonly EntryDraft[] {
  const common = { approval, approvalDigest: digest("a"), cardDigest: digest("e") };
  return [
    received(call),
    draft("call.previewed", call, {
      tool: "workloads_scale",
      diff: ["~ spec.replicas: 3 -> 5"],
      diffDigest: "",
      objects: [],
    }),
    decided(call, { decision: "require-approval" }),
    draft("approval.requested", call, {
      ...common,
      callDigest: digest("d"),
      diffDigest: digest("f"),
      requirements: [{ rule: "r", approvers: ["group:ops"], count: 1, expires: 900, validFor: 300, assurance: "chat" }],
      expires: "2026-03-01T10:15:00.000Z",
    }),
    draft("approval.decided", call, {
      ...common,
      state: "approved",
      approver: {
        issuer: "https://id.example",
        subject: "grace",
        groups: ["ops"],
        channel: "slack",
        assurance: "chat",
      },
      answer: "approve",
      reason: "fine",
    }),
    draft("approval.spent", call, { approval, approvalDigest: digest("a") }),
    decided(call, { approval }),
    granted(call, grant),
    settled(call, { effect: "applied", grant }),
    revoked(call, grant),
  ];
}

/** The lines of all segments in order, without their newlines. */
export async function linesIn(folder: string): Promise<string[]> {
  const segments = join(folder, "transcript", "segments");
  const names = (await readdir(segments)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(segments, name), "utf8")));
  return texts.flatMap((text) => text.split("\n").slice(0, -1));
}

export async function entriesIn(folder: string): Promise<readonly { readonly [field: string]: unknown }[]> {
  return (await linesIn(folder)).map((line) => JSON.parse(line) as { [field: string]: unknown });
}
