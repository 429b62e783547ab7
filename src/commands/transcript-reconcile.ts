// `sallyport transcript reconcile`: the record against the API server's own audit log.

import { Command } from "commander";
import {
  accountUser,
  gatewayAccountName,
  previewAccountName,
  probeName,
  readerAccountName,
  sessionsNamespace,
  systemNamespace,
} from "../credentials/names.ts";
import { plainText } from "../transcript/describe.ts";
import type { Finding, Others, OwnIdentities } from "../transcript/reconcile/judge.ts";
import { reconcile, type Reconciled } from "../transcript/reconcile/reconcile.ts";
import { CommandFailed, stateFolder, type Io as WholeIo } from "./io.ts";
import type { OnRecord } from "./on-record.ts";
import { paint, reading } from "./transcript-text.ts";

type Io = Pick<WholeIo, "env" | "out" | "err" | "colour">;

interface Flags {
  readonly auditLog: string;
  readonly namespace: readonly string[];
  readonly cluster?: string;
  readonly transcript: readonly string[];
  readonly system: readonly string[];
  readonly json?: boolean;
}

/** Users of the control plane itself: their writes are counted and listed, and are no finding. */
const controlPlane: readonly string[] = [
  "system:apiserver",
  "system:kube-controller-manager",
  "system:cloud-controller-manager",
  "system:kube-scheduler",
  "system:node:*",
  "system:serviceaccount:kube-system:*",
];

const own: OwnIdentities = {
  gateway: accountUser(systemNamespace, gatewayAccountName),
  reader: accountUser(systemNamespace, readerAccountName),
  preview: accountUser(systemNamespace, previewAccountName),
  run: accountUser(sessionsNamespace, "run-"),
  systemNamespace,
  sessionsNamespace,
  probe: probeName,
  objects: ["run-", "anchor-"],
};

const help = `
Finds what our identities did without an entry, what others wrote where Sallyport governs, entries with
an effect that the log does not show, and requests that are not what their entry says. Exit code 0 where
nothing is to be looked at, 3 where something is, or where the log reaches back to days whose entries were
purged: nothing can be said of those, so give a log that begins later. A log without any event compares
nothing: exit code 2, and no entry.

Examples:
  $ sallyport transcript reconcile --audit-log /var/log/kubernetes/audit.log --namespace shop,billing
  $ sallyport transcript reconcile --audit-log ./rotated --cluster prod --system system:serviceaccount:argocd:*
`;

export function reconcileCommand(io: Io, onRecord: OnRecord): Command {
  const words = (text: string, before: readonly string[]): readonly string[] => [
    ...before,
    ...text.split(",").filter((word) => word !== ""),
  ];
  const nobody: readonly string[] = [];
  return new Command("reconcile")
    .description("compare the record with the API server's own audit log; exit code 3 when they differ")
    .requiredOption("--audit-log <path>", "a log file (JSON lines, .gz too), or a folder of rotated ones")
    .option("--namespace <names>", "where writes by others are told (default: where calls wrote)", words, nobody)
    .option("--cluster <name>", "the cluster that the log is of, where the record knows several")
    .option("--transcript <folders>", "records of other gateways that serve the same cluster", words, nobody)
    .option("--system <names>", "further identities of the control plane; a * at the end stands for any", words, nobody)
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .action((flags: Flags) => reading(() => run(io, onRecord, flags)));
}

async function run(io: Io, onRecord: OnRecord, flags: Flags): Promise<void> {
  const system = [...controlPlane, ...flags.system];
  const found = await reconcile({
    log: flags.auditLog,
    folders: [stateFolder(io.env), ...flags.transcript],
    own,
    namespaces: flags.namespace,
    cluster: flags.cluster ?? "",
    system,
  }).catch((thrown: unknown) => {
    throw thrown instanceof RangeError
      ? new CommandFailed(`Nothing was compared: ${plainText(thrown.message)}.`, 2)
      : thrown;
  });
  const why = await onRecord("reconcile.ran", entryOf(found));
  if (flags.json === true) io.out(`${JSON.stringify({ ...found, quiet: system, recorded: why === "" })}\n`);
  else io.out(reconciledText(io, found, system));
  if (why !== "") io.err(`No entry tells of this comparison: ${why}\n`);
  if (!found.ok) throw new CommandFailed(whyNotOk(found), 3);
}

