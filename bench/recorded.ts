// A transcript as a busy gateway leaves it, made by the transcript's own writer without its waits for the disk.

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { EntryDetails, EntryDraft, EntryKind } from "../src/domain/entry.ts";
import type { SessionId } from "../src/domain/ids.ts";
import type { PrincipalFields } from "../src/domain/principal.ts";
import { realDisk, type Disk } from "../src/transcript/disk.ts";
import { openTranscript } from "../src/transcript/record.ts";

/** The real disk without its waits. */
const hastyDisk: Disk = {
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
  openDurable: (path) => hastyDisk.open(path),
};

const begin = Date.parse("2026-01-05T08:00:00.000Z");
const hex = (digit: string): string => digit.repeat(64);
const padded = (number: number): string => String(number).padStart(12, "0");
const reading = ["objects_list", "objects_get", "logs_read", "events_list", "rollouts_get"] as const;
const changing = ["workloads_scale", "workloads_restart", "objects_patch"] as const;

function principalOf(call: number): PrincipalFields {
  const issuer = "https://id.example";
  return {
    kind: "person",
    issuer,
    subject: `person-${call % 37}`,
    groups: [],
    actors: [{ issuer, subject: `agent-${call % 11}` }],
    client: "editor",
    verifier: "oidc",
  };
}

/** The entries of one call: three of a read; five of a change, which is every tenth. */
export function callDrafts(call: number): readonly EntryDraft[] {
  const id = `call_01950000-0000-7000-8000-${padded(call)}`;
  const session = { id: `ses_01950000-0000-7000-8000-${padded(call % 4096)}` as SessionId, door: "http" } as const;
  const principal = principalOf(call);
  const change = call % 10 === 0;
  const denied = call % 23 === 0;
  const tool = change ? changing[call % changing.length] : reading[call % reading.length];
  const [namespace, name] = [`team-${call % 53}`, `web-${call % 1999}`];
  const access = change ? `patch apps/deployments/scale ${namespace}/${name}` : `list pods ${namespace}/*`;
  const grant = `01950000-0000-7000-9000-${padded(call)}`;
  const draft = <K extends EntryKind>(kind: K, details: EntryDetails[K]): EntryDraft =>
    ({ kind, session, call: id, principal, details }) as EntryDraft;
  const shared = { cluster: "prod", tool: tool ?? "" };
  const object = { cluster: "prod", kind: "Deployment", namespace, name, uid: grant, before: "1041", after: "1042" };
  const ran = change && !denied;
  const decided = draft("call.decided", {
    ...shared,
    effect: change ? "change" : "read",
    decision: denied ? "deny" : "allow",
    accesses: [access],
    rules: [denied ? "no-secrets" : `team-${call % 53}`],
    forbid: null,
    errors: [],
    policy: hex("b"),
    facts: { namespaces: [{ name: namespace, exists: true, environment: "prod", labels: { team: "a" } }] },
    approval: null,
    code: denied ? "denied" : "",
  });
  const settled = draft("call.settled", {
    ...shared,
    outcome: denied ? "refused" : "completed",
    code: denied ? "denied" : "",
    effect: ran ? "applied" : "none",
    objects: ran ? [object] : [],
    grant: ran ? grant : "",
    account: "",
    jti: "",
    ambient: false,
    masked: call % 7 === 0 ? [{ type: "password", count: 2, places: ["spec.env"] }] : [],
    bytes: 812,
    durations: { total: 41, run: 20 },
  });
  const received = draft("call.received", {
    ...shared,
    arguments: { namespace, name, ...(change ? { replicas: 3 } : {}) },
    digest: hex("d"),
    reason: change ? "More traffic." : null,
    preview: false,
  });
  if (!ran) return [received, decided, settled];
  const account = `system:serviceaccount:sallyport-sessions:run-${grant}`;
  const expires = new Date(begin + 600_000).toISOString();
  const details = { grant, cluster: "prod", issuer: "token-request", account, jti: grant, accesses: [access], expires };
  return [
    received,
    decided,
    draft("grant.issued", details),
    settled,
    draft("grant.revoked", { grant, complete: true }),
  ];
}

/** Writes at least so many entries of whole calls into a state folder; a checkpoint every 100,000. */
export async function writeRecorded(folder: string, entries: number): Promise<void> {
  let now = begin;
  const transcript = await openTranscript({
    folder,
    gateway: { version: "0.0.0", config: hex("c"), policy: hex("b") },
    now: () => now,
    random: (count) => randomBytes(count),
    say: () => undefined,
    disk: hastyDisk,
    checkpointEvery: 3_600_000,
  });
  for (let call = 1, signed = 0; transcript.head().size < entries;) {
    const calls = Array.from({ length: 200 }, () => callDrafts(call++));
    await Promise.all(calls.map((drafts) => transcript.append(drafts)));
    now += 2000;
    if (transcript.head().size - signed < 100_000) continue;
    await transcript.checkpoint();
    signed = transcript.head().size;
  }
  await transcript.close();
}
