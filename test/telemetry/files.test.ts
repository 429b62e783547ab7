// The files that operators name: what is no token, no headers, or readable by others keeps a gateway from starting, with a sentence.

import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { fault } from "../../src/domain/fault.ts";
import type { CallId } from "../../src/domain/ids.ts";
import { examineOperating } from "../../src/wiring/examine-operating.ts";
import { operatorTokenOf } from "../../src/wiring/operators.ts";
import { openTelemetry } from "../../src/wiring/telemetry.ts";
import { openCollector } from "../support/collector.ts";
import { promise } from "../support/promise.ts";
import { freshFolder } from "../support/world.ts";

const uid = process.getuid?.() ?? -1;
const call = "call_01900000-0000-7000-8000-000000000001" as CallId;
const token = "o".repeat(43);
let folder: string;
beforeEach(async () => {
  folder = await freshFolder();
});

async function fileOf(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode });
  await chmod(path, mode);
  return path;
}
const http = (operatorToken: string, tokens: readonly string[] = []) => ({
  operatorToken,
  tokens: tokens.map((file) => ({ file, subject: "operator", kind: "agent" as const, groups: [] })),
});

describe("the operator token", () => {
  promise(
    "telemetry:operators-only",
    "its file must be the owner's alone, hold a token, and not a caller's",
    async () => {
      const open = await fileOf("open", token, 0o644);
      const short = await fileOf("short", "hunter2");
      const [own, same] = [await fileOf("own", token), await fileOf("same", token)];
      expect(
        await Promise.all([
          operatorTokenOf(http(open), uid),
          operatorTokenOf(http(short), uid),
          operatorTokenOf(http(join(folder, "none")), uid),
          operatorTokenOf(http(own, [same]), uid),
        ]),
      ).toEqual([
        { kind: "refused", sentence: `${open} can be read by others: run chmod 600 on it.` },
        {
          kind: "refused",
          sentence: `${short} holds no token: it must be one line of at least 43 letters, digits, "-" or "_".`,
        },
        { kind: "refused", sentence: `${join(folder, "none")} can not be opened (ENOENT).` },
        { kind: "refused", sentence: `${own} holds the same token as another file.` },
      ]);
    },
  );

  promise("telemetry:operators-only", "a caller that is named operator is none", async () => {
    const [own, callers] = [await fileOf("own", token), await fileOf("callers", "c".repeat(43))];
    const loaded = await operatorTokenOf(http(own, [callers]), uid);
    if (loaded.kind === "refused" || loaded.verifier === null) throw new Error("not loaded");
    const { verifier } = loaded;
    const known = async (bearer: string): Promise<boolean> =>
      (await verifier.verify({ kind: "bearer", token: bearer, client: "" })) !== null;
    expect([await known(token), await known("c".repeat(43)), await known("")]).toEqual([true, false, false]);
  });
});

describe("the collector's headers", () => {
  const opened = (endpoint: string, headersFile: string) =>
    openTelemetry({ tracing: { endpoint, headersFile }, metrics: false, version: "1", uid, clock: () => Date.now() });

  test("are sent as they stand, comments and empty lines aside", async () => {
    const collector = await openCollector();
    const file = await fileOf("headers", "# for the collector\nAuthorization: Bearer abc def\r\n\nX-Team:  sre \n");
    const telemetry = await opened(collector.endpoint, file);
    if (telemetry.kind === "refused") throw new Error(telemetry.sentence);
    telemetry.observed?.observer
      .line(call, "objects_get", 1)
      .ended({ kind: "refused", call, fault: fault("denied") }, 2);
    await telemetry.close();
    expect(collector.requests.map(({ headers }) => [headers.authorization, headers["x-team"]])).toEqual([
      ["Bearer abc def", "sre"],
    ]);
    await collector.close();
  });

  for (const [what, text] of [
    ["a line without a colon", "authorization"],
    ["a name with a space", "x team: y"],
    ["an empty value", "x-team:"],
    ["a value with a control character", "x-team: a\u0000b"],
    ["a value beyond ASCII", "x-team: \u00e4"],
  ] as const)
    test(`${what} keeps the gateway from starting, and the line is not repeated`, async () => {
      const file = await fileOf("headers", `${text}\n`);
      expect(await opened("http://127.0.0.1:1/v1/traces", file)).toEqual({
        kind: "refused",
        sentence: `${file} holds a line that is no header: each must be "name: value".`,
      });
    });

  test("a file that others can read is refused", async () => {
    const file = await fileOf("headers", "a: b\n", 0o640);
    expect(await opened("http://127.0.0.1:1/v1/traces", file)).toEqual({
      kind: "refused",
      sentence: `${file} can be read by others: run chmod 600 on it.`,
    });
  });
});

test("doctor tells what is set, and what is wrong with it", async () => {
  const own = await fileOf("own", token);
  const open = await fileOf("open", "a: b\n", 0o644);
  const setting = (more: object) => configSchema.parse({ version: 1, ...more });
  const found = async (more: object): Promise<readonly string[]> =>
    (await examineOperating(setting(more), uid)).map(({ result, says }) => `${result}: ${says}`);
  expect(await found({})).toEqual([]);
  expect(
    await found({ http: { operatorToken: own }, tracing: { endpoint: "https://c.example.com/v1/traces" } }),
  ).toEqual(["ok: the operator token opens /metrics from elsewhere", "ok: traces go to c.example.com"]);
  expect(
    await found({ http: { operatorToken: open }, tracing: { endpoint: "http://c.example.com/v1/traces" } }),
  ).toEqual([
    `failed: ${open} can be read by others: run chmod 600 on it.`,
    "note: traces go to c.example.com without TLS: call ids, tools and headers can be read on the way",
  ]);
  expect(await found({ tracing: { endpoint: "http://127.0.0.1:4318/v1/traces", headersFile: open } })).toEqual([
    `failed: ${open} can be read by others: run chmod 600 on it.`,
  ]);
});
