// `sallyport approvals`, through the owner process's methods, as a person types it.

import { expect } from "vitest";
import type { Mode, Voter } from "../../../src/approval/ballot.ts";
import { approvalMethods } from "../../../src/approval/methods.ts";
import { spend } from "../../../src/approval/verdict.ts";
import { approvalsCommand, type Io, type OwnerClient } from "../../../src/commands/approvals.ts";
import { CommandFailed } from "../../../src/commands/io.ts";
import type { ApprovalRequest } from "../../../src/domain/approval.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import { promise } from "../../support/promise.ts";
import {
  keep,
  kinds,
  minute,
  multiUser,
  openStore,
  request,
  requirement,
  start,
  transcript,
  voter,
} from "./fixtures.ts";

/** A desk with one request, and a terminal in front of it. */
async function desk(by: Voter = voter("kim"), mode: Mode = multiUser, more: Partial<Io> = {}) {
  const store = await openStore();
  const { entries, append } = transcript();
  const made = await keep(store, request());
  const mask = (text: string): string => text.replaceAll("hunter2", "[MASKED:password]");
  const methods = approvalMethods({ store, append, mode, voter: by, mask, now: () => start + minute });
  const stop = new AbortController();
  let printed = "";
  const write = (text: string): void => {
    printed += text;
  };
  const io: Io = {
    out: write,
    err: write,
    colour: false,
    interactive: true,
    ask: () => Promise.resolve("y"),
    now: () => start + minute,
    signal: stop.signal,
    ...more,
  };
  const owner: OwnerClient = {
    call: async (method, params) =>
      await methods[method as keyof typeof methods](JSON.parse(JSON.stringify(params)) as JsonObject),
  };
  async function type(...words: string[]): Promise<string> {
    printed = "";
    const failed: unknown = await approvalsCommand(io, owner)
      .parseAsync(words, { from: "user" })
      .then(
        () => null,
        (error: unknown) => error,
      );
    if (failed instanceof CommandFailed) return `${printed}FAILED ${failed.exitCode} ${failed.message}`;
    if (failed instanceof Error) return `${printed}THREW ${failed.message}`;
    return printed;
  }
  return { store, made, entries, append, methods, type, stop, owner, printed: () => printed };
}

const short = (made: ApprovalRequest): string => made.id.slice(-8);
const which = "workloads_scale Deployment shop/api";

promise("approval:terminal", "list shows what waits, show the whole card, and both say it in JSON", async () => {
  const { type, made, store } = await desk();
  const line = `${short(made)} pending ${which}, asked by jo through scaler`;
  expect(await type("list")).toBe(`${line}  expires in 59 min\n`);
  expect(await type("show", short(made))).toContain('reason    "more load is coming"');
  expect(JSON.parse(await type("show", made.id, "--json"))).toEqual({
    kind: "request",
    request: await store.get(made.id),
  });
  expect(JSON.parse(await type("list", "--json"))).toMatchObject({ kind: "requests", requests: [{ id: made.id }] });
  expect(await type("approve", short(made), "--yes", "--json")).toContain('"kind":"approved"');
  await spend(store, () => Promise.resolve([]), made.id, { ...made, now: start + minute });
  expect(await type("list")).toBe("Nothing waits for an answer.\n");
  expect(await type("list", "--all")).toContain(`${short(made)} spent ${which}`);
});

promise("approval:terminal", "approve shows the card, asks, and takes only a yes", async () => {
  let typed = "";
  const asked: string[] = [];
  const ask = (question: string): Promise<string> => {
    asked.push(question);
    return Promise.resolve(typed);
  };
  const { type, made, entries, store } = await desk(voter("kim"), multiUser, { ask });
  for (typed of ["", "n", "yeah", "no"])
    expect(await type("approve", short(made))).toMatch(
      /effect\n {4}~ spec.replicas: 3 -> 5[^]*FAILED 1 Not approved; the request still waits\.$/,
    );
  expect([(await store.get(made.id))?.state, entries]).toEqual(["pending", []]);
  typed = " Y ";
  expect(await type("approve", short(made), "--reason", "ok, not hunter2")).toMatch(
    /Approved: workloads_scale Deployment shop\/api\. The call runs now\.\n$/,
  );
  expect(asked[0]).toBe(`Approve ${short(made)}: ${which}? [y/N] `);
  expect(entries).toMatchObject([{ details: { state: "approved", reason: "ok, not [MASKED:password]" } }]);
});

promise("approval:terminal", "without a person to ask only --yes approves", async () => {
  const { type, made, store } = await desk(voter("kim"), multiUser, { interactive: false });
  expect(await type("approve", short(made))).toBe(
    "FAILED 2 Nobody is here to ask: add --yes to approve without asking.",
  );
  expect((await store.get(made.id))?.state).toBe("pending");
  expect(await type("approve", short(made), "--yes")).toContain("The call runs now.");
});

