// Holds each request of the audit log against the record: what our identities did must be in it, and what others did where we govern is told.

import type { AuditEvent } from "./events.ts";
import { asking, callOf, describeEvent, hasEffect, succeeded } from "./events.ts";
import { isAmong, type Recorded, type RecordedCall, type RecordedGrant } from "./recorded.ts";

/** Who acts for a gateway in a cluster, as enrolment names them. */
export interface OwnIdentities {
  /** Kubernetes users of the static accounts. */
  readonly gateway: string;
  readonly reader: string;
  readonly preview: string;
  /** Before a grant's id: the user of the account that is made for one call. */
  readonly run: string;
  readonly systemNamespace: string;
  readonly sessionsNamespace: string;
  /** The ConfigMap that the preview account tries to write, to prove that it can't. */
  readonly probe: string;
  /** Before a grant's id: the names of its objects. */
  readonly objects: readonly string[];
}

export interface Finding {
  readonly says: string;
  /** RFC 3339. */
  readonly at: string;
  readonly identity: string;
  readonly auditId: string;
}

/** One identity's writes, counted, with the first of them. */
export interface Others {
  readonly identity: string;
  count: number;
  readonly first: string[];
}

export interface Judged {
  readonly theft: Finding[];
  readonly differ: Finding[];
  readonly bypass: Map<string, Others>;
  readonly system: Map<string, Others>;
  readonly enrolment: Map<string, Others>;
  /** Per call: the effects that its own credentials had. */
  readonly effects: Map<string, AuditEvent[]>;
  /** Calls whose credential the log shows being taken back, which comes after all that they did. */
  readonly cleared: Set<string>;
}

export interface JudgeOptions {
  readonly recorded: Recorded;
  readonly own: OwnIdentities;
  /** Where writes by others are looked for, besides our own namespaces. */
  readonly namespaces: ReadonlySet<string>;
  /** Is this the control plane's own? */
  readonly isSystem: (user: string) => boolean;
}

/** How far the clocks of gateway and API server may differ, in milliseconds. */
const slack = 30_000;
const most = 5;

export interface Judge {
  take(event: AuditEvent): void;
  /** When the whole log was read. */
  done(): Judged;
}

