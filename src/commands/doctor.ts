// `sallyport doctor`: what works and what is missing, in plain words, with the next step for each. Long: one check after the other.

import { access, constants, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import type { Config } from "../config/schema.ts";
import { manifestVersion, type Enrolment } from "../credentials/enrolment.ts";
import { inspect, type Finding } from "../credentials/inspect.ts";
import type { Sender } from "../credentials/send.ts";
import { isWithinLimit, offsetText, type Offset } from "../domain/clock.ts";
import { Faulted } from "../domain/fault.ts";
import { idsFrom } from "../domain/ids.ts";
import { textAt, type JsonObject } from "../domain/json.ts";
import type { Connection, KubeClient } from "../kubernetes/contract.ts";
import { loadLocalTokens } from "../identity/verifiers/index.ts";
import { reviewDue, stateOf } from "../identity/accounts.ts";
import { findMeeting } from "../owner/meeting.ts";
import { folderProblem } from "../owner/folder.ts";
import { readAccounts } from "../wiring/accounts-file.ts";
import { clockOffset } from "../wiring/clock-offset.ts";
import { examineOperating } from "../wiring/examine-operating.ts";
import { anchorChecks } from "./anchor-checks.ts";
import { approvalChecks } from "./approval-checks.ts";
import { clientOf, findCluster, findClusters, type ClusterFound } from "./clusters.ts";
import { exportChecks } from "./export-checks.ts";
import { examineDoor } from "./http-setting.ts";
import { issuerChecks, issuerRemarks } from "./issuer-checks.ts";
import { keepingChecks } from "./keeping-checks.ts";
import { maskingChecks } from "./masking-checks.ts";
import { CommandFailed, stateFolder, sentenceOf, nodeIsTooOld, type Io } from "./io.ts";
import { kubeconfigPaths, readConfig, readSetting, type Setting } from "./setting.ts";
import { transcriptChecks } from "./transcript-checks.ts";

interface Check {
  readonly name: string;
  /** `note` is worth knowing and stops nothing. */
  readonly result: "ok" | "note" | "failed";
  readonly says: string;
  /** What to do about it; "" where nothing is to be done. */
  readonly next: string;
  /** Of which cluster, where there are several. */
  readonly cluster?: string;
}

export function doctorCommand(io: Io): Command {
  return new Command("doctor")
    .description(
      "Say what works and what is missing: Node, state folder, configuration, policy, masking, issuers, approval channels, the record, exports, anchors, kubeconfig, cluster, enrolment, clock, stray credentials.",
    )
    .option(
      "--context <name>",
      "one cluster of the configuration, or a kubeconfig context (default: all that the configuration has)",
    )
    .option("--json", "print the checks as JSON")
    .addHelpText("after", "\nExit code 0 when nothing failed, 3 when something did.\n")
    .action(async (options: { context?: string; json?: boolean }) => {
      const checks = await examine(io, options.context ?? null);
      io.out(options.json === true ? `${JSON.stringify(checks, null, 2)}\n` : textOf(checks, io.colour));
      const failed = checks.filter((check) => check.result === "failed").length;
      if (failed > 0) throw new CommandFailed(`${failed} of ${checks.length} checks failed.`, 3);
    });
}

/** Every check, in the order in which they depend on one another; a failed one ends those that need it. */
export async function examine(io: Io, context: string | null): Promise<readonly Check[]> {
  const checks = [nodeCheck(io), await stateCheck(io)];
  const correct = "correct the line that is named";
  const read = await tried(readConfig(io, undefined));
  if (read.kind === "failed")
    return [...checks, failed("configuration", read.says, `${correct}; docs/configuration.md lists every key`)];
  const { config } = read.value;
  checks.push(ok("configuration", `${config.mode}, credentials ${config.credentials}`));
  const setting = await tried(readSetting(io, undefined));
  const clusters = await findClusters(io, read.value);
  checks.push(
    ...(setting.kind === "failed"
      ? [failed("policy", setting.says, `${correct}; sallyport policy check reads policy files alone`)]
      : [policyCheck(setting.value), ...strangeClusters(setting.value, clusters)]),
    ...(await maskingChecks(io, read.value)),
    ...(await tokenChecks(io, config)),
    ...(await slackChecks(io, config)),
    ...(await examineDoor(io, config)).map((found) => ({ name: "http door", ...found })),
    ...(await examineOperating(config, io.uid)).map((found) => ({ name: "operators", ...found })),
    ...(await issuerChecks(io, read.value, clusters)),
    ...(await approvalChecks(io, config)),
    ...(await transcriptChecks({ folder: stateFolder(io.env), config, now: io.now, free: freeBytes })),
    ...(await exportChecks(io, stateFolder(io.env), config)),
    ...(await keepingChecks(io, config)),
    ...(await anchorChecks(io, stateFolder(io.env), config)),
    await ownerCheck(io),
    ...(await accountChecks(io, config)),
    ...(await reachChecks(io, config, context === null ? clusters : [await findCluster(io, read.value, context)])),
    ...(await strayCredentials(io, config)),
  );
  return checks;
}

type Tried<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "failed"; readonly says: string };

