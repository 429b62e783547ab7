// Services and Ingresses that lead nowhere, and a switch from blue to green: 10, 11, 15 and 36 of tools.md.

import { at, textAt, type JsonObject } from "../../../src/domain/json.ts";
import { service, services, type Place } from "../place.ts";
import { holds, says, type Task } from "../task.ts";

const slices = "apis/discovery.k8s.io/v1/endpointslices";
const ingresses = "apis/networking.k8s.io/v1/ingresses";

/** The addresses and ports behind a Service, as its EndpointSlices have them. */
async function endpoints(place: Place, name: string): Promise<{ pods: string[]; ports: number[] }> {
  const found = await place.list(slices, `kubernetes.io/service-name=${name}`);
  const list = (object: JsonObject, field: string): JsonObject[] => {
    const value = at(object, field);
    return Array.isArray(value) ? (value as JsonObject[]) : [];
  };
  const ready = found
    .flatMap((slice) => list(slice, "endpoints"))
    .filter((one) => at(one, "conditions", "ready") === true);
  return {
    pods: ready.map((one) => textAt(one, "targetRef", "name")),
    ports: found.flatMap((slice) => list(slice, "ports")).map((port) => Number(at(port, "port"))),
  };
}

const endpointsOf = (place: Place, name: string, app: string, port: number): Promise<void> =>
  place.until(`${name} leads to ${app} at ${port}`, async () => {
    const { pods, ports } = await endpoints(place, name);
    return pods.length === 2 && pods.every((pod) => pod.startsWith(`${app}-`)) && ports.every((one) => one === port);
  });

const web = { ports: [{ name: "http", containerPort: 8080 }] };

export const network: readonly Task[] = [
  {
    number: 10,
    title: "A Service's selector is a typo",
    prompt: "Nobody reaches the shop: its Service has no endpoints. Repair it.",
    ideal: 3,
    person: "at once",
    async setUp(place) {
      await place.deploy("shop", { container: web });
      await place.make(services, service("shop", { app: "shpo" }, 8080));
      await place.pods("shop", 2, "Ready");
    },
    async play(agent, { namespace }) {
      const target = { namespace, kind: "Service", name: "shop" };
      const found = await agent.call("problems_diagnose", target);
      says(found, /matches no pod: "?app=shpo/);
      const app = says(found, /pods have app: (\S+) /);
      await agent.call("objects_patch", {
        ...target,
        patch: { spec: { selector: { app } } },
        reason: "the selector of the Service is a typo and matches no pod",
      });
      says(await agent.call("problems_diagnose", target), /no problem found; 2 of 2 pods ready/);
    },
    changed: ['~ Service/shop spec.selector.app: "shpo" -> "shop"'],
    wrote: ["patch services/shop"],
    check: (place) => endpointsOf(place, "shop", "shop", 8080),
  },
  {
    number: 11,
    title: "A Service's target port is wrong",
    prompt: "Connections to the shop Service are refused. Repair it.",
    ideal: 2,
    person: "at once",
    async setUp(place) {
      await place.deploy("shop", { container: web });
      await place.make(services, service("shop", { app: "shop" }, 9090));
      await place.pods("shop", 2, "Ready");
    },
    async play(agent, { namespace }) {
      const target = { namespace, kind: "Service", name: "shop" };
      const found = await agent.call("problems_diagnose", target);
      says(found, /targetPort 9090 is served by none/);
      const targetPort = Number(says(found, /state ports: "?http=(\d+)/));
      await agent.call("objects_patch", {
        ...target,
        type: "json",
        patch: [{ op: "replace", path: "/spec/ports/0/targetPort", value: targetPort }],
        reason: "no pod of the Service listens on port 9090",
      });
    },
    changed: ["~ Service/shop spec.ports[http].targetPort: 9090 -> 8080"],
    wrote: ["patch services/shop"],
    check: (place) => endpointsOf(place, "shop", "shop", 8080),
  },
  {
    number: 15,
    title: "An Ingress names a wrong port",
    prompt: "The front page answers 503 through Ingress front. Repair it.",
    ideal: 2,
    person: "at once",
    async setUp(place) {
      await place.deploy("shop", { container: web });
      await place.make(services, service("shop", { app: "shop" }, 8080));
      const backend = { service: { name: "shop", port: { number: 8080 } } };
      await place.make(ingresses, {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { name: "front" },
        spec: { rules: [{ host: "shop.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }] },
      });
      await place.pods("shop", 2, "Ready");
    },
    async play(agent, { namespace }) {
      const target = { namespace, kind: "Ingress", name: "front" };
      const found = await agent.call("problems_diagnose", target);
      says(found, /backend port 8080 is none of Service shop/);
      const value = Number(says(found, /has ports: "?http=(\d+)/));
      await agent.call("objects_patch", {
        ...target,
        type: "json",
        patch: [{ op: "replace", path: "/spec/rules/0/http/paths/0/backend/service/port/number", value }],
        reason: "the Ingress names a port that its Service does not have",
      });
    },
    changed: ["~ Ingress/front spec.rules[0].http.paths[0].backend.service.port.number: 8080 -> 80"],
    wrote: ["patch ingresses/front"],
  },
  {
    number: 36,
    title: "Switch from blue to green",
    prompt: "Switch the shop Service from the blue to the green version.",
    ideal: 3,
    person: "at once",
    async setUp(place) {
      for (const slot of ["blue", "green"])
        await place.deploy(`shop-${slot}`, { container: web, labels: { part: "shop", slot } });
      await place.make(services, service("shop", { part: "shop", slot: "blue" }, 8080));
      for (const slot of ["blue", "green"]) await place.pods(`shop-${slot}`, 2, "Ready");
    },
    async play(agent, { namespace }) {
      const target = { namespace, kind: "Service", name: "shop" };
      says(await agent.call("objects_get", target), /slot: blue/);
      await agent.call("objects_patch", {
        ...target,
        patch: { spec: { selector: { slot: "green" } } },
        reason: "the user switches the shop from blue to green",
      });
      const after = await agent.call("problems_diagnose", target);
      holds(!after.isError && /no problem found; 2 of 2 pods/.test(after.text), after.text);
    },
    changed: ['~ Service/shop spec.selector.slot: "blue" -> "green"'],
    wrote: ["patch services/shop"],
    check: (place) => endpointsOf(place, "shop", "shop-green", 8080),
  },
];