export function openJudge({ recorded, own, namespaces, isSystem }: JudgeOptions): Judge {
  const judged: Judged = {
    theft: [],
    differ: [],
    bypass: new Map(),
    system: new Map(),
    enrolment: new Map(),
    effects: new Map(),
    cleared: new Set(),
  };
  const watched = new Set([...namespaces, own.systemNamespace, own.sessionsNamespace]);
  const requests = new Set<string>();
  const auditIds = new Set<string>();
  /** By call: the addresses that the gateway's own account came from. */
  const addresses = new Map<string, Set<string>>();
  /** Grants whose objects the log shows being made for a call on record: what a killed gateway left of them is swept. */
  const made = new Set<string>();
  const unknown: { readonly event: AuditEvent; readonly grant: string }[] = [];
  /** Each request by an account of a grant, to compare its address when all are known. */
  const byGrants: AuditEvent[] = [];

  const isOwn = (user: string): boolean =>
    user === own.gateway || user === own.reader || user === own.preview || user.startsWith(own.run);
  const finding = (event: AuditEvent, says: string): Finding => ({
    says: `${describeEvent(event)}: ${says}`,
    at: new Date(event.at).toISOString(),
    identity: event.as === "" ? event.user : `${event.user} as ${event.as}`,
    auditId: event.auditId,
  });
  const theft = (event: AuditEvent, says: string): void => void judged.theft.push(finding(event, says));
  const differ = (event: AuditEvent, says: string): void => void judged.differ.push(finding(event, says));

  function takeOther(event: AuditEvent): void {
    if (isOwn(event.as)) return theft(event, "somebody else acted as an account of ours");
    if (!hasEffect(event) || !watched.has(event.namespace)) return;
    const call = recorded.calls.get(callOf(event));
    // `credentials: ambient`: the call ran with the kubeconfig's own credential, which is anybody's.
    if (call?.ambient === true && isExplained(event, call, null)) return effectOf(event, call.call);
    const identity = event.as === "" ? event.user : `${event.user} as ${event.as}`;
    const list = isSystem(event.user) ? judged.system : isEnrolment(event, own) ? judged.enrolment : judged.bypass;
    const others = list.get(identity) ?? { identity, count: 0, first: [] };
    list.set(identity, others);
    others.count++;
    if (others.first.length < most) others.first.push(`${new Date(event.at).toISOString()} ${describeEvent(event)}`);
  }

  function effectOf(event: AuditEvent, call: string): void {
    const known = judged.effects.get(call);
    if (known === undefined) judged.effects.set(call, [event]);
    else known.push(event);
  }

  /** Within its accesses, its time, and no more than rehearsed where only that was asked? Says what is not. */
  function isExplained(event: AuditEvent, call: RecordedCall, grant: RecordedGrant | null): boolean {
    const { group, resource, subresource } = event;
    const path = [group, resource, subresource].filter((part) => part !== "").join("/");
    const accesses = grant?.accesses ?? call.accesses;
    if (accesses !== null && resource !== "" && !asking(event) && !isAmong(accesses, { ...event, path })) {
      if (grant !== null) differ(event, `is not among what ${call.call} was granted`);
      return false;
    }
    const [from, to] = [Math.min(call.from, grant?.from ?? Infinity), Math.min(call.to, grant?.to ?? Infinity)];
    if (event.at < from - slack || event.at > to + slack) {
      if (grant !== null)
        differ(event, `lies outside the time of ${call.call}, which ended at ${new Date(to).toISOString()}`);
      return false;
    }
    if (hasEffect(event) && call.preview) {
      if (grant !== null) differ(event, `${call.call} was only a preview`);
      return false;
    }
    return true;
  }

  function takeGranted(event: AuditEvent): void {
    if (!succeeded(event)) return;
    const id = event.user.slice(own.run.length);
    const grant = recorded.grants.get(id)?.find((one) => one.jti === event.jti) ?? recorded.grants.get(id)?.[0];
    if (grant === undefined) {
      // A grant asks whether its rights hold yet before its entry is written; a crash there leaves the question alone.
      const asks = asking(event) && recorded.calls.has(callOf(event));
      return asks ? undefined : theft(event, "with a grant that no entry knows");
    }
    const call = recorded.calls.get(callOf(event));
    if (call === undefined || grant.call !== call.call)
      return theft(event, `with the credential of ${grant.call}, and no entry explains it`);
    if (event.jti !== "" && grant.jti !== event.jti) return theft(event, `with a token of ${id} that no entry knows`);
    if (auditIds.has(event.auditId)) differ(event, "its audit id was used before: each request of ours has its own");
    auditIds.add(event.auditId);
    if (!event.program.startsWith("sallyport/")) differ(event, "came from another program");
    byGrants.push(event);
    if (isExplained(event, call, grant) && hasEffect(event)) effectOf(event, call.call);
  }

  function takeReader(event: AuditEvent): void {
    if (!succeeded(event)) return;
    if (hasEffect(event)) return theft(event, "the reader's account only reads");
    const grant = recorded.tokens.get(event.jti);
    if (grant === undefined) return theft(event, "with a token of the reader's that no entry knows");
    const call = recorded.calls.get(callOf(event));
    if (call === undefined) return theft(event, "no entry explains this read");
    if (call.session !== grant.session) return differ(event, "with the token of another session");
    isExplained(event, call, { ...grant, accesses: call.accesses, from: call.from, to: call.to });
  }

  function takeGateway(event: AuditEvent): void {
    const call = callOf(event);
    if (call !== "") addresses.set(call, (addresses.get(call) ?? new Set()).add(event.address));
    if (!hasEffect(event)) return;
    if (event.verb === "delete") judged.cleared.add(call);
    const isToken = event.resource === "serviceaccounts" && event.subresource === "token";
    // Its own static accounts' tokens: what they are used for is looked at where they are used.
    if (isToken && event.namespace === own.systemNamespace) return;
    const prefix = own.objects.find((one) => event.name.startsWith(one));
    if (prefix === undefined) return theft(event, "the gateway's account makes grants and nothing else");
    const grant = event.name.slice(prefix.length);
    // A reader's anchor is made, and leftovers are swept, as the gateway's own work; a call's grant never is.
    const ownWork = recorded.work.has(call) && (event.verb === "delete" || event.namespace === own.systemNamespace);
    if (recorded.calls.has(call)) made.add(grant);
    else if (ownWork) return;
    else if (!recorded.grants.has(grant) && !recorded.found.has(grant)) unknown.push({ event, grant });
  }

  return {
    take(event) {
      const ours = isOwn(event.user) && event.as === "";
      if (!ours && !isOwn(event.as) && !watched.has(event.namespace)) return;
      // The start and the end of one request, or copies of a rotated file.
      const request = `${event.user} ${event.as} ${event.request}`;
      if (requests.has(request)) return;
      requests.add(request);
      if (!ours) takeOther(event);
      else if (event.user.startsWith(own.run)) takeGranted(event);
      else if (event.user === own.reader) takeReader(event);
      else if (event.user === own.gateway) takeGateway(event);
      else if (hasEffect(event) && !(event.resource === "configmaps" && event.name === own.probe))
        theft(event, "the preview account only rehearses");
    },
    done() {
      const elsewhere = byGrants.filter((event) => addresses.get(callOf(event))?.has(event.address) === false);
      const told = elsewhere.map((one) => finding(one, `came from ${one.address}, where its gateway did not stand`));
      const strange = unknown.filter(({ event, grant }) => event.verb !== "delete" || !made.has(grant));
      const grants = strange.map(({ event }) => finding(event, "for a grant that no entry knows"));
      return { ...judged, theft: [...judged.theft, ...grants], differ: [...judged.differ, ...told] };
    },
  };
}

/** What `enroll` and a starting gateway do with an administrator's own credential, as the audit id claims: told apart, never left out. */
function isEnrolment({ auditId, resource, subresource, namespace, name }: AuditEvent, own: OwnIdentities): boolean {
  if (auditId.startsWith("enroll_"))
    return name.startsWith("sallyport-") || namespace === own.systemNamespace || namespace === own.sessionsNamespace;
  const token = resource === "serviceaccounts" && subresource === "token" && namespace === own.systemNamespace;
  return token && auditId.startsWith("call_") && own.gateway.endsWith(`:${name}`);
}
