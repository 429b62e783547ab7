// Why a workload, a Job, an autoscaler, a claim or a node is not as wanted, from its own status and events; long, since each kind has its own short reading.

import { at, textAt, type JsonObject } from "../domain/json.ts";
import { quoted, type Sentence } from "../domain/output.ts";
import { named } from "./answer.ts";
import type { EventRow } from "./events.ts";
import type { Finding } from "./findings.ts";
import { eventSentence } from "./pod-findings.ts";
import { conditionOf, countAt, listAt } from "./selector.ts";
import { leavingSays } from "./standing.ts";

interface About {
  readonly kind: string;
  readonly object: JsonObject;
  /** Warnings about it and about what it makes. */
  readonly warnings: readonly EventRow[];
  readonly now: number;
}

function finding(
  about: About,
  weight: number,
  problem: Sentence,
  evidence: readonly Sentence[],
  next: string,
): Finding {
  const name = textAt(about.object, "metadata", "name");
  return { weight, problem, evidence, next, kind: about.kind, name, owner: name };
}

/** Findings about an object of any kind, from what its kind writes into its status. */
export function objectFindings(about: About): Finding[] {
  return [...leaving(about), ...ofItsKind(about)];
}

/** What is on its way out is not repaired any more. */
function leaving(about: About): Finding[] {
  const says = leavingSays(about.object);
  if (says === null) return [];
  const next = "wait with conditions_wait for deleted; a finalizer is its own controller's to finish.";
  return [finding(about, 92, says, [], next)];
}

function ofItsKind(about: About): Finding[] {
  switch (about.kind) {
    case "Deployment":
    case "StatefulSet":
    case "DaemonSet":
    case "ReplicaSet":
      return [...creation(about), ...rollout(about)];
    case "Job":
      return [...creation(about), ...job(about)];
    case "CronJob":
      return cronJob(about);
    case "HorizontalPodAutoscaler":
      return autoscaler(about);
    case "Node":
      return node(about);
    default:
      return conditions(about);
  }
}

/** Pods that could not even be created: quota, admission, a missing account. The events are of the workload or of its ReplicaSet. */
function creation(about: About): Finding[] {
  const failure = conditionOf(about.object, "ReplicaFailure");
  const failed = about.warnings.filter((event) => event.reason === "FailedCreate");
  const said = failed[0]?.message ?? (textAt(failure, "status") === "True" ? textAt(failure, "message") : "");
  if (said === "") return [];
  const evidence: Sentence[] = [
    failed[0] === undefined ? ["its condition says ", quoted(said)] : eventSentence(failed[0], about.now),
  ];
  const quota = /exceeded quota: ([a-z0-9.-]+), requested: (\S+), used: (\S+), limited: (\S+)/.exec(said);
  if (quota !== null) {
    const [, name = "", asked = "", used = "", limit = ""] = quota;
    const numbers: Sentence = [
      "asked ",
      named(tidy(asked)),
      ", used ",
      named(tidy(used)),
      ", limit ",
      named(tidy(limit)),
    ];
    return [
      finding(
        about,
        95,
        ["quota ", named(name), " forbids new pods: ", ...numbers],
        evidence,
        "lower requests or replicas, or ask for a larger quota; do not work round it.",
      ),
    ];
  }
  const stated = /failed quota: ([a-z0-9.-]+): must specify (\S+)/.exec(said);
  if (stated !== null)
    return [
      finding(
        about,
        95,
        ["quota ", named(stated[1] ?? ""), " wants each container to state ", named(tidy(stated[2] ?? ""))],
        evidence,
        "set them with workloads_update.",
      ),
    ];
  if (/violates PodSecurity/.test(said))
    return [
      finding(
        about,
        95,
        ["the namespace's pod security refuses its pods"],
        evidence,
        "change the fields that are named; do not weaken the namespace.",
      ),
    ];
  const account = /serviceaccount "?([a-z0-9.-]+)"? not found/.exec(said);
  if (account !== null)
    return [
      finding(
        about,
        95,
        ["its ServiceAccount ", named(account[1] ?? ""), " does not exist"],
        evidence,
        "name one that exists, or ask for it to be created.",
      ),
    ];
  if (/admission webhook|denied the request/.test(said))
    return [
      finding(
        about,
        95,
        ["an admission rule refuses its pods"],
        evidence,
        "satisfy the rule; do not look for a way round it.",
      ),
    ];
  return [
    finding(about, 90, ["its pods can't be created"], evidence, "read the cluster's words and correct the template."),
  ];
}

const tidy = (text: string): string => text.replace(/[,;.]+$/, "");

