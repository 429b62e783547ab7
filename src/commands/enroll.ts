// `sallyport enroll` and `sallyport unenroll`: show exactly what goes into a cluster, ask, and put it there or take it back. Long: two commands, whole or by namespace and kind, over one cluster or several.

import { Command } from "commander";
import { stringify } from "yaml";
import { kindNamesObjection } from "../credentials/custom-kinds.ts";
import { enroll, plannedReach, readOnlyAmong, unenroll, unenrollKinds } from "../credentials/enroll.ts";
import type { EnrolAnswer, EnrolOptions, Step } from "../credentials/enroll.ts";
import { sortedNames, type Reach } from "../credentials/enrolment.ts";
import { everyObjectOf } from "../credentials/manifests.ts";
import { namespaceNameObjection, refusalOf } from "../credentials/objections.ts";
import { Faulted } from "../domain/fault.ts";
import { uuidv7 } from "../domain/ids.ts";
import type { Connection, KubeClient } from "../kubernetes/contract.ts";
import { CommandFailed, type Io } from "./io.ts";

/** Opens a cluster of the configuration, else a kubeconfig context; null for the configuration's one, else the current context. The client comes from `openSeparated`; the command closes it. */
export type Connect = (
  cluster: string | null,
) => Promise<{ readonly connection: Connection; readonly client: KubeClient }>;

/** The clusters that the configuration lists; none where it has no list. */
export type Listed = () => Promise<readonly string[]>;

/** The slice of the outside that enrolment touches. */
export type EnrolIo = Pick<Io, "out" | "interactive" | "ask" | "now" | "random" | "signal" | "pause">;

interface Flags {
  readonly context?: readonly string[];
  readonly allClusters?: boolean;
  readonly namespace?: string;
  readonly print?: boolean;
  readonly yes?: boolean;
  readonly clusterRead?: boolean;
  readonly secrets?: boolean;
  readonly nodes?: boolean;
  readonly exec?: boolean;
  readonly kind?: readonly string[];
  readonly clusterKind?: readonly string[];
}

const context = "cluster of the configuration, else kubeconfig context; may be given several times";
const customKind =
  "also let a custom resource be read, and changed where a rule of its own allows it, as in certificates.cert-manager.io; may be given several times";
const allClusters = "every cluster that the configuration lists";

export function enrollCommand(io: EnrolIo, connect: Connect, listed: Listed): Command {
  return new Command("enroll")
    .description("Make the accounts, roles and admission policies that grants need, in one cluster or several.")
    .option(
      "--namespace <names>",
      "namespaces that agents may be let into, separated by commas; may be left out where only kinds are added",
    )
    .option("--context <name>", context, oneMore)
    .option("--all-clusters", allClusters)
    .option("--print", "print the manifests as YAML and touch no cluster")
    .option("--yes", "apply without asking")
    .option("--cluster-read", "also let nodes, persistent volumes, storage classes and all namespaces be read")
    .option("--secrets", "also let a grant read a Secret, where a rule asks for approval and got it")
    .option("--exec", "also let a grant run commands in pods, each by its name, where a rule lets it")
    .option("--nodes", "also let a grant cordon and drain nodes: evict pods of every namespace, by name")
    .option("--kind <plural.group>", customKind, several)
    .option("--cluster-kind <plural.group>", "the same of one outside all namespaces: read, never changed", several)
    .action(async (flags: Flags) => {
      const asked = reachOf(flags);
      if (flags.print === true) io.out(yamlOf(asked));
      else
        await inEach(io, connect, await targets(flags, listed), (options, cluster) =>
          enrollInto(io, asked, flags, options, cluster),
        );
    });
}

