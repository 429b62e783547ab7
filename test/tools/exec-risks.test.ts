// Which commands need a person whatever a rule allows, attack by attack, and which do not; and what an approver is shown of any of them.

import * as fc from "fast-check";
import { expect } from "vitest";
import { Faulted } from "../../src/domain/fault.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import { commandRisks, containerIn, shownCommand } from "../../src/tool.ts";
import pods_exec from "../../tools/pods_exec.ts";
import { promise } from "../support/promise.ts";

/** Each would reach a shell, an interpreter, the environment or a credential, by its front door or another. */
const attacks: readonly (readonly string[])[] = [
  ["sh"],
  ["sh", "-c", "true"],
  ["/bin/bash", "-c", "true"],
  ["/bin//bash"],
  ["/bin/../bin/sh"],
  ["BASH"],
  ["busybox", "sh"],
  ["python3.11", "-c", "1"],
  ["perl", "-e", "1"],
  ["node", "-e", "1"],
  ["ruby"],
  ["php", "-r", "1"],
  ["awk", 'BEGIN{system("id")}'],
  ["/lib64/ld-linux-x86-64.so.2", "/bin/sh"],
  ["timeout", "5", "sh"],
  ["xargs", "-a", "f", "cat"],
  ["nohup", "/bin/sh"],
  ["unknown-wrapper", "/bin/sh", "-c", "true"],
  ["unknown-wrapper", "--run=/bin/sh"],
  ["unknown-wrapper", "a;sh"],
  ["cp", "/bin/sh", "/tmp/x"],
  ["find", "/tmp", "-exec", "rm", "{}", "+"],
  ["sudo", "ls"],
  ["nsenter", "-t", "1", "ls"],
  ["kubectl", "get", "pods"],
  ["env"],
  ["/usr/bin/env"],
  ["printenv", "HOME"],
  ["set"],
  ["cat", "/proc/1/environ"],
  ["cat", "/proc/self/environ"],
  ["cat", "//proc//1/./environ"],
  ["cat", "/tmp/../proc/1/environ"],
  ["cat", "proc/1/environ"],
  ["strings", "/proc/1/root/app/settings"],
  ["dd", "if=/proc/1/mem"],
  ["cat", "/var/run/secrets/kubernetes.io/serviceaccount/token"],
  ["cat", "/run/secrets/db"],
  ["cat", "/var/run/../run/secrets/x"],
  ["cat", "secrets/kubernetes.io/serviceaccount/ca.crt"],
  ["head", "/root/.kube/config"],
  ["head", "/etc/kubernetes/admin.conf"],
  ["cat", "/app/credentials.json"],
  ["cat", "/home/app/.aws/credentials"],
  ["cat", "/app/.env"],
  ["cat", "/app/server.key"],
  ["cat", "/etc/shadow"],
  ["grep", "-r", "password", "/app"],
  ["grep", "-r", "x", "/"],
  ["tar", "c", "/var/run"],
  ["cat", "-R", "/var/run/"],
  ["ls", "-laR", "/"],
  ["cp", "-r", "../../..", "/tmp"],
  ["curl", "http://169.254.169.254/latest/meta-data"],
  ["wget", "http://metadata.google.internal/"],
  ["curl", "-k", "https://kubernetes.default.svc/api"],
  ["ѕh"],
  ["сat", "/app/x"],
];

/** Daily looks that a rule may let run. */
const harmless: readonly (readonly string[])[] = [
  ["ls", "-la", "/app"],
  ["ls", "/"],
  ["cat", "/etc/resolv.conf"],
  ["cat", "/proc/meminfo"],
  ["df", "-h"],
  ["df", "/"],
  ["ps", "aux"],
  ["date"],
  ["uptime"],
  ["nslookup", "api.shop.svc.cluster.local"],
  ["curl", "-s", "http://localhost:8080/healthz"],
  ["wget", "-qO-", "http://api:8080/ready"],
  ["cat", "/app/version.txt"],
  ["du", "-sh", "/data"],
  ["tail", "-n", "50", "/var/log/app.log"],
  ["stat", "/data/file"],
  ["ping", "-c", "1", "api"],
  ["nginx", "-t"],
  ["redis-server", "--version"],
];

promise("tools:exec-asks", "every way to a shell, an environment or a credential that we know of", () => {
  expect(attacks.filter((command) => commandRisks(command).length === 0)).toEqual([]);
  expect(harmless.filter((command) => commandRisks(command).length > 0)).toEqual([]);
});

promise(
  "tools:exec-asks",
  "a shell anywhere in a command is found, whatever stands around it, and risks are told in our words",
  () => {
    const word = fc.string({ unit: "grapheme-ascii", maxLength: 30 });
    const shell = fc.constantFrom(
      "sh",
      "/bin/sh",
      "--shell=/bin/bash",
      "$(sh)",
      "a|bash",
      "/BIN/SH",
      "`dash`",
      "x;/usr/bin/zsh -c y",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), shell, fc.array(word, { maxLength: 6 }), (before, found, after) => {
        const risks = commandRisks([...before, found, ...after]);
        expect(risks.some((risk) => risk.includes("is a shell"))).toBe(true);
        for (const risk of risks) expect(risk).toMatch(/^[A-Za-z0-9'?._:,/ -]{1,120}$/);
      }),
    );
  },
);

