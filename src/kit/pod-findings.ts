// Why a pod does not run, with the cluster's own evidence; long, since each way in which one fails is a short function and they are ranked together.

import { at, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { quoted, type Sentence } from "../domain/output.ts";
import { named } from "./answer.ts";
import type { EventRow } from "./events.ts";
import type { Finding } from "./findings.ts";
import { quantity } from "./quantity.ts";
import { conditionOf, countAt, listAt, pairs, selects, wordAt } from "./selector.ts";
import { ago } from "./since.ts";

/** What surrounds a pod, as far as it could be read. */
export interface Surroundings {
  /** Warnings about this pod, newest first. */
  readonly warnings: readonly EventRow[];
  readonly nodes: readonly JsonObject[] | null;
  readonly now: number;
}

/** The findings about one pod; none where it runs, is ready and was not restarted of late. */
export function podFindings(pod: JsonObject, around: Surroundings): Finding[] {
  if (textAt(pod, "status", "phase") === "Succeeded") return [];
  const found = [
    ...terminating(pod, around),
    ...evicted(pod),
    ...containersOf(pod).flatMap((one) => inContainer(pod, one, around)),
  ];
  if (found.length > 0) return found;
  const scheduled = unscheduled(pod, around);
  return scheduled.length > 0 ? scheduled : [...notStarted(pod, around), ...gated(pod)];
}

/** Ready, or done with success. */
export function isHealthy(pod: JsonObject): boolean {
  if (textAt(pod, "status", "phase") === "Succeeded") return true;
  return (
    textAt(conditionOf(pod, "Ready"), "status") === "True" && at(pod, "metadata", "deletionTimestamp") === undefined
  );
}

/** `ReplicaSet/api-7d5b8` or "" for a pod of its own. */
export function ownerOf(object: JsonObject): string {
  const owner = listAt(object, "metadata", "ownerReferences")[0];
  return owner === undefined ? "" : `${textAt(owner, "kind")}/${textAt(owner, "name")}`;
}

interface Container {
  readonly name: string;
  readonly spec: JsonObject;
  readonly status: JsonObject;
  readonly init: boolean;
}

function containersOf(pod: JsonObject): Container[] {
  const some = (specs: string, statuses: string, init: boolean): Container[] =>
    listAt(pod, "status", statuses).map((status) => {
      const name = textAt(status, "name");
      return { name, status, init, spec: listAt(pod, "spec", specs).find((one) => textAt(one, "name") === name) ?? {} };
    });
  return [...some("initContainers", "initContainerStatuses", true), ...some("containers", "containerStatuses", false)];
}

function finding(
  pod: JsonObject,
  weight: number,
  problem: Sentence,
  evidence: readonly Sentence[],
  next: string,
  log?: Finding["log"],
): Finding {
  const name = textAt(pod, "metadata", "name");
  return {
    weight,
    problem,
    evidence,
    next,
    kind: "Pod",
    name,
    owner: ownerOf(pod),
    ...(log === undefined ? {} : { log }),
  };
}

const calledOf = ({ init, name }: Container): Sentence => [init ? "init container " : "container ", named(name)];

function inContainer(pod: JsonObject, one: Container, around: Surroundings): Finding[] {
  const waiting = at(one.status, "state", "waiting");
  const reason = textAt(waiting, "reason");
  if (
    /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|RegistryUnavailable|ImageInspectError)$/.test(
      reason,
    )
  )
    return [image(pod, one, around, reason, textAt(waiting, "message"))];
  if (/^(CreateContainerConfigError|CreateContainerError|RunContainerError|PostStartHookError)$/.test(reason))
    return [config(pod, one, reason, textAt(waiting, "message"), around)];
  const now = at(one.status, "state", "terminated");
  const last = now ?? at(one.status, "lastState", "terminated");
  if (reason === "CrashLoopBackOff" || (now !== undefined && countAt(now, "exitCode") !== 0))
    return [crash(pod, one, last as JsonObject | undefined, around, reason === "CrashLoopBackOff" ? 100 : 95)];
  if (one.init || now !== undefined) return [];
  const recent = last !== undefined && around.now - Date.parse(textAt(last, "finishedAt")) < 3_600_000;
  if (recent) return [crash(pod, one, last as JsonObject, around, at(one.status, "ready") === true ? 60 : 80)];
  if (at(one.status, "state", "running") !== undefined && at(one.status, "ready") !== true)
    return [unready(pod, one, around)];
  return [];
}

