// What reaches standard error: the attack is a secret in everything that can be logged, and an object that brings more than its event.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallId } from "../../src/domain/ids.ts";
import { logEvents, openLog, type LogEvent, type LogFields } from "../../src/log.ts";
import { defaultProfile } from "../../src/masking/profile.ts";
import { logMasking } from "../../src/wiring/log-masking.ts";
import { promise } from "../support/promise.ts";

const mask = logMasking({ profile: defaultProfile }, (count) => randomBytes(count));
const call = "call_01900000-0000-7000-8000-000000000001" as CallId;

/** The lines that these fields make, as they are written. */
function written(fields: LogFields, event: LogEvent = "fault", level = "info"): string {
  let text = "";
  openLog(level, (line) => (text += line), mask).warn(fields, event);
  return text;
}
const parsed = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

/** Where a secret stands in what servers, libraries and clients say. None of these was ever one. */
const letters = fc.string({
  unit: fc.constantFrom(...Array.from("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")),
  minLength: 24,
  maxLength: 40,
});
const places: { readonly [place: string]: (secret: string) => string } = {
  header: (secret) => `GET /api 401: Authorization: Bearer ${secret}`,
  "headers as an object": (secret) => `{"headers":{"authorization":"Bearer ${secret}","accept":"*/*"}}`,
  cookie: (secret) => `Cookie: session=${secret}; path=/`,
  userinfo: (secret) => `connect ECONNREFUSED https://admin:${secret}@db.example.com:5432/app`,
  query: (secret) => `redirected to /callback?access_token=${secret}&state=1`,
  pair: (secret) => `open failed: password=${secret}`,
  "environment of a stack": (secret) =>
    `Error: spawn EACCES\n    at run (file.js:1:2)\n  env: { DB_PASSWORD: '${secret}' }`,
  "vendor's token": (secret) => `rejected glpat-${secret.slice(0, 20)} for project 7`,
  yaml: (secret) => `can't parse:\nclient_secret: ${secret}\n`,
};
const tail = (secret: string): string => secret.slice(0, 20);

describe("a line", () => {
  promise("telemetry:log-is-closed", "whatever else hangs on the object stays where it is", () => {
    const smuggled = {
      call,
      code: "denied",
      effect: "none",
      cause: "why",
      token: "x",
      headers: { authorization: "y" },
      err: new Error("z"),
    } as const;
    const { time, ...line } = parsed(written(smuggled));
    expect(typeof time).toBe("number");
    expect(line).toEqual({ level: 40, call, code: "denied", effect: "none", cause: "why", msg: "fault" });
  });

  promise("telemetry:log-is-closed", "for any object at all, with values of any type", () => {
    const known = ["call", "code", "effect", "cluster", "channel", "issuer", "peer", "address", "status", "cause"];
    const anything = fc.dictionary(
      fc.oneof(fc.constantFrom(...known, "toJSON", "__proto__", "msg", "level"), fc.string()),
      fc.anything(),
    );
    fc.assert(
      fc.property(anything, fc.oneof(fc.constantFrom(...logEvents), fc.string()), (fields, event) => {
        const line = parsed(written(fields, event as LogEvent));
        expect(Object.keys(line).filter((key) => ![...known, "level", "time", "msg"].includes(key))).toEqual([]);
        expect([...logEvents, "an event without a name"]).toContain(line["msg"]);
        for (const key of ["cluster", "channel", "issuer", "cause"])
          expect(["string", "undefined"]).toContain(typeof line[key]);
        expect([undefined, "none", "applied", "unknown"]).toContain(line["effect"]);
      }),
    );
  });

  test("ids, codes and addresses are those or nothing", () => {
    const wrong = {
      call: "call_hunter2",
      code: "hunter2",
      effect: "hunter2",
      peer: "hunter2",
      address: "fe80::1%hunter2",
      status: "hunter2",
    };
    expect(written(wrong as object as LogFields)).not.toContain("hunter2");
    const right = parsed(
      written({ call, code: "stale", effect: "unknown", peer: "::1", address: "192.0.2.7", status: 401 }),
    );
    expect(right).toMatchObject({
      call,
      code: "stale",
      effect: "unknown",
      peer: "::1",
      address: "192.0.2.7",
      status: 401,
    });
  });

  test("one line each, and nothing that a terminal acts on", () => {
    const text = written({ cause: 'one\ntwo\r\n{"level":60}\u001b[2J\u009b2J\u202e\u0000' });
    expect(text.endsWith("\n") && text.trimEnd().split("\n").length).toBe(1);
    expect(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(parsed(text)["cause"] as string)).toBe(false);
  });

  test("what can't be masked is left out, and a long cause is cut after it was masked", () => {
    let text = "";
    const failing = openLog(
      "warn",
      (line) => (text += line),
      () => {
        throw new Error("hunter2");
      },
    );
    failing.warn({ cause: "hunter2" }, "fault");
    expect(parsed(text)["cause"]).toBe("(could not be masked)");
    expect((parsed(written({ cause: "x ".repeat(100_000) }))["cause"] as string).length).toBe(8_192);
  });

  test("the level holds back what is below it; an unknown one is warn", () => {
    const at = (level: string | undefined): string => {
      let text = "";
      const log = openLog(level, (line) => (text += line), mask);
      log.info({}, "the transcript");
      log.warn({}, "fault");
      log.error({}, "could not be closed");
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => String(parsed(line)["msg"]))
        .join("; ");
    };
    expect([at("info"), at("error"), at("silent"), at("loud"), at(undefined)]).toEqual([
      "the transcript; fault; could not be closed",
      "could not be closed",
      "",
      "fault; could not be closed",
      "fault; could not be closed",
    ]);
  });
});

describe("secrets", () => {
  promise("telemetry:log-without-secrets", "in whatever field and whatever place of a text they stand", () => {
    const fields = fc.constantFrom("cause", "channel", "cluster", "issuer");
    fc.assert(
      fc.property(
        letters,
        fc.constantFrom(...Object.keys(places)),
        fields,
        fc.constantFrom(...logEvents),
        (secret, place, field, event) => {
          const text = written({ [field]: places[place]?.(secret) ?? "" }, event);
          expect({ place, leaks: text.includes(tail(secret)) }).toEqual({ place, leaks: false });
        },
      ),
      { numRuns: 300 },
    );
  });

  promise("telemetry:log-without-secrets", "a thousandth line is masked as the first", () => {
    const texts = Array.from({ length: 1000 }, (_, index) =>
      written({ cause: `password=s3cr3tValueOfSomeone${index}` }),
    );
    expect(texts.filter((text) => text.includes("s3cr3tValueOfSomeone"))).toEqual([]);
  });
});

describe("what was logged before the end", () => {
  promise("telemetry:log-is-kept", "a process that kills itself at once leaves every line", async () => {
    const script = `
      const { openLog } = await import(${JSON.stringify(join(import.meta.dirname, "..", "..", "src", "log.ts"))});
      const log = openLog("warn", (line) => void process.stderr.write(line), (text) => text);
      for (let index = 0; index < 100; index++) log.warn({ cause: String(index) }, "fault");
      process.kill(process.pid, "SIGKILL");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    const signal = await new Promise((resolve) => child.on("close", (_, by) => resolve(by)));
    expect(signal).toBe("SIGKILL");
    const causes = said
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => parsed(line)["cause"]);
    expect(causes).toEqual(Array.from({ length: 100 }, (_, index) => String(index)));
  });
});