async function tried<T>(work: Promise<T>): Promise<Tried<T>> {
  return await work.then(
    (value) => ({ kind: "done", value }),
    (thrown: unknown) => ({ kind: "failed", says: sentenceOf(thrown) }),
  );
}

function policyCheck({ policy, policyFiles, policyWarnings }: Setting): Check {
  const files = `${policyFiles.length} file${policyFiles.length === 1 ? "" : "s"}`;
  const odd = policyWarnings().length;
  const told = odd === 0 ? "" : `; ${odd} warning${odd === 1 ? "" : "s"}: sallyport policy check tells them`;
  return ok("policy", `${policy.rules.length} rules in ${files}, ${policy.examples} examples hold${told}`);
}

/** Rules for a cluster that there is not: a name that was mistyped allows nothing, and denies nothing either. */
function strangeClusters({ policy }: Setting, found: readonly ClusterFound[]): readonly Check[] {
  const known = found.map((one) => one.name);
  if (known.includes("")) return [];
  return policy.rules.flatMap(({ id, match }) => {
    const strange = [...(match.clusters ?? [])].filter((name) => !known.includes(name));
    if (strange.length === 0) return [];
    const says = `rule ${id} is for ${strange.join(", ")}, and this gateway has ${known.join(", ")}`;
    return [note("policy", says, "as it may be, where another gateway reads the same file; else correct the name")];
  });
}

/** Each cluster at the same time: its kubeconfig, and what can be seen of it. With several, each check says of which it is. */
async function reachChecks(io: Io, config: Config, found: readonly ClusterFound[]): Promise<readonly Check[]> {
  const checks = await Promise.all(
    found.map(async (one) => {
      const seen = await clusterOf(io, config, one);
      return found.length === 1 ? seen : seen.map((check) => ({ ...check, cluster: one.name }));
    }),
  );
  return checks.flat();
}

async function clusterOf(io: Io, config: Config, found: ClusterFound): Promise<readonly Check[]> {
  if (found.kind === "unusable")
    return [
      failed(
        "kubeconfig",
        found.sentence,
        "name one that is there: KUBECONFIG, or kubeconfig:, context: and clusters: in sallyport.yaml",
      ),
    ];
  const { connection } = found;
  const client = clientOf(io, connection);
  try {
    return [
      kubeconfigCheck(connection, config),
      ...(await clusterChecks(io, connection, client, Math.min(15, config.deadline) * 1000)),
    ];
  } finally {
    await client.close();
  }
}

function nodeCheck(io: Io): Check {
  return nodeIsTooOld(io.node)
    ? failed("Node", `${io.node} is too old`, "install Node 22.19 or later")
    : ok("Node", io.node);
}

async function stateCheck(io: Io): Promise<Check> {
  try {
    const folder = stateFolder(io.env);
    const problem = folderProblem(folder, io.uid);
    if (problem === "" && !(await may(folder, constants.W_OK)))
      return failed("state folder", `${folder} can't be written`, "chmod 700 on it, or SALLYPORT_HOME names another");
    if (problem === "") return ok("state folder", folder);
    return problem.includes("ENOENT")
      ? note("state folder", `${folder} does not exist yet`, "the first start makes it")
      : failed("state folder", problem, "SALLYPORT_HOME names another folder");
  } catch (thrown) {
    return failed("state folder", sentenceOf(thrown), "set SALLYPORT_HOME");
  }
}

/** What this machine has of Slack's set-up; the workspace itself is `slack check`'s. */
async function slackChecks(io: Io, { slack, people }: Config): Promise<readonly Check[]> {
  if (slack === undefined) return [];
  const { slackSecrets } = await import("./slack-setting.ts");
  const secrets = await tried(slackSecrets(slack, io.uid));
  if (secrets.kind === "failed")
    return [failed("Slack", secrets.says, "docs/slack.md says where each secret comes from")];
  if (people.length === 0)
    return [note("Slack", "people: is empty, so nobody can answer there", "name who approves; docs/slack.md")];
  return [ok("Slack", `${slack.mode} mode, channel ${slack.channel}; sallyport slack check looks at the workspace`)];
}