function image(pod: JsonObject, one: Container, around: Surroundings, reason: string, message: string): Finding {
  const said = [message, ...around.warnings.map((event) => event.message)].join("\n");
  const name = textAt(one.spec, "image") || textAt(one.status, "image");
  const secrets = listAt(pod, "spec", "imagePullSecrets").map((secret) => textAt(secret, "name"));
  const missing = around.warnings.find((event) => event.reason === "FailedToRetrieveImagePullSecret");
  const [cause, next] =
    reason === "InvalidImageName"
      ? ["the image name is malformed", "correct it with workloads_update image."]
      : missing !== undefined
        ? [
            "its image pull secret can't be read",
            "ask for the Secret to be created, or name the right one; do not invent its value.",
          ]
        : /not found|manifest unknown|does not exist|NotFound/i.test(said) &&
            !/unauthorized|denied|forbidden/i.test(said)
          ? [
              "the image or its tag does not exist",
              "set an image that exists: rollouts_get shows earlier ones, workloads_update sets it.",
            ]
          : /unauthorized|authentication|denied|forbidden|401|403/i.test(said)
            ? [
                "the registry refuses the pull",
                "check the image's name first, then its pull secret; do not invent credentials.",
              ]
            : /no such host|timeout|timed out|refused|unreachable|i\/o/i.test(said)
              ? [
                  "the registry can't be reached",
                  "it is not the workload: tell the user, the cluster's network or registry is at fault.",
                ]
              : /toomanyrequests|429|rate limit/i.test(said)
                ? ["the registry limits pulls", "wait, or use a mirror."]
                : ["the image can't be pulled", "read the cluster's words and correct the image."];
  const refused = missing !== undefined || cause === "the registry refuses the pull";
  const pulls: Sentence[] = !refused
    ? []
    : secrets.length === 0
      ? [["no imagePullSecrets on the pod"]]
      : [["imagePullSecrets: ", ...list(secrets)]];
  return finding(
    pod,
    100,
    [reason, ": ", ...calledOf(one), `, ${cause}: `, named(name)],
    [
      ...(message === "" ? [] : [["the kubelet says ", quoted(message)] as Sentence]),
      ...eventLines(around, /Failed|Pull/i),
      ...pulls,
    ],
    next,
  );
}

function config(pod: JsonObject, one: Container, reason: string, message: string, around: Surroundings): Finding {
  const said = message || around.warnings[0]?.message || "";
  const key = /couldn't find key (\S+) in (ConfigMap|Secret) (?:\S+\/)?(\S+)/i.exec(said);
  const object = /(configmap|secret) "([^"]+)" not found/i.exec(said);
  const [cause, next]: [Sentence, string] =
    key !== null
      ? [
          [`key `, named(key[1] ?? ""), ` is missing in ${key[2]} `, named(key[3] ?? "")],
          key[2] === "Secret"
            ? "tell the user: Secrets are not written here."
            : "add the key with objects_patch, or correct the reference.",
        ]
      : object !== null
        ? [
            [
              `${object[1]?.toLowerCase() === "secret" ? "Secret" : "ConfigMap"} `,
              named(object[2] ?? ""),
              " does not exist",
            ],
            object[1]?.toLowerCase() === "secret"
              ? "tell the user which Secret is missing; never invent its values."
              : "create it, or correct the name that the pod refers to.",
          ]
        : [["it can't be created"], "read the cluster's words and correct the pod's template."];
  return finding(
    pod,
    100,
    [reason, ": ", ...calledOf(one), ", ", ...cause],
    [...(message === "" ? [] : [["the kubelet says ", quoted(message)] as Sentence]), ...eventLines(around, /Failed/)],
    next,
  );
}