export function unenrollCommand(io: EnrolIo, connect: Connect, listed: Listed): Command {
  return new Command("unenroll")
    .description("Remove what enroll made: of some namespaces, or without --namespace all of it.")
    .option("--namespace <names>", "only these namespaces, separated by commas")
    .option("--kind <plural.group>", "only these custom resources; may be given several times", several)
    .option("--context <name>", context, oneMore)
    .option("--all-clusters", allClusters)
    .option("--yes", "remove without asking")
    .action(async (flags: Flags) => {
      const { kind: kinds = [] } = flags;
      if (kinds.length > 0 && flags.namespace !== undefined)
        throw new CommandFailed("--namespace and --kind don't go together: what one takes back, the other keeps.", 2);
      if (kinds.length > 0) return await unenrollKindsIn(io, connect, await targets(flags, listed), flags, kinds);
      const leaving = flags.namespace === undefined ? null : reachOf(flags).namespaces;
      await inEach(io, connect, await targets(flags, listed), async (options, cluster) => {
        const what = leaving === null ? "everything that enroll made" : `the enrolment of ${leaving.join(", ")}`;
        await confirm(io, flags, `Remove ${what} from ${cluster}?`);
        const answer = await unenroll(leaving, options);
        const done =
          leaving === null
            ? `Sallyport's enrolment is removed from ${cluster}.`
            : `${leaving.join(", ")}: no longer enrolled in ${cluster}.`;
        report(
          io,
          answer,
          answer.steps.some((step) => step.answer === "removed") ? done : `Nothing of it was in ${cluster}.`,
        );
      });
    });
}

async function unenrollKindsIn(
  io: EnrolIo,
  connect: Connect,
  clusters: readonly (string | null)[],
  flags: Flags,
  kinds: readonly string[],
): Promise<void> {
  await inEach(io, connect, clusters, async (options, cluster) => {
    await confirm(io, flags, `Take ${kinds.join(", ")} out of the enrolment of ${cluster}?`);
    report(io, await unenrollKinds(kinds, options), `${kinds.join(", ")} can't be reached in ${cluster} any more.`);
  });
}

async function enrollInto(
  io: EnrolIo,
  asked: Reach,
  flags: Flags,
  options: EnrolOptions,
  cluster: string,
): Promise<void> {
  const { reach, vanished } = await plannedReach(asked, options);
  const readOnly = readOnlyAmong(reach.namespaces);
  if (flags.yes !== true) io.out(yamlOf(reach));
  io.out(`# ${cluster}: namespaces ${reach.namespaces.join(", ")}\n`);
  for (const [what, kinds] of [
    ["custom resources", reach.kinds],
    ["custom resources outside namespaces, for reading only", reach.clusterKinds],
  ] as const)
    if (kinds.length > 0) io.out(`# ${what}: ${kinds.join(", ")}\n`);
  if (readOnly.length > 0) io.out(`# for reading only: ${readOnly.join(", ")}\n`);
  if (vanished.length > 0) io.out(`# no longer there, so no longer enrolled: ${vanished.join(", ")}\n`);
  await confirm(io, flags, `Apply these ${everyObjectOf(reach).length} objects to ${cluster}?`);
  report(io, await enroll(reach, options, vanished), `${cluster} is enrolled: ${reach.namespaces.join(", ")}.`);
}

function reachOf(flags: Flags): Reach {
  const namespaces = sortedNames((flags.namespace ?? "").split(","));
  const [kinds, clusterKinds] = [flags.kind, flags.clusterKind].map((names = []) => sortedNames(names));
  const reach = { kinds: kinds ?? [], clusterKinds: clusterKinds ?? [] };
  const addsKinds = reach.kinds.length + reach.clusterKinds.length > 0;
  if (namespaces.length === 0 && (flags.namespace !== undefined || !addsKinds || flags.print === true))
    throw new CommandFailed("--namespace needs at least one name.", 2);
  const objection = namespaceNameObjection(namespaces) ?? kindNamesObjection(reach);
  if (objection !== null) throw new CommandFailed(objection, 2);
  return {
    ...reach,
    namespaces,
    clusterRead: flags.clusterRead === true,
    secrets: flags.secrets === true,
    nodes: flags.nodes === true,
    exec: flags.exec === true,
  };
}

/** All manifests as one YAML stream, ready for another tool to apply. */
function yamlOf(reach: Reach): string {
  return everyObjectOf(reach)
    .map(({ object }) => `---\n${stringify(object, { lineWidth: 0 })}`)
    .join("");
}

function oneMore(name: string, before: readonly string[] | undefined): readonly string[] {
  return [...new Set([...(before ?? []), name])];
}