/** The token files of the HTTP door; without one the gateway does not start. */
async function tokenChecks(io: Io, { http }: Config): Promise<readonly Check[]> {
  if (http === undefined || http.tokens.length === 0) return [];
  const loaded = await loadLocalTokens(
    http.tokens.map((token) => ({ ...token, agent: null })),
    io.uid,
  );
  if (loaded.kind === "refused")
    return [failed("http tokens", loaded.sentence, "docs/quickstart.md says how to make one")];
  return [ok("http tokens", http.tokens.map(({ kind, subject }) => `${kind} ${subject}`).join(", "))];
}

async function ownerCheck(io: Io): Promise<Check> {
  const found = await findMeeting(stateFolder(io.env), io.uid);
  switch (found.kind) {
    case "found":
      return ok("gateway", "one is running on this state folder");
    case "absent":
      return note("gateway", "none is running on this state folder", "your MCP client starts one");
    case "refused":
      return failed("gateway", found.sentence, "remove the file once no Sallyport runs");
  }
}

/** Accounts that somebody has to look at. */
async function accountChecks(io: Io, config: Config): Promise<readonly Check[]> {
  const now = io.now();
  const read = await tried(readAccounts(stateFolder(io.env)));
  if (read.kind === "failed") return [failed("agents", read.says, "put back a good copy of the file")];
  const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
  const due = read.value.flatMap((account): Check[] => {
    switch (stateOf(account, now)) {
      case "active":
      case "disabled":
        return [];
      case "expired": {
        const says = `${account.name} expired ${dayOf(account.expiresAt)}: its requests are refused`;
        return [note("agents", says, `sallyport agents enable ${account.name} --expires, where it is still needed`)];
      }
      case "review overdue": {
        const says = `${account.name} was to be reviewed by ${dayOf(reviewDue(account))}`;
        return [note("agents", says, `sallyport agents review ${account.name}, or disable it`)];
      }
    }
  });
  const remarks = issuerRemarks(config, read.value.length);
  if (due.length > 0 || read.value.length === 0) return [...due, ...remarks];
  return [ok("agents", `${read.value.length} registered, none expired or due for review`), ...remarks];
}

function kubeconfigCheck(connection: Connection, config: Config): Check {
  const says = `cluster ${connection.cluster} at ${connection.server}`;
  if (!connection.tls.insecure) return ok("kubeconfig", says);
  const insecure = `${says}, WITHOUT VERIFYING ITS CERTIFICATE: whoever is on the way reads and changes everything`;
  const next = "remove insecure-skip-tls-verify and name the certificate authority";
  return config.mode === "multi-user" ? failed("kubeconfig", insecure, next) : note("kubeconfig", insecure, next);
}

/** The oldest Kubernetes that grants and fences were built for. */
const oldestMinor = 32;
/** Milliseconds that clocks may differ: tokens are checked against the server's. */
const clockTolerance = 30_000;

async function clusterChecks(
  io: Io,
  connection: Connection,
  client: KubeClient,
  patience: number,
): Promise<readonly Check[]> {
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(patience)]);
  try {
    const authorization = await connection.authorization();
    const call = idsFrom(io.now, io.random).call();
    let sent = 0;
    const sender: Sender = { client, authorization, nextAuditId: () => `${call}.${++sent}`, agent: "doctor", signal };
    let version: JsonObject = {};
    const clocks = { now: io.now, steady: () => performance.now() };
    const offset = await clockOffset(clocks, async (dated) => {
      version = await client.path("/version", { authorization, signal, dated });
    });
    const minor = Number.parseInt(textAt(version, "minor"), 10);
    const reached =
      minor >= oldestMinor
        ? ok("cluster", `Kubernetes ${textAt(version, "gitVersion")} answers`)
        : failed(
            "cluster",
            `Kubernetes ${textAt(version, "gitVersion")} is older than 1.${oldestMinor}`,
            "upgrade it; grants need its token and admission features",
          );
    return [reached, clockCheck(offset), ...(await enrolmentChecks(sender))];
  } catch (thrown) {
    const cause = thrown instanceof Faulted ? `${thrown.fault.code}: ${thrown.fault.cause}` : sentenceOf(thrown);
    return [
      failed("cluster", cause, "check address, network, certificate authority and credential with kubectl version"),
    ];
  }
}

