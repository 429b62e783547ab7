// OCSF 1.8 (Open Cybersecurity Schema Framework): each entry as one event of the class that its kind belongs to. Long: a mapping.

import { at, isJsonObject, textAt, type Json, type JsonObject } from "../../domain/json.ts";
import type { EntryKind } from "../../domain/entry.ts";
import { severityOf } from "../severity.ts";
import type { Exported, Exporter } from "./contract.ts";

export const ocsf: Exporter = {
  head: () => "",
  record: (one) => `${JSON.stringify(ocsfEvent(one))}\n`,
  tail: () => "",
};

/** The part of a kind before its dot: kinds of one family go to one class. */
type Family = EntryKind extends `${infer F}.${string}` ? F : never;

/** What a class adds to what every event has. */
interface Classed {
  readonly class: number;
  readonly activity: number;
  /** The activity's own name where it is none of the class's (99). */
  readonly named?: string;
  readonly attributes: JsonObject;
  /** With the attributes of the security_control profile. */
  readonly control?: JsonObject;
}

/** 0 unknown, 1 success, 2 failure (base event, `status_id`). */
const [unknown, success, failure] = [0, 1, 2] as const;
/** `action_id` and `disposition_id` of the security_control profile. */
const allowed = { action_id: 1, disposition_id: 1 } as const;
const modified = { action_id: 4, disposition_id: 1 } as const;
const approved = { action_id: 1, disposition_id: 8 } as const;
const delayed = { action_id: 1, disposition_id: 14 } as const;
const blocked = { action_id: 2, disposition_id: 2 } as const;
const rejected = { action_id: 2, disposition_id: 25 } as const;
const revoked = { action_id: 2, disposition_id: 24 } as const;

/** An entry as an OCSF event: pure, whole (all that has no attribute of its own stands in `unmapped`), dated in milliseconds. */
export function ocsfEvent(one: Exported): JsonObject {
  const { index, leaf, entry } = one;
  const { kind, ts, gateway, sid, sseq, sprev, call } = entry;
  const { class: class_, activity, named, attributes, control } = families[familyOf(kind)](one);
  const profiles = control === undefined ? [] : ["security_control"];
  return {
    activity_id: activity,
    ...(named === undefined ? {} : { activity_name: named }),
    category_uid: Math.floor(class_ / 1000),
    class_uid: class_,
    type_uid: class_ * 100 + activity,
    severity_id: severityOf(entry),
    time: Date.parse(ts),
    message: [kind, textAt(entry.details, "tool")].filter((part) => part !== "").join(" "),
    metadata: {
      version: "1.8.0",
      product: { name: "Sallyport", vendor_name: "Sallyport", version: gateway.version, uid: gateway.id },
      uid: `${gateway.id}:${index}`,
      event_code: kind,
      sequence: index,
      log_name: "transcript",
      original_time: ts,
      ...(call === null ? {} : { correlation_uid: call }),
      ...(profiles.length === 0 ? {} : { profiles }),
    },
    actor: actorOf(one),
    ...filled(attributes),
    ...(control === undefined ? {} : filled(control)),
    unmapped: { index, leaf, session: sid, sseq, sprev, config: gateway.config, details: entry.details },
  };
}

/** Without the texts that say nothing: an attribute that is there has a value. */
function filled(attributes: JsonObject): JsonObject {
  const told = Object.entries(attributes).filter(([, value]) => value !== "");
  return Object.fromEntries(told.map(([name, value]) => [name, filledIn(value)]));
}

function filledIn(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(filledIn);
  return isJsonObject(value) ? filled(value) : value;
}

function familyOf(kind: EntryKind): Family {
  return kind.slice(0, kind.indexOf(".")) as Family;
}