function crash(
  pod: JsonObject,
  one: Container,
  last: JsonObject | undefined,
  around: Surroundings,
  weight: number,
): Finding {
  const code = countAt(last, "exitCode");
  const reason = textAt(last, "reason");
  const restarts = countAt(one.status, "restartCount");
  const liveness = around.warnings.find((event) => /liveness probe failed/i.test(event.message));
  const startup = around.warnings.find((event) => /startup probe failed/i.test(event.message));
  const memory = textAt(one.spec, "resources", "limits", "memory");
  const command = listText(one.spec, "command") || listText(one.spec, "args");
  const probe = liveness !== undefined ? "livenessProbe" : startup !== undefined ? "startupProbe" : "";
  const cause: Sentence =
    reason === "OOMKilled"
      ? ["is killed for its memory (OOMKilled, limit ", named(memory || "none"), ")"]
      : probe !== "" && (code === 137 || code === 143 || code === 0)
        ? [`is killed by its ${probe === "livenessProbe" ? "liveness" : "startup"} probe`]
        : [`exits with code ${code}${exitWords(code)}`];
  const next =
    reason === "OOMKilled"
      ? "raise limits.memory with workloads_update, or find what uses it."
      : probe !== ""
        ? "compare the probe's path and port with what the program serves; objects_patch corrects it."
        : code === 0
          ? "the program ends by itself: check its command and arguments."
          : code === 126 || code === 127
            ? "check the container's command and the image."
            : "read logs_read with previous true for what it said last.";
  const when = textAt(last, "finishedAt");
  const ended: Sentence[] =
    last === undefined
      ? []
      : [
          [
            `last run ended${when === "" ? "" : ` ${ago(Date.parse(when), around.now)} ago`} with `,
            named(reason || "no reason"),
            `, code ${code}; ${restarts} restarts`,
            ...(textAt(last, "message") === "" ? [] : [": ", quoted(textAt(last, "message"))]),
          ],
        ];
  const waits = textAt(one.status, "state", "waiting", "reason") === "CrashLoopBackOff";
  return finding(
    pod,
    weight,
    [waits ? "CrashLoopBackOff: " : "", ...calledOf(one), " ", ...cause],
    [
      ...ended,
      ...(probe === "" ? [] : [[`${probe}: `, ...probeText(at(one.spec, probe))] as Sentence]),
      ...(code === 126 || code === 127 || code === 0
        ? ([["command: ", quoted(command || "the image's own")]] as Sentence[])
        : []),
      ...eventLines(around, /Unhealthy|OOM|Killing/),
    ],
    next,
    { container: one.name, previous: at(one.status, "state", "terminated") === undefined },
  );
}

function exitWords(code: number): string {
  const words: { readonly [code: number]: string } = {
    0: " (success)",
    126: " (its command can't be run)",
    127: " (its command is not found)",
    137: " (killed)",
    139: " (segmentation fault)",
    143: " (told to end)",
  };
  return words[code] ?? "";
}

function unready(pod: JsonObject, one: Container, around: Surroundings): Finding {
  const failed = around.warnings.find((event) => /(readiness|startup) probe failed/i.test(event.message));
  const field = /startup probe/i.test(failed?.message ?? "") ? "startupProbe" : "readinessProbe";
  const probe = at(one.spec, field);
  return finding(
    pod,
    failed === undefined ? 55 : 75,
    failed === undefined
      ? [...calledOf(one), " runs but is not ready"]
      : [...calledOf(one), ` is not ready: its ${field === "startupProbe" ? "startup" : "readiness"} probe fails`],
    [
      ...(probe === undefined ? [] : [[`${field}: `, ...probeText(probe)] as Sentence]),
      ...eventLines(around, /Unhealthy/),
    ],
    probe === undefined
      ? "read its log with logs_read."
      : "compare the probe's path and port with what the program serves; objects_patch corrects it, logs_read tells why it fails.",
    { container: one.name, previous: false },
  );
}

function probeText(probe: unknown): Sentence {
  const one = probe as JsonObject | undefined;
  const port = (kind: string): string => wordAt(one, kind, "port");
  const timing = `, delay ${countAt(one, "initialDelaySeconds")}s, timeout ${countAt(one, "timeoutSeconds") || 1}s, ${countAt(one, "failureThreshold") || 3} failures`;
  if (at(one, "httpGet") !== undefined)
    return ["GET ", quoted(textAt(one, "httpGet", "path") || "/"), " on port ", named(port("httpGet")), timing];
  if (at(one, "tcpSocket") !== undefined) return ["TCP port ", named(port("tcpSocket")), timing];
  if (at(one, "grpc") !== undefined) return ["gRPC port ", named(port("grpc")), timing];
  return ["a command", timing];
}

