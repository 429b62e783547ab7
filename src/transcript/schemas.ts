// Every kind of entry and its fields, as they are published: docs/entries.md and docs/entries.schema.json are made from this. Long: it is a list.

import * as z from "zod";
import type { EntryDetails, EntryKind } from "../domain/entry.ts";

const text = (says: string) => z.string().describe(says);
const flag = (says: string) => z.boolean().describe(says);
const count = (says: string) => z.int().min(0).describe(says);
const sha256 = (says: string) => text(`${says}: SHA-256, hex, or ""`).regex(/^([0-9a-f]{64})?$/);
/** RFC 3339, UTC; "" where it is not known. */
const time = (says: string) =>
  text(`${says}: RFC 3339, UTC, or ""`).regex(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)?$/);
/** What an entry that would be too large has in the place of what was cut. */
const cutMark = z.string().startsWith("(cut: ");
const list = (item: z.ZodType, says: string) => z.array(z.union([item, cutMark])).describe(says);
const texts = (says: string) => z.array(z.string()).describe(says);
const object = (says: string) => z.record(z.string(), z.unknown()).describe(says);

const cluster = text(
  'the cluster, as the configuration names it; "" where the call named none that it may',
).exactOptional();
const tool = text("the tool's name, cut to 80 characters");
const grant = text("the grant's id, a UUIDv7; it stands in the names of its objects in the cluster");
const approval = text("the approval's id");
const agentIdentity = {
  agent: text("the account's name here"),
  issuer: text("whom the account stands for: the issuer"),
  subject: text("and the subject at that issuer"),
};
const expires = time("until when the account may be used");
const reviewBy = time("by when somebody has to look at the account again");

/** One object that a call touched. */
const touched = object("cluster, kind, namespace, name and uid of an object, and its resourceVersion before and after");
const body = (what: string) =>
  z
    .strictObject({
      bytes: count("bytes of the text"),
      commit: text("SHA-256 of salt and text, hex").regex(/^[0-9a-f]{64}$/),
      key: text("the id of the data key"),
      seal: text("SHA-256 of the sealed line, hex").regex(/^[0-9a-f]{64}$/),
    })
    .nullable()
    .describe(`${what}, sealed in transcript/bodies; null where there was no room for it`)
    .exactOptional();
const hold = text("the hold's name");
const releasing = {
  person: text('the person\'s name in the configuration; "" where it has none'),
  accounts: z
    .array(z.strictObject({ iss: text("the issuer"), sub: text("the subject at that issuer") }))
    .describe("every account that is known to be this person's"),
};
const maskedRow = z.strictObject({
  type: text("what was masked, for example `password`"),
  count: count("how many"),
  places: texts("where in the answer; the first ones where there are many").exactOptional(),
});

interface KindOfEntry<Shape extends z.ZodRawShape> {
  /** When it is written, in a sentence. */
  readonly says: string;
  readonly details: z.ZodObject<Shape>;
}

const chatUser = {
  team: text("the workspace"),
  user: text("the user's id there"),
  issuer: text("the account's issuer"),
  subject: text("the account at that issuer"),
};