const families: { readonly [F in Family]: (one: Exported) => Classed } = {
  gateway: lifecycle,
  session: authentication,
  identity: ({ entry, ...rest }) =>
    entry.kind === "identity.refused"
      ? authentication({ entry, ...rest })
      : managed(
          { entry, ...rest },
          "account link",
          textAt(entry.details, "user"),
          entry.kind === "identity.linked" ? 1 : 4,
        ),
  call: apiCall,
  limit: (one) => apiActivity(one, 0, { status_id: failure, count: countIn(one, "count") }, blocked),
  approval,
  grant,
  policy: (one) => managed(one, "policy", textAt(one.entry.details, "to"), 3),
  config: (one) => managed(one, "configuration", textAt(one.entry.details, "to"), 3),
  tool: (one) => managed(one, "tools", textAt(one.entry.details, "to"), 3),
  key: (one) => managed(one, "signing key", textAt(one.entry.details, "to"), 3),
  agent,
  evidence: (one) => managed(one, "evidence", textAt(one.entry.details, "call") || one.entry.kind, 2),
  stream: (one) => apiActivity(one, 99, { status_id: unknown }, allowed),
  retention: (one) => managed(one, "bodies", textAt(one.entry.details, "class") || "bodies", 4),
  hold: (one) => managed(one, "hold", textAt(one.entry.details, "hold"), one.entry.kind.endsWith("placed") ? 1 : 4),
  checkpoint: (one) => managed(one, "checkpoint", textAt(one.entry.details, "anchor"), 1),
  clock: (one) => managed(one, "clock", textAt(one.entry.details, "source"), 2),
  review: (one) => managed(one, "review", textAt(one.entry.details, "root"), 1),
  alert: (one) => finding(one, textAt(one.entry.details, "alert"), 1),
  audit: (one) => finding(one, "the transcript could not be written", one.entry.kind === "audit.degraded" ? 1 : 3),
  reconcile: (one) => finding(one, "compared with the cluster's audit log", 1),
};

/** Application Lifecycle (6002): start 3, stop 4. */
function lifecycle({ entry: { kind, gateway } }: Exported): Classed {
  const app = { name: "Sallyport", vendor_name: "Sallyport", version: gateway.version, uid: gateway.id };
  return { class: 6002, activity: kind === "gateway.started" ? 3 : 4, attributes: { app, status_id: success } };
}

/** Authentication (3002): logon 1, logoff 2. Strangers have no name: they are counted. */
function authentication(one: Exported): Classed {
  const { entry } = one;
  const service = { name: "Sallyport", uid: entry.gateway.id };
  const refused = entry.kind === "identity.refused";
  const since = timeIn(entry.details, "since");
  return {
    class: 3002,
    activity: entry.kind === "session.closed" ? 2 : 1,
    attributes: {
      user: userOf(one) ?? { name: "unknown", type_id: 0 },
      service,
      status_id: refused ? failure : success,
      is_remote: textAt(entry.details, "door") === "http" || refused,
      ...(entry.sid === null ? {} : { session: { uid: entry.sid } }),
      ...(refused ? { count: countIn(one, "count") } : {}),
      ...(since === null ? {} : { start_time: since }),
    },
    ...(refused ? { control: blocked } : {}),
  };
}

/** API Activity (6003). `create`, `read`, `update` and `delete` are told where the entry itself tells them. */
function apiCall(one: Exported): Classed {
  const { kind, details } = one.entry;
  const word = (key: string): string => textAt(details, key);
  if (kind === "call.decided") return decidedCall(one);
  if (kind === "call.settled") {
    const failed = word("outcome") !== "completed";
    const masked = listIn(details, "masked").length > 0;
    const control = word("outcome") === "refused" ? blocked : masked ? modified : allowed;
    return apiActivity(
      one,
      settledActivity(details),
      { status_id: failed ? failure : success, ...answered(word("code")) },
      control,
    );
  }
  if (kind === "call.unknown")
    return apiActivity(
      one,
      0,
      { status_id: unknown, status_detail: word("reason") },
      { action_id: 0, disposition_id: 0 },
    );
  return apiActivity(
    one,
    kind === "call.previewed" ? 2 : 0,
    { status_id: unknown },
    { action_id: 0, disposition_id: 0 },
  );
}

const answered = (code: string): JsonObject => (code === "" ? {} : { status_code: code });