function unscheduled(pod: JsonObject, around: Surroundings): Finding[] {
  if (textAt(pod, "spec", "nodeName") !== "" || textAt(pod, "status", "phase") !== "Pending") return [];
  const scheduled = conditionOf(pod, "PodScheduled");
  const warned = around.warnings.find((event) => event.reason === "FailedScheduling");
  const said = textAt(scheduled, "message") || (warned?.message ?? "");
  if (textAt(scheduled, "status") !== "False" && warned === undefined) {
    const age = around.now - Date.parse(textAt(pod, "metadata", "creationTimestamp"));
    const scheduler = textAt(pod, "spec", "schedulerName") || "default-scheduler";
    return [
      finding(
        pod,
        age > 30_000 ? 45 : 15,
        ["Pending: no scheduler has said anything about it"],
        [["scheduler: ", named(scheduler)], ...nodeLines(pod, around)],
        "if it stays so, tell the user: the scheduler it names does not run.",
      ),
    ];
  }
  const seen = nodesFor(pod, around.nodes);
  const causes = schedulingCauses.filter(([pattern, words]) => pattern.test(said) && !excused(words, seen));
  const next = causes.map(([, , advice]) => advice).filter((one, index, all) => all.indexOf(one) === index);
  const asks = requestsOf(pod);
  return [
    finding(
      pod,
      85,
      ["Pending: no node can take it", causes.length === 0 ? "" : `: ${causes.map(([, words]) => words).join(", ")}`],
      [
        ...(said === "" ? [] : [["the scheduler says ", quoted(withoutPreemption(said))] as Sentence]),
        ...(/Insufficient/.test(said) && asks !== ""
          ? [["the pod requests ", named(asks), ...largest(seen)] as Sentence]
          : []),
        ...nodeLines(pod, around),
      ],
      next.length === 0
        ? "read the scheduler's words; compare the pod's demands with the nodes."
        : `${next.map((one) => one.replace(/\.$/, "")).join("; ")}.`,
    ),
  ];
}

/** What the scheduler adds of evicting others says nothing about the cause. */
const withoutPreemption = (said: string): string =>
  said.replace(/\.? (no new claims to deallocate|preemption:).*$/s, "");

const labelWords = "its node selector or affinity matches no node";
const taintWords = "taints that it does not tolerate";

/** The nodes with the labels that it asks for, and which of these tolerate it; null where nodes can't be read. */
interface Seen {
  readonly labelled: readonly JsonObject[];
  readonly usable: readonly JsonObject[];
}

function nodesFor(pod: JsonObject, nodes: readonly JsonObject[] | null): Seen | null {
  if (nodes === null) return null;
  const wanted = at(pod, "spec", "nodeSelector");
  const labelled =
    pairs(wanted).length === 0 ? nodes : nodes.filter((node) => selects(wanted, at(node, "metadata", "labels")));
  return { labelled, usable: labelled.filter((node) => untolerated(pod, node).length === 0) };
}

/** The scheduler counts each node under one reason: of those reasons these are not what keeps the pod from running. */
function excused(words: string, seen: Seen | null): boolean {
  if (seen === null) return false;
  if (words === taintWords) return seen.labelled.length === 0 || seen.usable.length > 0;
  return words === labelWords && seen.labelled.length > 0 && seen.usable.length === 0;
}

/** `gpu=reserved:NoSchedule` of each taint that keeps it off (core/v1 Toleration). */
function untolerated(pod: JsonObject, node: JsonObject): string[] {
  const tolerations = listAt(pod, "spec", "tolerations");
  return listAt(node, "spec", "taints")
    .filter((taint) => textAt(taint, "effect") !== "PreferNoSchedule")
    .filter(
      (taint) =>
        !tolerations.some(
          (one) =>
            ["", textAt(taint, "effect")].includes(textAt(one, "effect")) &&
            (textAt(one, "operator") === "Exists"
              ? ["", textAt(taint, "key")].includes(textAt(one, "key"))
              : textAt(one, "key") === textAt(taint, "key") && textAt(one, "value") === textAt(taint, "value")),
        ),
    )
    .map((taint) => {
      const value = textAt(taint, "value");
      return `${textAt(taint, "key")}${value === "" ? "" : `=${value}`}:${textAt(taint, "effect")}`;
    });
}

