// What Kubernetes fills in where nobody says otherwise: where it is added with the rest, it says nothing about the change (tools.md, section 5, "defaults cancel").

import { textAt, type Json, type JsonObject } from "../domain/json.ts";
import type { DiffLine } from "../domain/output.ts";

/** By where it stands and in which kinds: the same word elsewhere (a ConfigMap's key, a custom resource's field) is nobody's default. */
type Fields = Readonly<Record<string, Json>>;
const probe: Fields = { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 };

/** Of a pod's spec (Kubernetes API reference v1.36, PodSpec and Container); lists' members are `[]`. */
const ofPods: Fields = {
  dnsPolicy: "ClusterFirst",
  restartPolicy: "Always",
  schedulerName: "default-scheduler",
  securityContext: {},
  terminationGracePeriodSeconds: 30,
  ...fromEach(["configMap", "secret", "projected", "downwardAPI"], "volumes[].", { defaultMode: 420 }),
  ...fromEach(["containers[]", "initContainers[]"], "", {
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    "ports[].protocol": "TCP",
    "env[].valueFrom.fieldRef.apiVersion": "v1",
    ...fromEach(["livenessProbe", "readinessProbe", "startupProbe"], "", { ...probe, "httpGet.scheme": "HTTP" }),
  }),
};

/** Where each kind keeps its pod's spec, and what else of it has a default. */
const ofKinds: Readonly<Record<string, readonly [podSpec: string, own: Fields]>> = {
  "v1 Pod": ["spec", {}],
  "apps/v1 Deployment": [
    "spec.template.spec",
    {
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      "strategy.type": "RollingUpdate",
      "strategy.rollingUpdate.maxSurge": "25%",
      "strategy.rollingUpdate.maxUnavailable": "25%",
    },
  ],
  "apps/v1 StatefulSet": ["spec.template.spec", { revisionHistoryLimit: 10 }],
  "apps/v1 DaemonSet": ["spec.template.spec", { revisionHistoryLimit: 10 }],
  "batch/v1 Job": ["spec.template.spec", { "template.metadata": {} }],
  "batch/v1 CronJob": ["spec.jobTemplate.spec.template.spec", { "jobTemplate.spec.template.metadata": {} }],
};

/** The lines without those that add a default. `after` is the object, for its kind. */
export function withoutDefaults(lines: readonly DiffLine[], after: JsonObject): DiffLine[] {
  const [podSpec, own] = ofKinds[`${textAt(after, "apiVersion")} ${textAt(after, "kind")}`] ?? [];
  if (podSpec === undefined || own === undefined) return [...lines];
  const values = new Map(lines.map((line) => [line.path, line.after]));
  const isDefault = ({ sign, path, after: value }: DiffLine): boolean => {
    if (sign !== "+") return false;
    const plain = path.replaceAll(/\[[^\]]*\]/g, "[]");
    const within = (prefix: string, fields: Fields): boolean => {
      const field = plain.startsWith(`${prefix}.`) ? plain.slice(prefix.length + 1) : "";
      return Object.hasOwn(fields, field) && JSON.stringify(fields[field]) === value;
    };
    const image = values.get(path.replace(/\.imagePullPolicy$/, ".image"));
    const pulled = plain.startsWith(`${podSpec}.`) && path.endsWith(".imagePullPolicy") && isPulled(image, value);
    return pulled || within(podSpec, ofPods) || within("spec", own);
  };
  return lines.filter((line) => !isDefault(line));
}

/** Is it the pull policy that such an image gets by itself? Only where the image stands in the same lines. */
function isPulled(image: string | null | undefined, policy: string | null): boolean {
  if (image === undefined || image === null) return false;
  const [, tag] = /:([A-Za-z0-9_.-]+)"$/.exec(image) ?? [];
  const moves = !image.includes("@") && (tag === undefined || tag === "latest");
  return policy === (moves ? '"Always"' : '"IfNotPresent"');
}

function fromEach(places: readonly string[], before: string, fields: Fields): Fields {
  return Object.fromEntries(
    places.flatMap((place) => Object.entries(fields).map(([field, value]) => [`${before}${place}.${field}`, value])),
  );
}