/** Text in which unseen characters were written out, as it was. */
const readBack = (text: string): string =>
  text.replaceAll(/\\u\{([0-9A-F]+)\}/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)));

promise(
  "tools:exec-preview",
  "an approver is shown every character of any command, none of it cut by a renderer",
  () => {
    const words = fc.array(
      fc.string({ unit: "grapheme", maxLength: 1024 }).map((text) => text.slice(0, 1024).toWellFormed()),
      { minLength: 1, maxLength: 32 },
    );
    fc.assert(
      fc.property(words, (command) => {
        const lines = shownCommand(command);
        expect(
          lines.every(({ sign, risk, after }) => sign === "+" && risk && Buffer.byteLength(after ?? "") <= 300),
        ).toBe(true);
        const [first] = lines;
        const whole = first?.path === "command" ? (JSON.parse(first.after ?? "") as string[]).map(readBack) : null;
        const read = command.map((_, index) =>
          lines
            .filter(({ path }) => path === `command[${index}]` || path.startsWith(`command[${index}] part `))
            .map(({ after }) => readBack(JSON.parse(after ?? "") as string))
            .join(""),
        );
        expect(whole ?? read).toEqual(command);
      }),
      { numRuns: 60 },
    );
  },
);

const running = { state: { running: {} }, ready: true, restartCount: 2, containerID: "containerd://1" };
function pod(spec: JsonObject, statuses: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  return { metadata: { name: "web-1", ...more }, spec, status: { containerStatuses: statuses } };
}
function faultIn(run: () => unknown) {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Faulted) return thrown.fault;
    throw thrown;
  }
  throw new Error("it did not fault");
}

promise(
  "tools:exec-agreed",
  "the container is the one that was named, the only one, or the pod's own default; else the choices are told",
  () => {
    const two = pod(
      {
        containers: [
          { name: "web", image: "a" },
          { name: "proxy", image: "b" },
        ],
        nodeName: "n1",
        serviceAccountName: "app",
      },
      [
        { name: "web", ...running },
        { name: "proxy", state: { waiting: { reason: "CrashLoopBackOff" } } },
      ],
    );
    expect(containerIn(two, "web")).toEqual({
      name: "web",
      image: "a",
      ready: true,
      restarts: 2,
      id: "containerd://1",
      account: "app",
      node: "n1",
      powers: [],
    });
    expect(
      containerIn({ ...two, metadata: { annotations: { "kubectl.kubernetes.io/default-container": "web" } } }).name,
    ).toBe("web");
    expect(faultIn(() => containerIn(two))).toMatchObject({
      code: "invalid_input",
      detail: { choices: ["web", "proxy"] },
    });
    expect(faultIn(() => containerIn(two, "other"))).toMatchObject({
      code: "invalid_input",
      detail: { choices: ["web", "proxy"] },
    });
    expect(faultIn(() => containerIn(two, "proxy"))).toMatchObject({
      code: "exec_failed",
      detail: { name: "web-1", why: "container" },
      effect: "none",
    });
  },
);

promise("tools:exec-asks", "a container that can take its node is told, and needs a person for any command", () => {
  const spec = {
    hostPID: true,
    volumes: [
      { name: "root", hostPath: { path: "/" } },
      { name: "other", hostPath: { path: "/x" } },
    ],
    containers: [
      {
        name: "web",
        image: "a",
        securityContext: { privileged: true },
        volumeMounts: [{ name: "root", mountPath: "/host" }],
      },
    ],
  };
  expect(containerIn(pod(spec, [{ name: "web", ...running }])).powers).toEqual([
    "the container is privileged: it can take the node",
    "the pod shares the node's processes, memory or network",
    "files of the node are mounted in the container",
  ]);
});

promise(
  "tools:exec-inspectable",
  "arguments that are no list of visible words are refused by path and rule, never by value",
  () => {
    const right = { name: "web-1", namespace: "shop", command: ["ls"], reason: "looking at it" };
    const wrong: readonly JsonObject[] = [
      { command: "ls" },
      { command: [] },
      { command: [""] },
      { command: [" "] },
      { command: ["ls", "x".repeat(1025)] },
      { command: ["ls", "\u0000"] },
      { command: ["ls", "\u202esecret-of-mine"] },
      { command: ["ls", "\u200bsecret-of-mine"] },
      { command: ["ls", "\ud800"] },
      { command: ["ls", 1] },
      { command: Array.from({ length: 33 }, () => "ls") },
      { timeout_seconds: 61 },
      { timeout_seconds: 0 },
      { timeout_seconds: -1 },
      { timeout_seconds: 1e9 },
      { container: "../x" },
      { name: "web-1/../../secrets/db" },
      { name: "web%2f1" },
      { namespace: "kube-system#" },
      { stdin: true },
      { tty: true },
      { reason: "short" },
    ];
    for (const more of wrong) {
      const opened = pods_exec.open({ ...right, ...more });
      expect([more, opened.kind]).toEqual([more, "refused"]);
      expect(JSON.stringify(opened)).not.toContain("secret-of-mine");
    }
    expect(pods_exec.open({ ...right, command: ["sh", "-c", "a\n\tb"] }).kind).toBe("opened");
  },
);