/** What each kind says, and its fields in `details`. */
export const kindsOfEntries = {
  "gateway.started": {
    says: "A gateway began to write here.",
    details: z.strictObject({
      version: text("its version"),
      config: sha256("its configuration"),
      policy: sha256("the policy in force"),
      repaired: count("bytes of an unfinished last line that were cut off before"),
      tools: sha256("its tools: names, descriptions, schemas").exactOptional(),
      work: texts(
        "what stands before the dot of the audit ids of its own work, which no single call causes",
      ).exactOptional(),
    }),
  },
  "gateway.stopped": {
    says: "It ended in order. After a crash this entry is missing, and the calls that were open have `call.unknown`.",
    details: z.strictObject({ reason: text("why") }),
  },
  "session.opened": {
    says: "The first call of a session came. A session is the calls of one caller until it is idle, or of one connection.",
    details: z.strictObject({
      door: z.enum(["stdio", "http", "socket"]).describe("the way in"),
      client: text("the client program's own name for itself, as claimed"),
    }),
  },
  "session.closed": {
    says: "A session that had made calls ended.",
    details: z.strictObject({
      reason: text("why: it was idle or its connection ended, or the gateway stopped"),
      calls: count("calls that came to their end in it"),
      changes: count("how many of them left something in the cluster, or may have"),
      denied: count("how many of them policy denied"),
    }),
  },
  "identity.refused": {
    says: "Strangers were refused; they are counted, at most once a minute, so that none of them can fill the record.",
    details: z.strictObject({ count: count("how many"), since: time("since when") }),
  },
  "call.received": {
    says: "A call came in. Durable before any credential for it exists.",
    details: z.strictObject({
      cluster,
      tool,
      arguments: object("its arguments, masked; those above 16 kB are left out and say so"),
      digest: text(
        'HMAC-SHA-256 of the planned call under the gateway\'s key, hex; "" where it was refused before',
      ).regex(/^([0-9a-f]{64})?$/),
      reason: z.string().nullable().describe("the agent's stated reason, masked"),
      preview: flag("was only a preview asked for?"),
      body: body("arguments that the entry leaves out"),
    }),
  },
  "call.decided": {
    says: "Policy answered. The last one of a call counts; durable before the grant that runs it.",
    details: z.strictObject({
      cluster,
      tool,
      effect: z.enum(["read", "change", "destroy", "execute", "unknown"]).describe("what kind of call it is"),
      decision: z.enum(["allow", "require-approval", "deny"]).describe("the answer"),
      accesses: texts(
        "each verb, resource, namespace and name that the call needs; a trailing ? marks what it could do without; the first 200",
      ),
      rules: texts("every rule that took part"),
      forbid: z.string().nullable().describe("the built-in forbid that answered"),
      errors: texts("rules that could not be evaluated, and why"),
      policy: sha256("the policy that answered"),
      facts: object("what the decision was made on: principal, namespaces, objects, change, session, time"),
      approval: z.string().nullable().describe("the approval that it runs on"),
      obligations: object("what policy asks of the answer").exactOptional(),
      code: text('the fault that it was refused with; "" when it was not'),
    }),
  },
  "call.previewed": {
    says: "A change was rehearsed by a server-side dry run.",
    details: z.strictObject({
      tool,
      diff: texts("what it would change, a line each, masked; the first 200"),
      diffDigest: sha256("the whole diff"),
      objects: list(touched, "the objects"),
      body: body("a diff that is longer than the entry"),
    }),
  },
  "call.settled": {
    says: "A call ended. Durable before the reply.",
    details: z.strictObject({
      cluster,
      tool,
      outcome: z.enum(["completed", "failed", "refused"]).describe("how"),
      code: text('the fault; "" when it completed'),
      effect: z.enum(["none", "applied", "unknown"]).describe("what it left in the cluster"),
      objects: list(touched, "what it changed"),
      grant: text('the grant that it ran with; ""  where it had none'),
      account: text("the Kubernetes user that it acted as"),
      jti: text("the token's `credential-id` in the API server's audit log"),
      ambient: flag("did it run with the kubeconfig's own credential?"),
      masked: list(maskedRow, "what was masked, by type, never the value"),
      bytes: count("characters of the answer"),
      durations: z.record(z.string(), z.number()).describe("milliseconds by stage"),
      body: body("the masked answer"),
    }),
  },
  "call.unknown": {
    says: "How a call ended is not known: the gateway stopped while it ran, or its end could not be written.",
    details: z.strictObject({ reason: text("why"), grant: text('its last grant; "" when it had none') }),
  },
  "stream.segment": {
    says: "What a command printed, as it came: whole lines, masked, in one append with its call's end and before that.",
    details: z.strictObject({
      tool,
      stream: z.enum(["stdout", "stderr"]).describe("which of the command's streams"),
      from: count("milliseconds from the command's beginning until the first of it came"),
      to: count("and until the last of it came"),
      bytes: count("bytes of the masked text"),
      masked: list(maskedRow, "what was masked in it, by type, never the value"),
      body: body("the masked text"),
    }),
  },
  "approval.requested": {
    says: "A person must agree. Durable before anyone is told.",
    details: z.strictObject({
      approval,
      callDigest: text("the digest of the call"),
      approvalDigest: sha256("what is approved: call, nonce, uids, diff and requirements"),
      cardDigest: sha256("exactly what approvers are shown"),
      diffDigest: sha256("the diff"),
      requirements: z.unknown().describe("who must agree, how many of them, by when and how strongly known"),
      expires: time("until when"),
    }),
  },
  "approval.decided": {
    says: "One person answered.",
    details: z.strictObject({
      approval,
      state: z.enum(["approved", "rejected", "pending", "revoked"]).describe("how the request stands after it"),
      approvalDigest: sha256("what was answered"),
      cardDigest: sha256("what was shown"),
      approver: object("issuer, subject, groups, channel and assurance of the person"),
      answer: z.enum(["approve", "reject"]).describe("the answer"),
      reason: text("the person's words, masked"),
    }),
  },
  "approval.notified": {
    says: "Nobody had answered in time: further people may answer from now on.",
    details: z.strictObject({ approval, after: count("seconds after the request"), to: texts("who") }),
  },
  "approval.expired": { says: "Nobody answered in time.", details: z.strictObject({ approval }) },
  "approval.withdrawn": { says: "The caller took its request back.", details: z.strictObject({ approval }) },
  "approval.spent": {
    says: "An approval was used up, once, for the call that it was given for.",
    details: z.strictObject({ approval, approvalDigest: sha256("what was approved") }),
  },
  "approval.stale": {
    says: "What was approved is no longer what would run.",
    details: z.strictObject({ approval, changed: text("what changed") }),
  },
  "grant.issued": {
    says: "A short-lived credential was made: for one call, or for a session's reads.",
    details: z.strictObject({
      grant,
      cluster,
      issuer: text("how it was made: `token-request`, `reader`, `preview`, `ambient`"),
      account: text("the Kubernetes user that it acts as"),
      jti: text("the token's `credential-id` in the API server's audit log"),
      accesses: texts("all that it allows; the first 200"),
      expires: time("until when, unless it is revoked before"),
    }),
  },
  "grant.revoked": {
    says: "A credential was taken back.",
    details: z.strictObject({ grant, complete: flag("is nothing of it left? else the sweep goes on") }),
  },
  "grant.swept": {
    says: "What was left of a credential was removed.",
    details: z.strictObject({ cluster, grant, objects: texts("the objects"), why: text("why they were there") }),
  },
  "policy.changed": {
    says: "Another policy is in force.",
    details: z.strictObject({
      from: sha256("the one before"),
      to: sha256("the new one"),
      diff: text('what differs, a line each; "" where it changed while no gateway ran'),
    }),
  },
  "config.changed": {
    says: "The configuration is not that of the last start, or other masking profiles took over.",
    details: z.strictObject({
      from: sha256("the one before"),
      to: sha256("the new one"),
      diff: text("what took over while the gateway ran, a line each; absent where none ran").exactOptional(),
    }),
  },
  "tool.changed": {
    says: "The tools are not those of the last start.",
    details: z.strictObject({ from: sha256("those before"), to: sha256("the new ones") }),
  },
  "alert.raised": {
    says: "Something that a person should look at.",
    details: z.strictObject({ alert: text("what"), about: object("where and which") }),
  },
  "evidence.viewed": {
    says: "Somebody read of the record: a caller the receipt of a call, or a person by a command or in the console.",
    details: z.strictObject({
      call: text('which call; "" where it was not one alone'),
      found: flag("was anything shown? false for another's call and for none alike"),
      what: text("the command, or the page; absent of receipts").exactOptional(),
      query: text("what was asked for, masked").exactOptional(),
      count: count("how much of it was shown: entries, calls or holds").exactOptional(),
      size: count("entries on record then").exactOptional(),
    }),
  },
  "evidence.searched": {
    says: "Somebody searched the record.",
    details: z.strictObject({
      what: text("the command"),
      query: text("what was asked for, masked"),
      count: count("how many entries were shown, or counted"),
      size: count("entries on record then"),
    }),
  },
  "evidence.exported": {
    says: "Something of the record was handed out. Durable before it is.",
    details: z.strictObject({
      what: text("what of it"),
      to: text("to whom, or which key opens it"),
      query: text("which of it, as it was asked for"),
      count: count("how many"),
      why: text("why, in the words of whoever did it"),
      size: count("entries on record then").exactOptional(),
      digest: sha256("of what was handed out; of a bundle, its manifest's").exactOptional(),
    }),
  },
  "evidence.verified": {
    says: "Somebody verified the record.",
    details: z.strictObject({
      what: text("the command"),
      entries: count("entries that were verified"),
      root: sha256("the root over them"),
      ok: flag("did no question fail?"),
      verdicts: z.record(z.string(), z.string()).describe("each question's answer: ok, failed or not-checked"),
      size: count("entries on record then"),
    }),
  },
  "agent.registered": {
    says: "An agent got an account (NIST SP 800-53, AC-2).",
    details: z.strictObject({
      ...agentIdentity,
      owner: text("the person who answers for it"),
      purpose: text("what it is for"),
      expires,
      reviewBy,
    }),
  },
  "agent.disabled": {
    says: "An agent's account was closed.",
    details: z.strictObject({ ...agentIdentity, reason: text("why"), now: flag("was what it ran ended with it?") }),
  },
  "agent.enabled": {
    says: "An agent's account was opened again.",
    details: z.strictObject({ ...agentIdentity, expires, reviewBy }),
  },
  "agent.reviewed": {
    says: "Somebody looked at an agent's account.",
    details: z.strictObject({ ...agentIdentity, note: text("what they said"), expires, reviewBy }),
  },
  "limit.exceeded": {
    says: "Calls were refused because their caller had reached a limit: nothing of them ran.",
    details: z.strictObject({ limit: text("which"), count: count("how many calls"), since: time("since when") }),
  },
  "identity.linked": {
    says: "A person's chat user and their account are one person from now on; the entry's principal is that person.",
    details: z.strictObject({ ...chatUser, until: time("when the link ends by itself") }),
  },
  "identity.unlinked": {
    says: "They are so no longer: nobody answers requests as that chat user.",
    details: z.strictObject({ ...chatUser, why: text("why") }),
  },
  "retention.purged": {
    says: "Keys of sealed bodies were destroyed, and with them what they had sealed; or entries past their term were purged, whose leaf hashes stay. Durable before they are.",
    details: z.strictObject({
      keys: texts("their ids, as the entries' bodies name them"),
      classes: texts("the classes of bodies that were asked for"),
      before: text('keys of days before this one; "" for any'),
      session: text('keys of this session; "" for any'),
      why: text("why, in the words of whoever did it"),
      due: flag("was only what is past its retention asked for?").exactOptional(),
      kept: z
        .array(z.strictObject({ hold, keys: count("how many") }))
        .describe("keys that were asked for and stay, for a hold covers them")
        .exactOptional(),
      entries: z
        .strictObject({
          ranges: z
            .array(z.tuple([count("the first index"), count("the last one")]))
            .describe("the entries in whose place their leaf hashes stand"),
          count: count("how many"),
          digest: text("SHA-256 over their leaf hashes in order, hex").regex(/^[0-9a-f]{64}$/),
          days: count("for how many days entries are kept"),
        })
        .exactOptional(),
    }),
  },
  "hold.placed": {
    says: "A hold is in force: no purge destroys what it covers, whatever its age.",
    details: z.strictObject({
      hold,
      covers: object("which entries, in the words of `transcript search`, times as RFC 3339; empty for everything"),
      reason: text("why, in the words of whoever did it"),
    }),
  },
  "hold.asked": {
    says: "A person asked that a hold be released. It stays in force until another person agrees.",
    details: z.strictObject({
      hold,
      reason: text("why, in their words"),
      ...releasing,
      expires: time("until when"),
      as: texts(
        "what else than the configuration made them an operator: `group:NAME` of their issuer's, or `owner` of the state folder",
      ).exactOptional(),
    }),
  },
  "hold.released": {
    says: "Another person agreed: the hold is over.",
    details: z.strictObject({
      hold,
      reason: text("why, in their words"),
      ...releasing,
      asked: count("the index of the entry in which the first person asked"),
    }),
  },
  "checkpoint.anchored": {
    says: "A checkpoint is kept elsewhere. Receipts alone are no reason for another checkpoint.",
    details: z.strictObject({
      anchor: text("the anchor's name in the configuration"),
      destination: text("of which kind: `file`, `git`, `syslog`"),
      place: text("where it is: a path or an address"),
      size: count("entries under the checkpoint"),
      root: sha256("the root over them"),
      at: time("when it was signed, as its signature says"),
      receipt: object("what the anchor gave for it: bytes of the file, the commit and its branch, when it was sent"),
    }),
  },
  "reconcile.ran": {
    says: "The record was compared with a cluster's own audit log.",
    details: z.strictObject({
      cluster: text("the cluster"),
      from: time("the first event of the log"),
      to: time("the last"),
      log: sha256("the files that were read"),
      events: count("events in it"),
      namespaces: texts("where writes by others were looked for"),
      calls: count("calls that were compared"),
      theft: count("effects by our identities without an entry"),
      bypass: count("writes by others in these namespaces"),
      missing: count("entries with an effect that the log does not show"),
      differ: count("events that are not what their entry says"),
      notJudged: count("requests of days whose entries were purged, of which nothing was said").optional(),
      purgedBefore: text("the day before which those were").optional(),
    }),
  },
  "review.completed": {
    says: "A person reviewed entries of the record, and said what they found (NIST SP 800-53, AU-6).",
    details: z.strictObject({
      scope: object("which entries, in the words of `transcript search`, times as RFC 3339"),
      findings: text("what they found, in their words, masked; `none` where it was nothing"),
      entries: z.int().min(1).describe("how many entries those were"),
      size: count("entries of the tree that was reviewed"),
      root: sha256("the root over them"),
    }),
  },
  "clock.checked": {
    says: "The gateway compared its clock with that of a cluster's API server: at its start, then once an hour.",
    details: z.strictObject({
      source: text("whose clock: the cluster"),
      offset: z.int().describe("milliseconds that ours is ahead of theirs, at the middle of the round trip"),
      uncertainty: count("milliseconds that the offset may be wrong either way"),
      limit: count("milliseconds that it may be"),
      within: flag("is it within the limit, as far as that can be known?"),
    }),
  },
  "audit.degraded": {
    says: "The record could not be kept as it should be.",
    details: z.strictObject({ reason: text("why") }),
  },
  "audit.recovered": {
    says: "It can again; or an unfinished last line was cut off at the start.",
    details: z.strictObject({
      repaired: count("bytes that were cut off"),
      bodies: texts("commitments of sealed bodies that a crash took with it").exactOptional(),
    }),
  },
  "key.rotated": {
    says: "Checkpoints are signed by another key from here on. This entry is under a checkpoint of the old one.",
    details: z.strictObject({ from: text("the old verifier key"), to: text("the new one") }),
  },
} satisfies { readonly [K in EntryKind]: KindOfEntry<{ [field in keyof EntryDetails[K]]-?: z.ZodType }> };