function rollout(about: About): Finding[] {
  const { object, kind } = about;
  const found: Finding[] = [];
  const progressing = conditionOf(object, "Progressing");
  if (textAt(progressing, "reason") === "ProgressDeadlineExceeded")
    found.push(
      finding(
        about,
        48,
        ["its rollout passed its deadline"],
        [["its condition says ", quoted(textAt(progressing, "message"))]],
        "rollouts_get shows the revisions; rollouts_undo goes back to one that worked.",
      ),
    );
  if (at(object, "spec", "paused") === true)
    found.push(
      finding(
        about,
        46,
        ["its rollout is paused: changes do not reach the pods"],
        [],
        "objects_patch spec.paused false, if it may go on.",
      ),
    );
  if (kind !== "DaemonSet" && at(object, "spec", "replicas") === 0)
    found.push(finding(about, 65, ["it is scaled to 0"], [], "workloads_scale, if it should run."));
  if (kind === "DaemonSet" && countAt(object, "status", "desiredNumberScheduled") === 0)
    found.push(
      finding(about, 60, ["no node is to run it"], [], "compare its nodeSelector and tolerations with the nodes."),
    );
  if (countAt(object, "status", "observedGeneration") < countAt(object, "metadata", "generation"))
    found.push(finding(about, 30, ["its controller has not seen the newest change yet"], [], ""));
  return found;
}

function job(about: About): Finding[] {
  const failed = conditionOf(about.object, "Failed");
  const suspended = at(about.object, "spec", "suspend") === true;
  return [
    ...(textAt(failed, "status") === "True"
      ? [
          finding(
            about,
            58,
            ["it failed: ", named(textAt(failed, "reason"))],
            [["its condition says ", quoted(textAt(failed, "message"))]],
            "read its pods' logs with logs_read kind Job; a Job can't be changed, make a new one.",
          ),
        ]
      : []),
    ...(suspended
      ? [finding(about, 55, ["it is suspended"], [], "objects_patch spec.suspend false, if it should run.")]
      : []),
  ];
}

function cronJob(about: About): Finding[] {
  const { object } = about;
  const last = textAt(object, "status", "lastScheduleTime");
  const missed = about.warnings.find((event) =>
    /Missed|TooMany|InvalidSchedule|UnparseableSchedule/i.test(event.reason),
  );
  return [
    ...(at(object, "spec", "suspend") === true
      ? [finding(about, 55, ["it is suspended"], [], "objects_patch spec.suspend false, if it should run.")]
      : []),
    ...(missed === undefined
      ? []
      : [finding(about, 60, ["it misses its times"], [eventSentence(missed, about.now)], "")]),
    ...(last === ""
      ? [
          finding(
            about,
            20,
            ["it has never run"],
            [["schedule ", quoted(textAt(object, "spec", "schedule"))]],
            "jobs_run starts one now.",
          ),
        ]
      : []),
  ];
}

function autoscaler(about: About): Finding[] {
  const { object } = about;
  const target = [
    textAt(object, "spec", "scaleTargetRef", "kind"),
    textAt(object, "spec", "scaleTargetRef", "name"),
  ].join(" ");
  const said = (type: string): Sentence[] => {
    const message = textAt(conditionOf(object, type), "message");
    return message === "" ? [] : [["its condition says ", quoted(message)]];
  };
  const is = (type: string, status: string): boolean => textAt(conditionOf(object, type), "status") === status;
  const bounds = `${countAt(object, "spec", "minReplicas") || 1}-${countAt(object, "spec", "maxReplicas")}`;
  return [
    ...(is("AbleToScale", "False")
      ? [
          finding(
            about,
            62,
            ["it can't scale ", quoted(target)],
            said("AbleToScale"),
            "check that its target exists: objects_get.",
          ),
        ]
      : []),
    ...(is("ScalingActive", "False")
      ? [
          finding(
            about,
            60,
            ["it does not scale: ", named(textAt(conditionOf(object, "ScalingActive"), "reason") || "no reason")],
            said("ScalingActive"),
            "check that metrics are served (metrics_top) and that the containers state requests.",
          ),
        ]
      : []),
    ...(is("ScalingLimited", "True") && textAt(conditionOf(object, "ScalingLimited"), "reason") === "TooManyReplicas"
      ? [
          finding(
            about,
            42,
            [`it wants more than its most (bounds ${bounds})`],
            said("ScalingLimited"),
            "raise maxReplicas with objects_patch, if there is room.",
          ),
        ]
      : []),
  ];
}