/** The most that one usable node has, so that a request can be set that fits. */
function largest(seen: Seen | null): Sentence {
  const nodes = seen?.usable ?? [];
  if (nodes.length === 0) return [];
  const most = (resource: string): string =>
    nodes
      .map((node) => textAt(node, "status", "allocatable", resource))
      .reduce((a, b) => (quantity(b) > quantity(a) ? b : a));
  return [
    `; a node has at most cpu `,
    named(most("cpu") || "unknown"),
    ", memory ",
    named(most("memory") || "unknown"),
  ];
}

const schedulingCauses: readonly (readonly [RegExp, string, string])[] = [
  [/Insufficient cpu/, "too little CPU", "lower requests with workloads_update, or ask for more nodes."],
  [/Insufficient memory/, "too little memory", "lower requests with workloads_update, or ask for more nodes."],
  [
    /Insufficient (?!cpu|memory)\S+/,
    "too little of a resource",
    "lower requests with workloads_update, or ask for more nodes.",
  ],
  [
    /affinity\/selector|node selector/i,
    labelWords,
    "compare nodeSelector and affinity with the nodes' labels; objects_patch corrects them.",
  ],
  [/taint/i, taintWords, "add exactly that toleration with objects_patch, if it may run there."],
  [
    /persistentvolumeclaim "[^"]*" not found/i,
    "its volume claim does not exist",
    "create the claim, or correct its name.",
  ],
  [
    /unbound immediate PersistentVolumeClaims|volume node affinity|bind(ing)? volumes/i,
    "its volume claim is not bound",
    "problems_diagnose the PersistentVolumeClaim.",
  ],
  [/anti-affinity|pod affinity/i, "pod affinity rules", "loosen the rule, or add nodes."],
  [/topology spread/i, "topology spread constraints", "loosen the constraint, or add nodes."],
  [/free ports/i, "host ports are taken", "drop the hostPort."],
  [/unschedulable/i, "nodes are cordoned", "nodes_cordon with uncordon true, if they may be used again."],
];

/** Which nodes carry what the pod asks for, where nodes can be read; else what they carry instead. */
function nodeLines(pod: JsonObject, { nodes }: Surroundings): Sentence[] {
  const wanted = at(pod, "spec", "nodeSelector");
  const terms = pairs(wanted).map(([key, value]) => `${key}=${value}`);
  const seen = nodesFor(pod, nodes);
  if (nodes === null || seen === null) return terms.length === 0 ? [] : [["nodeSelector: ", ...list(terms)]];
  const taints = seen.usable.length > 0 ? [] : seen.labelled.flatMap((node) => untolerated(pod, node));
  const taintPart: Sentence =
    taints.length === 0 ? [] : ["; taints there: ", ...list([...new Set(taints)].slice(0, 5))];
  if (terms.length === 0) return taints.length === 0 ? [] : [[`${nodes.length} nodes`, ...taintPart]];
  const has: Sentence = [
    "nodeSelector: ",
    ...list(terms),
    `; ${seen.labelled.length} of ${nodes.length} nodes have it`,
    ...taintPart,
  ];
  return [has, ...(seen.labelled.length > 0 ? [] : valuesOnNodes(wanted, nodes))];
}

/** For each label that is asked for in vain: the values that nodes have. */
function valuesOnNodes(wanted: Json | undefined, nodes: readonly JsonObject[]): Sentence[] {
  return pairs(wanted).flatMap(([key, value]): Sentence[] => {
    const counts = new Map<string, number>();
    for (const node of nodes) {
      const own = textAt(node, "metadata", "labels", key);
      if (own !== "") counts.set(own, (counts.get(own) ?? 0) + 1);
    }
    if (counts.has(value)) return [];
    if (counts.size === 0) return [["no node has a label ", named(key)]];
    const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 6);
    return [
      [
        "nodes have ",
        named(key),
        ": ",
        ...most.flatMap(([own, count], index): Sentence => [index === 0 ? "" : ", ", named(own), ` (${count})`]),
      ],
    ];
  });
}