function decidedCall(one: Exported): Classed {
  const { details } = one.entry;
  const decision = textAt(details, "decision");
  const effect = textAt(details, "effect");
  const creates = listIn(details, "accesses").some(
    (access) => typeof access === "string" && access.startsWith("create "),
  );
  const activity = { read: 2, change: creates ? 1 : 3, destroy: 4, execute: 99 }[effect] ?? 0;
  const rules = listIn(details, "rules").filter((rule) => typeof rule === "string" && rule !== "");
  const outcome = textAt(details, "approval") === "" ? allowed : approved;
  const control = decision === "deny" ? blocked : decision === "allow" ? outcome : delayed;
  return apiActivity(
    one,
    activity,
    { status_id: unknown, ...answered(textAt(details, "code")) },
    {
      ...control,
      policy: { uid: textAt(details, "policy") || one.entry.gateway.policy, name: "Sallyport policy" },
      authorizations: rules.map((rule) => ({ decision, policy: { name: rule } })),
      is_alert: decision === "deny",
    },
  );
}

/** What was left behind says what was done: created, changed, deleted; nothing, where it completed, is a read. */
function settledActivity(details: JsonObject): number {
  if (textAt(details, "effect") === "none") return textAt(details, "outcome") === "completed" ? 2 : 0;
  const [object, ...more] = listIn(details, "objects");
  if (object === undefined || more.length > 0) return 3;
  if (textAt(object, "before") === "") return 1;
  return textAt(object, "after") === "" ? 4 : 3;
}

function apiActivity(one: Exported, activity: number, attributes: JsonObject, control: JsonObject): Classed {
  const { details, call, client, sid } = one.entry;
  const cluster = textAt(details, "cluster");
  const resources = resourcesIn(details);
  return {
    class: 6003,
    activity,
    ...(activity === 99 ? { named: "Execute" } : {}),
    attributes: {
      api: {
        operation: textAt(details, "tool") || one.entry.kind,
        service: { name: cluster === "" ? "kubernetes" : cluster },
        ...(call === null ? {} : { request: { uid: call } }),
      },
      src_endpoint: { name: client === "" ? "sallyport" : client, ...(sid === null ? {} : { uid: sid }) },
      ...(cluster === "" ? {} : { dst_endpoint: { name: cluster } }),
      ...(resources.length === 0 ? {} : { resources }),
      ...attributes,
    },
    control,
  };
}

function resourcesIn(details: JsonObject): readonly JsonObject[] {
  return listIn(details, "objects").flatMap((object): JsonObject[] => {
    const [name, type, namespace, uid] = ["name", "kind", "namespace", "uid"].map((key) => textAt(object, key));
    if (!name) return [];
    return [{ name, ...(type ? { type } : {}), ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) }];
  });
}

/** A request for approval is an entity (3004) that is made, answered and ended. */
function approval(one: Exported): Classed {
  const { kind, details } = one.entry;
  const asked = kind === "approval.requested";
  const no = ["rejected", "revoked"].includes(textAt(details, "state"));
  const yes = kind === "approval.spent" || textAt(details, "state") === "approved";
  const waits = asked || kind === "approval.notified" || textAt(details, "state") === "pending";
  const control = waits ? delayed : yes ? approved : no ? rejected : blocked;
  const approver = details["approver"];
  const by = textAt(approver, "subject") || textAt(approver, "sub");
  const domain = textAt(approver, "issuer") || textAt(approver, "iss");
  const comment = textAt(details, "reason") || textAt(details, "changed");
  const { attributes, ...managed_ } = managed(one, "approval request", textAt(details, "approval"), asked ? 1 : 3);
  // Whoever answers acts here, not the caller who asked.
  const actor = by === "" ? {} : { actor: { user: { name: by, uid: `${domain}#${by}`, domain, type_id: 1 } } };
  return { ...managed_, attributes: { ...attributes, ...actor, ...(comment === "" ? {} : { comment }) }, control };
}

