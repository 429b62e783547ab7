// `sallyport enroll` and `unenroll` at the network edge: what they refuse, how far they go, and what they ask.

import { afterEach, beforeEach, describe, expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { enrollCommand, unenrollCommand, type Connect, type EnrolIo } from "../../../src/commands/enroll.ts";
import { CommandFailed } from "../../../src/commands/io.ts";
import { everyObjectOf } from "../../../src/credentials/manifests.ts";
import { promise } from "../../support/promise.ts";
import { openLoopback, refusedBy, status, type Loopback, type Seen } from "./loopback.ts";

let loopback: Loopback;
beforeEach(async () => {
  loopback = await openLoopback();
  loopback.objects.set("/api/v1/namespaces/shop", { metadata: { name: "shop" } });
  loopback.objects.set("/api/v1/namespaces/pay", { metadata: { name: "pay" } });
  loopback.instead = fenced;
});
afterEach(async () => {
  await loopback.close();
});

const probe = "/api/v1/namespaces/sallyport-system/configmaps/preview-probe";
const fenced = (seen: Seen) =>
  seen.method === "PATCH" && seen.path === probe ? refusedBy("sallyport-preview") : undefined;

interface Run {
  readonly out: string;
  /** The sentence, where it failed. */
  readonly failed: string;
  readonly exitCode: number;
  readonly asked: readonly string[];
}
async function run(args: readonly string[], answer: string | null = null): Promise<Run> {
  let out = "";
  const asked: string[] = [];
  const io: EnrolIo = {
    out: (text) => void (out += text),
    pause: () => Promise.resolve(),
    interactive: answer !== null,
    ask: async (question) => {
      asked.push(question);
      return answer ?? "";
    },
    now: Date.now,
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    signal: new AbortController().signal,
  };
  const [name = "", ...rest] = args;
  const connect: Connect = async () => ({
    connection: loopback.connection,
    client: { ...loopback.client, close: async () => {} },
  });
  const command = (name === "enroll" ? enrollCommand : unenrollCommand)(io, connect, async () => []).exitOverride();
  try {
    await command.configureOutput({ writeErr: () => {} }).parseAsync(rest, { from: "user" });
    return { out, failed: "", exitCode: 0, asked };
  } catch (thrown) {
    if (thrown instanceof CommandFailed) return { out, failed: thrown.message, exitCode: thrown.exitCode, asked };
    throw thrown;
  }
}
const writes = (): string[] =>
  loopback.seen.filter((seen) => seen.method !== "GET").map((seen) => `${seen.method} ${seen.path}`);
const inShop = (): string[] => [...loopback.objects.keys()].filter((path) => path.includes("/namespaces/shop/"));

describe("enroll", () => {
  promise("credentials:enroll-print", "--print gives the exact objects as YAML and opens no connection", async () => {
    const { out, exitCode } = await run(["enroll", "--namespace", "shop,pay", "--print"]);
    const printed = parseAllDocuments(out).map((document) => document.toJS() as unknown);
    const objects = everyObjectOf({
      namespaces: ["pay", "shop"],
      clusterRead: false,
      secrets: false,
      nodes: false,
      exec: false,
      kinds: [],
      clusterKinds: [],
    });
    expect([exitCode, loopback.seen]).toEqual([0, []]);
    expect(printed).toEqual(objects.map((one) => one.object));
  });

  promise("credentials:enroll-print", "a no, an empty answer and nobody to ask change nothing", async () => {
    for (const [answer, exitCode] of [
      ["n", 1],
      ["", 1],
      ["ja", 1],
      [null, 2],
    ] as const) {
      const ended = await run(["enroll", "--namespace", "shop"], answer);
      expect([ended.exitCode, writes(), ended.asked.length]).toEqual([exitCode, [], answer === null ? 0 : 1]);
      expect((await run(["unenroll"], answer)).exitCode).toBe(exitCode);
      expect(writes()).toEqual([]);
    }
  });

  promise("credentials:enroll-print", "a yes applies what was shown, and a second run changes nothing", async () => {
    const first = await run(["enroll", "--namespace", "shop"], "y");
    expect([first.failed, first.exitCode]).toEqual(["", 0]);
    const shown = parseAllDocuments(first.out.slice(0, first.out.indexOf("\n# "))).length;
    expect(first.asked).toEqual([
      `Apply these ${shown} objects to cluster loopback (${loopback.connection.server})? [y/N] `,
    ]);
    loopback.seen.length = 0;
    const second = await run(["enroll", "--namespace", "shop", "--yes"]);
    expect(second.exitCode).toBe(0);
    expect(writes()).toEqual([
      "POST /api/v1/namespaces/sallyport-system/serviceaccounts/preview/token",
      `PATCH ${probe}`,
    ]);
  });

  promise(
    "credentials:enroll-idempotent",
    "two at once both end well, with what one alone would have made",
    async () => {
      await run(["enroll", "--namespace", "shop", "--yes"]);
      const alone = [...loopback.objects.keys()].toSorted();
      await run(["unenroll", "--yes"]);
      const met = Promise.withResolvers<void>();
      let looked = 0;
      // Both have seen that there is nothing before one of them makes anything.
      loopback.instead = async (seen) => {
        if (seen.method === "GET" && seen.path === "/api/v1/namespaces/sallyport-system") {
          if (++looked === 2) met.resolve();
          await met.promise;
        }
        return fenced(seen);
      };
      const both = await Promise.all([1, 2].map(() => run(["enroll", "--namespace", "shop", "--yes"])));
      expect(both.map(({ failed, exitCode }) => [failed, exitCode])).toEqual([
        ["", 0],
        ["", 0],
      ]);
      expect([...loopback.objects.keys()].toSorted()).toEqual(alone);
      expect(
        both.map(({ out }) => /(created|unchanged) +Namespace sallyport-system/.exec(out)?.[1]).toSorted(),
      ).toEqual(["created", "unchanged"]);
    },
  );

  promise("credentials:enroll-idempotent", "an object that stays in the way is a fault, not a loop", async () => {
    loopback.instead = (seen) =>
      seen.method === "POST" && seen.path.endsWith("/resourcequotas")
        ? status(409, "AlreadyExists", seen.path)
        : fenced(seen);
    const { failed, exitCode } = await run(["enroll", "--namespace", "shop", "--yes"]);
    expect([failed, exitCode]).toEqual([expect.stringContaining("already_exists (POST"), 1]);
    expect(loopback.seen.filter((seen) => seen.path.endsWith("/resourcequotas"))).toHaveLength(8);
  });

  promise(
    "credentials:enroll-idempotent",
    "a second namespace is added to the first, with what was allowed before",
    async () => {
      await run(["enroll", "--namespace", "shop", "--cluster-read", "--yes"]);
      const { out } = await run(["enroll", "--namespace", "pay", "--yes"]);
      expect(out).toContain("is enrolled: pay, shop.");
      const record = loopback.objects.get("/api/v1/namespaces/sallyport-system/configmaps/enrolment");
      expect(record?.["data"]).toEqual({
        version: "1",
        namespaces: "pay,shop",
        clusterRead: "true",
        secrets: "false",
        nodes: "false",
        exec: "false",
      });
    },
  );

  const objections: readonly (readonly [string, string, Loopback["instead"], string])[] = [
    ["a missing namespace", "shop,nowhere", fenced, "Namespace nowhere does not exist in this cluster."],
    ["a name that is none", "shop,../pay", fenced, '"../pay" is not a namespace\'s name.'],
    [
      "our own namespace",
      "sallyport-system",
      fenced,
      "sallyport-system is Sallyport's own namespace and can't be enrolled.",
    ],
    [
      "an old Kubernetes",
      "shop",
      (seen) =>
        seen.path === "/version"
          ? { status: 200, body: { major: "1", minor: "31+", gitVersion: "v1.31.9" } }
          : undefined,
      'Sallyport needs Kubernetes 1.32 or later; this cluster says "v1.31.9".',
    ],
    [
      "no version",
      "shop",
      (seen) => (seen.path === "/version" ? { status: 200, body: {} } : undefined),
      'Sallyport needs Kubernetes 1.32 or later; this cluster says "".',
    ],
  ];
  for (const [what, namespaces, instead, sentence] of objections)
    promise("credentials:enroll-refused", what, async () => {
      loopback.instead = instead;
      const ended = await run(["enroll", "--namespace", namespaces, "--yes"]);
      // What is no name at all is wrong usage.
      expect([ended.failed, ended.exitCode, writes()]).toEqual([sentence, what === "a name that is none" ? 2 : 1, []]);
    });

  promise(
    "credentials:enroll-refused",
    "a fence that does not bite leaves every application out of reach",
    async () => {
      for (const answer of [{ status: 200, body: {} }, status(403, "Forbidden", probe)]) {
        loopback.instead = (seen) => (seen.method === "PATCH" && seen.path === probe ? answer : undefined);
        const ended = await run(["enroll", "--namespace", "shop", "--yes"]);
        expect(ended.failed).toMatch(/^The admission policy sallyport-preview does not hold the preview account/);
        expect(ended.failed).toMatch(/so no namespace was enrolled\.$/);
        expect(inShop()).toEqual([]);
      }
    },
  );

  promise("credentials:enroll-refused", "a missing right is named, wherever it is missing", async () => {
    const objects = everyObjectOf({
      namespaces: ["shop"],
      clusterRead: false,
      secrets: false,
      nodes: false,
      exec: false,
      kinds: [],
      clusterKinds: [],
    });
    for (const stop of [0, 3, objects.length - 12, objects.length - 1]) {
      loopback.objects.clear();
      loopback.objects.set("/api/v1/namespaces/shop", { metadata: { name: "shop" } });
      let made = 0;
      loopback.instead = (seen) => {
        if (seen.method === "POST" && !seen.path.endsWith("/token") && made++ === stop)
          return status(403, "Forbidden", seen.path, "words of the server");
        return fenced(seen);
      };
      const { failed, out } = await run(["enroll", "--namespace", "shop", "--yes"]);
      expect(failed).toMatch(
        /^Kubernetes does not let this kubeconfig's user create [a-z.0-9]+( in namespace [a-z-]+)?\. /,
      );
      expect(failed).not.toContain("words of the server");
      expect(out.split("\n").filter((line) => line.startsWith("created")).length).toBe(stop);
    }
  });

  promise("credentials:unenroll", "removes what enrol and a lost grant made, and nothing else", async () => {
    const before = [...loopback.objects.keys()];
    await run(["enroll", "--namespace", "shop", "--yes", "--secrets", "--cluster-read"]);
    const theirs = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/theirs";
    loopback.objects.set(theirs, { metadata: { name: "theirs" } });
    const ended = await run(["unenroll", "--yes"]);
    expect([ended.failed, ended.exitCode]).toEqual(["", 0]);
    expect([...loopback.objects.keys()].sort()).toEqual([...before, theirs].sort());
    expect((await run(["unenroll", "--yes"])).exitCode).toBe(0);
  });

  promise("credentials:unenroll", "one namespace of two; the other stays as it was", async () => {
    await run(["enroll", "--namespace", "shop,pay", "--yes"]);
    const { exitCode } = await run(["unenroll", "--namespace", "shop", "--yes"]);
    expect([exitCode, inShop()]).toEqual([0, []]);
    const { out } = await run(["enroll", "--namespace", "pay", "--yes"]);
    expect(out.split("\n").filter((line) => /^(created|updated|removed)/.test(line))).toEqual([]);
  });
});
