// One task's own namespace on the cluster, and the ways in which its set-up makes things and looks at them, with the admin's token.

import { at, textAt, type Json, type JsonObject } from "../../src/domain/json.ts";
import type { Admin } from "../cluster/admin.ts";
import type { Kwok } from "../cluster/kwok.ts";
import { EvalFailed } from "./task.ts";

export interface Place {
  readonly namespace: string;
  readonly admin: Admin;
  readonly kwok: Kwok;
  /** A secret of this task alone that no answer may show. */
  readonly canary: string;
  /** Creates, for example at `apis/apps/v1/deployments`; the namespace is put in. */
  make(collection: string, object: JsonObject): Promise<JsonObject>;
  read(collection: string, name: string): Promise<JsonObject>;
  list(collection: string, selector?: string): Promise<readonly JsonObject[]>;
  merge(collection: string, name: string, patch: JsonObject): Promise<void>;
  /** A Deployment; returns once the controller has seen it. */
  deploy(name: string, options?: DeployOptions): Promise<void>;
  /** Waits until the object is as wanted. */
  until(what: string, look: () => Promise<boolean>): Promise<void>;
  /** Waits until so many pods of the app are in this state: `Ready`, a waiting reason, or `Pending` without a node. */
  pods(app: string, count: number, state: string): Promise<readonly JsonObject[]>;
  /** Waits until the controller has counted in every Deployment the pods that there are, and which are ready. */
  counted(): Promise<void>;
}

export interface DeployOptions {
  readonly replicas?: number;
  readonly image?: string;
  /** Further fields of the container, of the pod, of the Deployment's spec. */
  readonly container?: JsonObject;
  readonly pod?: JsonObject;
  readonly spec?: JsonObject;
  readonly labels?: { readonly [key: string]: string };
}

export const deployments = "apis/apps/v1/deployments";
export const pods = "api/v1/pods";
export const services = "api/v1/services";
export const configMaps = "api/v1/configmaps";

export function placeIn(admin: Admin, kwok: Kwok, namespace: string, canary: string): Place {
  const pathOf = (collection: string): string => {
    const cut = collection.lastIndexOf("/");
    return `/${collection.slice(0, cut)}/namespaces/${namespace}${collection.slice(cut)}`;
  };
  const place: Place = {
    namespace,
    admin,
    kwok,
    canary,
    make: (collection, object) => admin.create(pathOf(collection), object),
    async read(collection, name) {
      const { status, body } = await admin.send("GET", `${pathOf(collection)}/${name}`);
      if (status !== 200) throw new EvalFailed(`${collection}/${name} can't be read: ${status}`);
      return body;
    },
    async list(collection, selector = "") {
      const query = selector === "" ? "" : `?labelSelector=${encodeURIComponent(selector)}`;
      const { body } = await admin.send("GET", `${pathOf(collection)}${query}`);
      const items = at(body, "items");
      return Array.isArray(items) ? (items as JsonObject[]) : [];
    },
    async merge(collection, name, patch) {
      const contentType = "application/merge-patch+json";
      const { status, body } = await admin.send("PATCH", `${pathOf(collection)}/${name}`, patch, { contentType });
      if (status !== 200) throw new EvalFailed(`${collection}/${name} can't be patched: ${JSON.stringify(body)}`);
    },
    async deploy(name, options = {}) {
      await place.make(deployments, deployment(name, options));
      await place.until(`the controller sees ${name}`, async () => {
        const made = await place.read(deployments, name);
        return at(made, "status", "observedGeneration") !== undefined;
      });
    },
    async until(what, look) {
      const end = Date.now() + 240_000;
      while (Date.now() < end) {
        if (await look()) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new EvalFailed(`within 240 s it did not happen that ${what}`);
    },
    async pods(app, count, state) {
      let found: readonly JsonObject[] = [];
      await place.until(`${count} pods of ${app} are ${state}`, async () => {
        found = (await place.list(pods, `app=${app}`)).filter((pod) => stateOf(pod) === state);
        return found.length === count;
      });
      return found;
    },
    async counted() {
      await place.until("every Deployment counts its pods", async () => {
        const all = (await place.list(pods)).filter((pod) => !left(pod));
        return (await place.list(deployments)).every((one) => countsOf(one) === countsAmong(one, all));
      });
    },
  };
  return place;
}

/** Its controller counts it no more. */
const left = (pod: JsonObject): boolean =>
  stateOf(pod) === "Terminating" || ["Succeeded", "Failed"].includes(textAt(pod, "status", "phase"));

/** `pods/ready` as a Deployment's status says it; "" where the controller has not seen its last change. */
function countsOf(made: JsonObject): string {
  const status = at(made, "status");
  if (at(status, "observedGeneration") !== at(made, "metadata", "generation")) return "";
  // Kubernetes leaves out what is 0.
  const count = (field: string): string => JSON.stringify(at(status, field) ?? 0);
  return `${count("replicas")}/${count("readyReplicas")}`;
}

/** The same, as these pods are. */
function countsAmong(made: JsonObject, all: readonly JsonObject[]): string {
  const app = textAt(made, "spec", "selector", "matchLabels", "app");
  const its = all.filter((pod) => textAt(pod, "metadata", "labels", "app") === app);
  return `${its.length}/${its.filter((pod) => stateOf(pod) === "Ready").length}`;
}

function stateOf(pod: JsonObject): string {
  if (textAt(pod, "metadata", "deletionTimestamp") !== "") return "Terminating";
  const list = (field: string): readonly Json[] => {
    const value = at(pod, "status", field);
    return Array.isArray(value) ? (value as readonly Json[]) : [];
  };
  const waits = list("containerStatuses").map((one) => textAt(one, "state", "waiting", "reason"));
  const reason = waits.find((one) => one !== "");
  if (reason !== undefined) return reason;
  const is = (type: string): string =>
    textAt(
      list("conditions").find((one) => textAt(one, "type") === type),
      "status",
    );
  if (is("Ready") === "True") return "Ready";
  return is("PodScheduled") === "False" ? "Pending" : textAt(pod, "status", "phase") === "Running" ? "Unready" : "New";
}

/** A Deployment with one container `main`, labelled `app: name`. */
export function deployment(name: string, options: DeployOptions): JsonObject {
  const labels = { app: name, ...options.labels };
  const image = options.image ?? `registry.example.com/shop/${name}:1.4.2`;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels },
    spec: {
      replicas: options.replicas ?? 2,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "main", image, ...options.container }], ...options.pod },
      },
      ...options.spec,
    },
  };
}

export function configMap(name: string, data: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
}

export function service(name: string, selector: JsonObject, targetPort: number | string): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector, ports: [{ name: "http", port: 80, targetPort }] },
  };
}