/** `cpu=100,memory=1Gi`: what all containers ask for, as written. */
function requestsOf(pod: JsonObject): string {
  const asked = listAt(pod, "spec", "containers").flatMap((one) =>
    pairs(at(one, "resources", "requests")).map(([key, value]) => `${key}=${value}`),
  );
  return [...new Set(asked)].join(",");
}

/** It has a node and still no container: its volumes, its network, its image. */
function notStarted(pod: JsonObject, around: Surroundings): Finding[] {
  if (textAt(pod, "status", "phase") !== "Pending" || textAt(pod, "spec", "nodeName") === "") return [];
  const mount = around.warnings.find((event) => /FailedMount|FailedAttachVolume|FailedMapVolume/.test(event.reason));
  const network = around.warnings.find((event) => event.reason === "FailedCreatePodSandBox");
  const missing = /(configmap|secret) "([^"]+)" not found/i.exec(mount?.message ?? "");
  const problem: Sentence =
    missing !== null
      ? [
          `its volume can't be mounted: ${missing[1]?.toLowerCase() === "secret" ? "Secret" : "ConfigMap"} `,
          named(missing[2] ?? ""),
          " does not exist",
        ]
      : mount !== undefined
        ? ["its volumes can't be mounted"]
        : network !== undefined
          ? ["its network can't be set up"]
          : ["its containers have not been started yet"];
  const next =
    missing !== null
      ? "create what is missing, or correct the name; never invent a Secret's values."
      : mount !== undefined
        ? "problems_diagnose its PersistentVolumeClaim; read the event's words."
        : network !== undefined
          ? "tell the user: the node's network plugin is at fault."
          : "";
  return [
    finding(pod, mount !== undefined ? 90 : network !== undefined ? 85 : 20, problem, eventLines(around, /./), next),
  ];
}

/** Containers are well, but a readiness gate or a missing condition keeps the pod from being ready. */
function gated(pod: JsonObject): Finding[] {
  const ready = conditionOf(pod, "Ready");
  if (textAt(pod, "status", "phase") !== "Running" || textAt(ready, "status") === "True") return [];
  const message = textAt(ready, "message");
  return [
    finding(pod, 50, ["runs but is not ready"], message === "" ? [] : [["its condition says ", quoted(message)]], ""),
  ];
}

function terminating(pod: JsonObject, { now }: Surroundings): Finding[] {
  const deleted = textAt(pod, "metadata", "deletionTimestamp");
  if (deleted === "" || now - Date.parse(deleted) < 60_000) return [];
  const finalizers = at(pod, "metadata", "finalizers");
  return [
    finding(
      pod,
      70,
      ["is being deleted and does not go"],
      [
        [`should have been gone ${ago(Date.parse(deleted), now)} ago`],
        ...(Array.isArray(finalizers) ? ([["finalizers: ", ...list(finalizers.map(String))]] as Sentence[]) : []),
      ],
      "problems_diagnose its Node; a finalizer waits for its own controller.",
    ),
  ];
}

function evicted(pod: JsonObject): Finding[] {
  const reason = textAt(pod, "status", "reason");
  if (textAt(pod, "status", "phase") !== "Failed" || reason === "") return [];
  const message = textAt(pod, "status", "message");
  return [
    finding(
      pod,
      50,
      ["failed: ", named(reason)],
      message === "" ? [] : [["its status says ", quoted(message)]],
      reason === "Evicted" ? "set requests that match its use; problems_diagnose the Node." : "",
    ),
  ];
}

/** The two newest kinds of warning that say something of it. */
function eventLines({ warnings, now }: Surroundings, about: RegExp): Sentence[] {
  return warnings
    .filter((event) => about.test(event.reason))
    .slice(0, 2)
    .map((event) => eventSentence(event, now));
}

/** `event 12× BackOff 2m ago "Back-off …"` */
export function eventSentence(event: EventRow, now: number): Sentence {
  return [`event ${event.count}× `, named(event.reason), ` ${ago(event.last, now)} ago `, quoted(event.message)];
}

function list(texts: readonly string[]): Sentence {
  return texts.flatMap((text, index): Sentence => [index === 0 ? "" : ", ", named(text)]);
}

function listText(spec: JsonObject, field: string): string {
  const words = at(spec, field);
  return Array.isArray(words) ? words.map(String).join(" ") : "";
}