/** `a,b` and `c`, given as two options, are three names. */
function several(names: string, before: readonly string[] | undefined): readonly string[] {
  return sortedNames([...(before ?? []), ...names.split(",")]);
}

/** Which clusters are meant: never several that nobody named. */
async function targets(flags: Flags, listed: Listed): Promise<readonly (string | null)[]> {
  const { context: named = [] } = flags;
  if (flags.allClusters === true && named.length > 0)
    throw new CommandFailed("--context and --all-clusters don't go together.", 2);
  if (named.length > 0) return named;
  const all = await listed();
  if (all.length > 1 && flags.allClusters !== true)
    throw new CommandFailed(`Which cluster? Name it with --context, or say --all-clusters: ${all.join(", ")}.`, 2);
  return all.length === 0 ? [null] : all;
}

type Run = (options: EnrolOptions, cluster: string) => Promise<void>;

/** One cluster after the other; what fails in one is said and keeps no other from its turn. */
async function inEach(io: EnrolIo, connect: Connect, clusters: readonly (string | null)[], run: Run): Promise<void> {
  const [only = null] = clusters;
  if (clusters.length < 2) return await inCluster(io, connect, only, run);
  const ended: string[] = [];
  const codes = new Set<number>();
  for (const cluster of clusters) {
    try {
      io.signal.throwIfAborted();
      await inCluster(io, connect, cluster, run);
      ended.push(`${cluster ?? ""}: done`);
    } catch (thrown) {
      if (!(thrown instanceof CommandFailed) && !io.signal.aborted) throw thrown;
      const sentence = thrown instanceof CommandFailed ? thrown.message : "not begun: the command was stopped";
      codes.add(thrown instanceof CommandFailed ? thrown.exitCode : 1);
      ended.push(`${cluster ?? ""}: FAILED: ${sentence}`);
      io.out(`${cluster ?? ""}: ${sentence}\n`);
    }
  }
  const [code = 1, ...others] = codes;
  const failed = ended.filter((line) => line.includes(": FAILED: ")).length;
  io.out(`\n${ended.map((line) => `${line}\n`).join("")}`);
  if (failed > 0)
    throw new CommandFailed(`${failed} of ${clusters.length} clusters failed.`, others.length === 0 ? code : 1);
}

async function inCluster(io: EnrolIo, connect: Connect, named: string | null, run: Run): Promise<void> {
  try {
    const { connection, client } = await connect(named);
    try {
      const options = await optionsFor(io, connection, client);
      await run(options, `cluster ${connection.cluster} (${connection.server})`);
    } finally {
      await client.close();
    }
  } catch (thrown) {
    if (!(thrown instanceof Faulted)) throw thrown;
    const { code, cause } = thrown.fault;
    throw new CommandFailed(refusalOf(thrown.fault) ?? `The cluster did not answer as it should: ${code} (${cause}).`);
  }
}

async function optionsFor(io: EnrolIo, connection: Connection, client: KubeClient): Promise<EnrolOptions> {
  const run = `enroll_${uuidv7(io.now(), io.random(10))}`;
  let count = 0;
  return {
    client,
    authorization: await connection.authorization(),
    nextAuditId: () => `${run}.${++count}`,
    signal: io.signal,
    now: io.now,
    pause: io.pause,
    progress: (step) => io.out(stepLine(step)),
  };
}

function stepLine({ object, answer }: Step): string {
  return `${(answer === "kept" ? "kept, edited" : answer).padEnd(12)} ${object}\n`;
}

async function confirm(io: EnrolIo, flags: Flags, question: string): Promise<void> {
  if (flags.yes === true) return;
  if (!io.interactive) throw new CommandFailed(`${question} Nobody is here to ask: add --yes.`, 2);
  const answer = (await io.ask(`${question} [y/N] `)).trim().toLowerCase();
  if (answer !== "y" && answer !== "yes") throw new CommandFailed("Nothing was changed.");
}

function report(io: EnrolIo, answer: EnrolAnswer, done: string): void {
  switch (answer.kind) {
    case "done":
      io.out(`${done}\n`);
      return;
    case "stopped":
      throw new CommandFailed(answer.sentence);
  }
}