function whyNotOk({ theft, bypass, missing, differ, log, notJudged, purgedBefore }: Reconciled): string {
  const found = theft.length + bypass.length + missing.length + differ.length + log.unreadable;
  if (found > 0) return "The record and the audit log do not agree, or others wrote here.";
  return `Nothing was found, and ${notJudged} requests were not judged: give a log that begins on ${purgedBefore}.`;
}

function entryOf(found: Reconciled) {
  const { cluster, from, to, log, namespaces, calls, theft, bypass, missing, differ, notJudged, purgedBefore } = found;
  return {
    cluster,
    from,
    to,
    log: log.digest,
    events: log.events,
    namespaces,
    calls,
    theft: theft.length,
    bypass: bypass.reduce((sum, { count }) => sum + count, 0),
    missing: missing.length,
    differ: differ.length,
    ...(notJudged === 0 ? {} : { notJudged, purgedBefore }),
  };
}

const most = 20;

function reconciledText(io: Io, found: Reconciled, system: readonly string[]): string {
  const { log, namespaces, calls, outside } = found;
  const head = [
    `${log.events} events in ${log.files} ${log.files === 1 ? "file" : "files"}, ${found.from} to ${found.to}; ${calls} calls in that time, ${outside} outside it.`,
    `Writes by others were looked for in ${namespaces.length === 0 ? "no namespace: no call wrote anywhere, name them with --namespace" : namespaces.join(", ")}.`,
    ...(found.purgedBefore === ""
      ? []
      : [
          `${found.notJudged} requests before ${found.purgedBefore} were not judged: entries of that time were purged, and nothing here explains them any more.`,
        ]),
    ...(log.unreadable === 0 ? [] : [paint(io, "bad", `${log.unreadable} lines of the log are no audit events.`)]),
    "",
  ];
  return [
    ...head,
    ...part(io, "THEFT", "our identities did nothing without an entry", found.theft.map(findingText)),
    ...part(io, "BYPASS", "nobody else wrote here", found.bypass.flatMap(othersText)),
    ...part(
      io,
      "MISSING",
      "every effect on record is in the log",
      found.missing.map(({ call, says }) => `${call}: ${says}`),
    ),
    ...part(io, "DIFFER", "every request is what its entry says", found.differ.map(findingText)),
    ...found.resolved.map(
      ({ call, effects }) =>
        `${call}: its end is not on record; the log shows ${effects === 0 ? "no write" : `${effects} writes`} of it`,
    ),
    "",
    `The control plane's own writes, which are no finding (${system.join(", ")}):`,
    ...counted(found.system),
    ...(found.enrolment.length === 0
      ? []
      : [
          "What says of itself that it is enrolment or a gateway's start, by administrators:",
          ...counted(found.enrolment),
        ]),
    "",
  ].join("\n");
}

function part(io: Io, title: string, good: string, found: readonly string[]): readonly string[] {
  if (found.length === 0) return [`${title.padEnd(8)} ${paint(io, "good", "none")}   ${good}`];
  const more = found.length > most ? [`${" ".repeat(9)}and ${found.length - most} more (--json has them all)`] : [];
  return [
    `${title.padEnd(8)} ${paint(io, "bad", "found")}  ${found.length}`,
    ...found.slice(0, most).map((line) => `${" ".repeat(9)}${plainText(line)}`),
    ...more,
  ];
}

function findingText({ says, at, identity, auditId }: Finding): string {
  return `${at} ${identity}: ${says} (audit id ${auditId})`;
}

function othersText({ identity, count, first }: Others): readonly string[] {
  const more = count > first.length ? [`  and ${count - first.length} more`] : [];
  return [`${identity}: ${count} ${count === 1 ? "write" : "writes"}`, ...first.map((one) => `  ${one}`), ...more];
}

function counted(others: readonly Others[]): readonly string[] {
  return others.length === 0 ? ["  none"] : others.map(({ identity, count }) => `  ${plainText(identity)}: ${count}`);
}