promise("approval:terminal", "reject wants a reason, and takes an approval back while it has not run", async () => {
  const { type, made, entries, store } = await desk();
  expect(await type("reject", short(made))).toContain("THREW error: required option '--reason <text>' not specified");
  expect(await type("approve", short(made), "--yes")).toContain("Approved");
  expect(await type("reject", short(made), "--reason", "not now", "--tell-agent")).toBe(
    `Taken back: ${which}. It does not run.\n`,
  );
  expect(kinds(entries)).toEqual(["approval.decided approved", "approval.decided revoked"]);
  expect((await store.get(made.id))?.verdicts.at(-1)).toMatchObject({
    answer: "reject",
    reason: "not now",
    tellAgent: true,
  });
  const second = await desk();
  expect(await second.type("reject", second.made.id, "--reason", "no")).toBe(`Rejected: ${which}. It does not run.\n`);
  expect(await second.type("approve", second.made.id, "--yes")).toContain(
    "FAILED 1 Too late: the request has ended. It is rejected.",
  );
});

promise("approval:terminal", "withdraw is for who asked, and their own approval is not", async () => {
  const { type, made } = await desk(voter("jo"));
  expect(await type("approve", short(made), "--yes")).toContain("FAILED 1 Nobody answers their own request");
  expect(await type("withdraw", short(made))).toBe(`Withdrawn: ${which}. It does not run.\n`);
  const other = await desk();
  expect(await other.type("withdraw", short(other.made))).toContain("FAILED 1 Nobody answers their own request");
});

promise("approval:only-the-named", "a stranger's terminal shows nothing and finds nothing", async () => {
  const { type, made, methods } = await desk(voter("eve", { groups: ["developers"] }));
  expect(await type("list", "--all")).toBe("Nothing waits for an answer.\n");
  const notFound = "FAILED 1 There is no such request, or it is not for you to see.";
  expect(await type("show", made.id)).toBe(notFound);
  expect(await type("reject", made.id, "--reason", "x")).toBe(notFound);
  expect(await methods["approvals.approve"]({ id: made.id })).toEqual({
    kind: "refused",
    code: "not_found",
    state: null,
  });
});

promise("approval:terminal", "an id may be shortened while it names one request", async () => {
  const { type, made, store, methods } = await desk();
  const other = await keep(store, request({ call: { digest: "77".repeat(32) } }));
  expect(await type("show", made.id.slice(4, 12))).toBe("FAILED 1 Several requests match: type more of the id.");
  expect(await type("show", made.id.slice(4))).toContain(made.id);
  expect(await type("show", short(other))).toContain(other.id);
  for (const id of ["abc", "", "apr_", "*", "../x", "A".repeat(8)])
    await expect(methods["approvals.show"]({ id })).rejects.toThrow("invalid_input");
  await expect(methods["approvals.approve"]({ id: made.id, approver: "kim" })).rejects.toThrow("invalid_input");
  await expect(methods["approvals.list"]({ wait: 1e9 })).rejects.toThrow("invalid_input");
});

promise("approval:terminal", "watch prints each new request and each change until interrupted", async () => {
  const { type, made, stop, store, methods, printed } = await desk();
  const watching = type("watch");
  const until = async (text: string): Promise<void> => {
    while (!printed().includes(text)) await new Promise((done) => setTimeout(done, 2));
  };
  await until(made.id);
  const second = await keep(store, request({ requirements: [requirement({ count: 2 })] }));
  await until(second.id);
  await methods["approvals.approve"]({ id: second.id });
  await until(`${short(second)} pending ${which}, asked by jo through scaler; kim approved`);
  await methods["approvals.reject"]({ id: made.id, reason: "no" });
  await until(`${short(made)} rejected`);
  stop.abort();
  const lines = (await watching).split("\n").filter((line) => /^(workloads|[0-9a-f]{8} )/.test(line));
  expect(lines).toEqual([
    "workloads_scale (change): Deployment shop/api",
    "workloads_scale (change): Deployment shop/api",
    `${short(second)} pending ${which}, asked by jo through scaler; kim approved by terminal (chat)`,
    `${short(made)} rejected ${which}, asked by jo through scaler; kim rejected by terminal (chat): "no"`,
  ]);
});

promise(
  "approval:terminal",
  "colours only where the terminal shows them; another owner's words are refused",
  async () => {
    const { type, made } = await desk(voter("kim"), multiUser, { colour: true });
    expect(await type("list")).toContain(`${short(made)} \u001b[33mpending\u001b[0m ${which}`);
    const { type: typed, owner } = await desk();
    Object.assign(owner, { call: () => Promise.resolve({ kind: "granted" }) });
    expect(await typed("list")).toMatch(/^FAILED 1 The owner process answered something else/);
  },
);
