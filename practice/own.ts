// The story on a person's own cluster: nothing is installed and nothing is changed there before they said so at the terminal.

import { readFile } from "node:fs/promises";
import { Faulted } from "../src/domain/fault.ts";
import { exchange, openPool } from "../src/kubernetes/exchange.ts";
import { loadConnections } from "../src/kubernetes/kubeconfig.ts";
import { sallyport, sallyportHere } from "./gateway.ts";
import {
  lookForTheCredential,
  openAgent,
  podsOf,
  secretOf,
  showTheRecord,
  startsWith,
  type Step,
  type StoryOptions,
  type Teller,
} from "./story.ts";

export interface OwnCluster {
  readonly context: string;
  readonly server: string;
  /** The status of a GET with the kubeconfig's own credential. */
  look(path: string): Promise<number>;
  close(): Promise<void>;
}

/** Opens the kubeconfig's current context; nothing is sent yet. Throws with a sentence where it can't be used. */
export async function openOwn(path: string): Promise<OwnCluster> {
  const loaded = await loadConnections({
    kubeconfig: [path],
    env: process.env,
    readFile: (file) => readFile(file, "utf8"),
    now: () => Date.now(),
  }).catch((thrown: unknown) => {
    throw new Error(thrown instanceof Faulted ? thrown.fault.cause : String(thrown));
  });
  const connection = loaded.connections.find((one) => one.cluster === loaded.current);
  if (connection === undefined) throw new Error(`${path} names no current context: kubectl config use-context NAME.`);
  const pool = openPool(connection);
  return {
    context: connection.cluster,
    server: connection.server,
    async look(where) {
      const authorization = await connection.authorization();
      const answered = await exchange(pool, {
        origin: new URL(connection.server).origin,
        method: "GET",
        path: where,
        headers: { accept: "application/json", ...(authorization === null ? {} : { authorization }) },
        body: null,
        signal: new AbortController().signal,
        timeout: 15_000,
        maxBytes: 1024 * 1024,
      });
      if (answered.kind !== "answered") throw new Error(`The cluster did not answer: ${answered.kind}.`);
      return answered.status;
    },
    close: () => pool.destroy(),
  };
}

export interface Enrolled {
  readonly namespace: string;
  /** The cluster was enrolled before this start: that is not ours to take away. */
  readonly before: boolean;
}

/** Asks for a namespace and lets `sallyport enroll` show and ask; null when the person would rather not. */
export async function enrollOwn(
  cluster: OwnCluster,
  ask: NonNullable<Teller["ask"]>,
  env: NodeJS.ProcessEnv,
): Promise<Enrolled | null> {
  const namespace = (
    await ask(`Which namespace of ${cluster.context} (${cluster.server}) may it be tried in? (empty: none) `)
  ).trim();
  if (namespace === "") return null;
  const before = (await cluster.look("/api/v1/namespaces/sallyport-system/configmaps/enrolment")) !== 404;
  return (await sallyportHere(["enroll", "--namespace", namespace], env)) === 0 ? { namespace, before } : null;
}

/** Plays it; returns what went otherwise. */
export async function playOwn(options: StoryOptions, namespace: string): Promise<readonly string[]> {
  const ask = options.teller.ask;
  if (ask === null) throw new Error("nobody is at this terminal");
  const agent = await openAgent(options);
  const failed = [
    ...(await agent.play(podsOf(namespace))),
    ...(await agent.play(secretOf(namespace, "sallyport-story"))),
  ];
  const name = (await ask(`\n   A Deployment in ${namespace} for the agent to read (empty: none): `)).trim();
  if (name !== "") {
    failed.push(...(await agent.play(deploymentOf(namespace, name))));
    const wanted = (await ask(`\n   How many replicas should the agent ask for? (empty: it asks for nothing) `)).trim();
    if (/^\d{1,4}$/.test(wanted)) {
      const wrong = await agent.play(scaleOf(namespace, name, Number(wanted)));
      failed.push(...wrong, ...(wrong.length === 0 ? await lookForTheCredential(options, "5", namespace) : []));
    }
  }
  await agent.close();
  return [...failed, ...(await showTheRecord(options))];
}

const deploymentOf = (namespace: string, name: string): Step => ({
  title: "It reads a Deployment: what looks like a secret in it is masked.",
  tool: "objects_get",
  arguments: { kind: "Deployment", namespace, name },
  person: "no",
  expect: startsWith(`Deployment ${namespace}/${name}`),
});

const scaleOf = (namespace: string, name: string, replicas: number): Step => ({
  title: "It asks to scale it: whether a person must agree is for the policy, and the namespace's environment.",
  tool: "workloads_scale",
  arguments: { kind: "Deployment", namespace, name, replicas, reason: "Trying out how a change is governed" },
  person: "may",
  expect: startsWith("DONE workloads_scale"),
});

/** Leaves the cluster as it was, if the person wants that: what there is to say then, or null where it stays enrolled. */
export async function leaveOwn(ask: NonNullable<Teller["ask"]>, env: NodeJS.ProcessEnv): Promise<string | null> {
  const answer = (await ask("Take everything that enroll made away again? [y/N] ")).trim();
  return /^y(es)?$/i.test(answer) ? (await sallyport(["unenroll", "--yes"], env)).output.trim() : null;
}