const account = {
  iss: text("the issuer"),
  sub: text("the subject at that issuer"),
};
const leaf = text('leaf hash of the session\'s entry before this one, hex; "" for its first').regex(
  /^([0-9a-f]{64})?$/,
);

/** The fields of every entry beside `kind` and `details`. */
export const commonFields = {
  v: z.literal(1).describe("the version of this form"),
  ts: text("when it was written: RFC 3339, UTC, milliseconds").regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  sid: z.string().nullable().describe("the session; null for what the gateway itself does"),
  sseq: count("counts the session's entries from 0; the gateway's own count as one session"),
  sprev: leaf,
  call: z
    .string()
    .nullable()
    .describe("the call; also the part before the dot of the `Audit-ID` in the cluster's audit log"),
  principal: z
    .strictObject({
      ...account,
      act: z.array(z.strictObject(account)).describe("the software that acts for the subject, nearest first"),
      client_id: text("the client that the token was issued to, where its issuer says").exactOptional(),
    })
    .nullable()
    .describe("the verified caller; null for the gateway itself"),
  client: text("the client program's own name for itself, as claimed"),
  gateway: z
    .strictObject({
      id: text("the gateway's id, which the key's name ends in"),
      version: text("its version"),
      config: text("SHA-256 of its configuration, hex"),
      policy: text("SHA-256 of the policy in force, hex"),
    })
    .describe("what wrote it"),
};

// Named, so that the JSON Schema says each of them once.
const shared = Object.fromEntries(
  Object.entries(commonFields).map(([name, field]) => [name, field.meta({ ...field.meta(), id: name })]),
) as typeof commonFields;

const [first, ...others] = Object.entries(kindsOfEntries).map(([kind, { says, details }]) =>
  z.strictObject({ kind: z.literal(kind), ...shared, details }).describe(says),
);
if (first === undefined) throw new Error("there are no kinds of entries");

/** An entry of any kind: all its fields and no others. */
export const entrySchema = z.discriminatedUnion("kind", [first, ...others]);

/** The same as JSON Schema (draft 2020-12), for other programs. */
export function entryJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(entrySchema);
  return { $schema, title: "An entry of a Sallyport transcript, version 1", ...rest };
}