/** Authorize Session (3003) for a grant; User Access Management (3005) for its end. */
function grant(one: Exported): Classed {
  const { kind, details } = one.entry;
  const id = textAt(details, "grant");
  const account = textAt(details, "account");
  const issued = kind === "grant.issued";
  const jti = textAt(details, "jti");
  const cluster = textAt(details, "cluster");
  const expires = timeIn(details, "expires");
  const user = {
    name: account === "" ? `grant ${id}` : account,
    uid: id,
    type_id: 4,
    ...(jti === "" ? {} : { credential_uid: jti }),
  };
  const accesses = listIn(details, issued ? "accesses" : "objects").filter((access) => typeof access === "string");
  const privileges = accesses.length === 0 ? [`grant ${id}`] : accesses;
  if (!issued) {
    const complete = kind === "grant.swept" || details["complete"] === true;
    return {
      class: 3005,
      activity: 2,
      attributes: { user, privileges, status_id: complete ? success : failure },
      control: revoked,
    };
  }
  const session = {
    uid: id,
    issuer: textAt(details, "issuer"),
    ...(expires === null ? {} : { expiration_time: expires }),
  };
  const where = cluster === "" ? {} : { dst_endpoint: { name: cluster } };
  return {
    class: 3003,
    activity: 1,
    attributes: { user, privileges, session, status_id: success, ...where },
    control: allowed,
  };
}

/** Entity Management (3004) of an agent's account. */
function agent(one: Exported): Classed {
  const activities: { readonly [kind: string]: number } = {
    "agent.registered": 1,
    "agent.disabled": 9,
    "agent.enabled": 8,
  };
  const { kind, details } = one.entry;
  const { attributes, ...rest } = managed(one, "agent account", textAt(details, "agent"), activities[kind] ?? 3);
  const comment = textAt(details, "reason") || textAt(details, "note") || textAt(details, "purpose");
  return { ...rest, attributes: { ...attributes, ...(comment === "" ? {} : { comment }) } };
}

/** Entity Management (3004): create 1, read 2, update 3, delete 4, enable 8, disable 9. */
function managed(one: Exported, type: string, uid: string, activity: number): Classed {
  const entity = { type, uid: uid === "" ? one.entry.kind : uid, name: type };
  return { class: 3004, activity, attributes: { entity, status_id: success } };
}

/** Detection Finding (2004): create 1, close 3. */
function finding(one: Exported, title: string, activity: number): Classed {
  const { kind, gateway, ts, details } = one.entry;
  const uid = `${gateway.id}:${one.index}`;
  const grave = severityOf(one.entry) >= 4;
  return {
    class: 2004,
    activity,
    attributes: {
      finding_info: {
        uid,
        title: title === "" ? kind : title,
        created_time: Date.parse(ts),
        types: [kind],
        analytic: { name: kind, type_id: 1 },
      },
      status_id: activity === 3 ? 4 : 1,
      is_alert: grave,
      ...(textAt(details, "reason") === "" ? {} : { status_detail: textAt(details, "reason") }),
    },
  };
}

function userOf({ entry: { principal } }: Exported): JsonObject | null {
  if (principal === null) return null;
  return { name: principal.sub, uid: `${principal.iss}#${principal.sub}`, domain: principal.iss, type_id: 0 };
}

/** The caller, through the software that acted for it; the gateway itself where nobody called. */
function actorOf(one: Exported): JsonObject {
  const { principal, client, sid, gateway } = one.entry;
  const user = userOf(one);
  if (user === null) return { app_name: "Sallyport", app_uid: gateway.id };
  const software = principal?.act[0]?.sub ?? client;
  return {
    user,
    ...(software === "" ? {} : { app_name: software }),
    ...(sid === null ? {} : { session: { uid: sid } }),
  };
}

function listIn(details: JsonObject, key: string): readonly Json[] {
  const list = details[key];
  return Array.isArray(list)
    ? (list as readonly Json[]).filter((one) => typeof one === "string" || isJsonObject(one))
    : [];
}

function countIn({ entry }: Exported, key: string): number {
  const count = at(entry.details, key);
  return typeof count === "number" && Number.isSafeInteger(count) && count > 0 ? count : 1;
}

/** A time as entries write it, in milliseconds since 1970; null where there is none. */
function timeIn(details: JsonObject, key: string): number | null {
  const text = textAt(details, key);
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return at > 0 ? at : null;
}