function node(about: About): Finding[] {
  const { object } = about;
  const ready = conditionOf(object, "Ready");
  const pressed = listAt(object, "status", "conditions").filter(
    (one) => textAt(one, "type") !== "Ready" && textAt(one, "status") === "True",
  );
  return [
    ...(textAt(ready, "status") === "True"
      ? []
      : [
          finding(
            about,
            100,
            ["it is not ready: ", named(textAt(ready, "reason") || "no condition")],
            ready === undefined ? [] : [["its condition says ", quoted(textAt(ready, "message"))]],
            "tell the user: the node or its kubelet needs a person.",
          ),
        ]),
    ...pressed.map((one) =>
      finding(
        about,
        80,
        ["it has ", named(textAt(one, "type"))],
        [["its condition says ", quoted(textAt(one, "message"))]],
        "metrics_top shows what uses it.",
      ),
    ),
    ...(at(object, "spec", "unschedulable") === true
      ? [
          finding(
            about,
            50,
            ["it is cordoned: no new pods"],
            [],
            "nodes_cordon with uncordon true, if it may be used again.",
          ),
        ]
      : []),
  ];
}

/** Any other kind: what its conditions call bad. */
function conditions(about: About): Finding[] {
  return listAt(about.object, "status", "conditions").flatMap((one) => {
    const type = textAt(one, "type");
    const bad =
      textAt(one, "status") ===
      (/(Pressure|Failure|Failed|Degraded|Stalled|Unavailable)$/.test(type) ? "True" : "False");
    if (!bad) return [];
    return [
      finding(
        about,
        60,
        [
          "condition ",
          named(type),
          " is ",
          named(textAt(one, "status")),
          ": ",
          named(textAt(one, "reason") || "no reason"),
        ],
        textAt(one, "message") === "" ? [] : [["it says ", quoted(textAt(one, "message"))]],
        "",
      ),
    ];
  });
}

/** A claim that is not bound. `classes`: the storage classes, or null where they can't be read. */
export function claimFindings(about: About, classes: readonly JsonObject[] | null): Finding[] {
  const { object } = about;
  const phase = textAt(object, "status", "phase");
  if (phase === "Bound") return [];
  const asked = at(object, "spec", "storageClassName");
  const names = classes?.map((one) => textAt(one, "metadata", "name")) ?? null;
  const known: Sentence[] =
    names === null ? [] : [["storage classes: ", ...(names.length === 0 ? ["none"] : texts(names.slice(0, 8)))]];
  const events = about.warnings.slice(0, 2).map((event) => eventSentence(event, about.now));
  if (typeof asked === "string" && asked !== "" && names !== null && !names.includes(asked))
    return [
      finding(
        about,
        90,
        ["it is not bound: storage class ", named(asked), " does not exist"],
        [...known, ...events],
        "a claim's class can't be changed: delete it and apply it anew with a class that exists, if it holds nothing.",
      ),
    ];
  const missing = /storageclass\S* "([^"]+)" not found/i.exec(about.warnings[0]?.message ?? "");
  if (missing !== null)
    return [
      finding(
        about,
        90,
        ["it is not bound: storage class ", named(missing[1] ?? ""), " does not exist"],
        [...known, ...events],
        "a claim's class can't be changed: delete it and apply it anew with a class that exists, if it holds nothing.",
      ),
    ];
  const late = classes?.find((one) => textAt(one, "metadata", "name") === asked);
  if (textAt(late, "volumeBindingMode") === "WaitForFirstConsumer" && events.length === 0)
    return [
      finding(about, 25, ["it waits for the first pod that uses it"], known, "no fault of the claim: look at the pod."),
    ];
  return [
    finding(
      about,
      80,
      [
        `it is not bound (`,
        named(phase || "no phase"),
        ")",
        asked === undefined || asked === "" ? ": it names no storage class" : "",
      ],
      [...known, ...events],
      "read the event's words; a claim without a class needs a default class or a volume made for it.",
    ),
  ];
}

/** Quotas that are used up, or nearly so. */
export function quotaFindings(quotas: readonly JsonObject[], now: number): Finding[] {
  return quotas.flatMap((object) => {
    const hard = at(object, "status", "hard");
    const full = Object.keys((hard ?? {}) as JsonObject).filter((key) => {
      const [most, used] = [textAt(hard, key), textAt(object, "status", "used", key)];
      return most !== "" && most === used && most !== "0";
    });
    if (full.length === 0) return [];
    const rows = full
      .slice(0, 4)
      .map((key): Sentence => [named(key), ": ", named(textAt(hard, key)), " of ", named(textAt(hard, key)), " used"]);
    return [
      finding(
        { kind: "ResourceQuota", object, warnings: [], now },
        40,
        ["it is used up"],
        rows,
        "nothing more of it can be created here.",
      ),
    ];
  });
}

function texts(names: readonly string[]): Sentence {
  return names.flatMap((name, index): Sentence => [index === 0 ? "" : ", ", named(name)]);
}