function clockCheck(found: Offset | null): Check {
  if (found === null) return note("clock", "the cluster did not say what time it has", "");
  const next = "synchronise the clock: tokens and the record depend on it";
  const apart = Math.abs(found.offset);
  if (apart > clockTolerance)
    return failed("clock", `differs from the cluster's by ${Math.round(apart / 1000)} s`, next);
  const says = offsetText(found);
  if (!isWithinLimit(found)) return note("clock", `is ${says}, of the cluster's`, next);
  return ok("clock", `agrees with the cluster's: ${says}`);
}

async function enrolmentChecks(sender: Sender): Promise<readonly Check[]> {
  const found = await inspect(sender);
  if (found.kind === "not_enrolled")
    return [
      note(
        "enrolment",
        "this cluster is not enrolled: reads use your kubeconfig's own credential, changes are refused",
        "sallyport enroll --namespace NAME --print, then without --print",
      ),
    ];
  const { enrolment, findings } = found;
  const reach = `${enrolment.namespaces.join(", ")}${enrolment.clusterRead ? "; cluster read" : ""}${enrolment.secrets ? "; Secrets by approval" : ""}${enrolment.nodes ? "; nodes" : ""}${enrolment.exec ? "; commands" : ""}${enrolment.kinds.length > 0 ? `; kinds ${enrolment.kinds.join(", ")}` : ""}${enrolment.clusterKinds.length > 0 ? `; cluster kinds ${enrolment.clusterKinds.join(", ")}` : ""}`;
  return [ok("enrolment", reach), ...versionCheck(enrolment), ...findings.map(findingCheck)];
}

function versionCheck({ version }: Enrolment): readonly Check[] {
  if (version === manifestVersion) return [];
  const says = `made by another version of Sallyport (${version === "" ? "it does not say which" : version}; this one is ${manifestVersion})`;
  return [failed("enrolment", says, "run sallyport enroll again with the same namespaces")];
}

function findingCheck({ object, kind, says }: Finding): Check {
  const how = says.length === 0 ? "" : `: ${says.join("; ")}`;
  switch (kind) {
    case "missing":
      return failed("enrolment", `${object} is missing`, "run sallyport enroll again");
    case "differs":
      return failed("enrolment", `${object} is not as enrolment makes it${how}`, "run sallyport enroll again");
    case "edited":
      return note("enrolment", `${object} was edited by an administrator${how}`, "as it may be; grants follow it");
    case "extra":
      return failed("enrolment", `${object} ${says.join("; ")}`, "remove it, unless you know who needs it");
    case "unreadable":
      return note(
        "enrolment",
        `${object} may not be read with this kubeconfig`,
        "run doctor as a cluster administrator",
      );
  }
}

/** Credentials that an agent with a shell could use instead of asking here. */
async function strayCredentials(io: Io, config: Config): Promise<readonly Check[]> {
  const places = [
    ...kubeconfigPaths(io, config),
    join(io.home, ".kube", "config"),
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
    "/etc/kubernetes/admin.conf",
    "/etc/rancher/k3s/k3s.yaml",
  ];
  const there: string[] = [];
  for (const place of new Set(places)) if (await may(place, constants.F_OK)) there.push(place);
  if (there.length === 0) return [ok("other credentials", "none found in the usual places")];
  return [
    note(
      "other credentials",
      `an agent with a shell here could use ${there.join(", ")} instead of Sallyport`,
      "run agents as another user, or in a container without these files",
    ),
  ];
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function may(path: string, what: number): Promise<boolean> {
  return await access(path, what).then(
    () => true,
    () => false,
  );
}

function textOf(checks: readonly Check[], colour: boolean): string {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const marks = { ok: paint(32, "ok    "), note: paint(33, "note  "), failed: paint(31, "FAILED") };
  const named = checks.map((check) => ({ ...check, name: [check.cluster ?? "", check.name].join(" ").trim() }));
  const width = Math.max(...named.map((check) => check.name.length));
  return named
    .map(
      ({ name, result, says, next }) =>
        `${marks[result]}  ${name.padEnd(width)}  ${says}${next === "" ? "" : `\n${" ".repeat(width + 10)}next: ${next}`}\n`,
    )
    .join("");
}

const ok = (name: string, says: string): Check => ({ name, result: "ok", says, next: "" });
const note = (name: string, says: string, next: string): Check => ({ name, result: "note", says, next });
const failed = (name: string, says: string, next: string): Check => ({ name, result: "failed", says, next });
