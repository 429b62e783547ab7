// Nothing leaves when something breaks, and nothing is shown that was not scanned.

import { gzipSync } from "node:zlib";
import { describe, expect } from "vitest";
import { Faulted } from "../../../src/domain/fault.ts";
import type { JsonObject } from "../../../src/domain/json.ts";
import type { Output } from "../../../src/domain/output.ts";
import type { Format } from "../../../src/masking/formats.ts";
import type { CallMasker } from "../../../src/masking/mask.ts";
import { promise } from "../../support/promise.ts";
import { masker } from "./support.ts";

const secret = "the-value-that-broke-it";

function faultOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    if (error instanceof Faulted) return error.fault;
    throw error;
  }
  return undefined;
}

const withFormat = (format: Format): CallMasker =>
  masker({}, "one", { profile: { personal: new Set(), formats: [format] } });

const withheld = { code: "output_withheld", retry: "never", effect: "none", detail: {} };

describe("failing closed", () => {
  promise("masking:fail-closed", "a broken check withholds every kind of output and tells no value", () => {
    const broken = withFormat({
      id: "broken",
      type: "token",
      keywords: ["BREAKME-"],
      body: "a-z-",
      min: 1,
      max: 99,
      source: "example.com",
      shape: (value) => {
        throw new TypeError(`can't judge ${value}`);
      },
    });
    const text = `BREAKME-${secret}`;
    const output: Output = { headline: [text], blocks: [], facts: {}, untrusted: false };
    for (const run of [
      () => broken.text(text),
      () => broken.cell("NAME", text),
      () => broken.object({ a: text }),
      () => broken.json({ a: [text] }),
      () => broken.output(output),
      () => broken.output({ ...output, headline: [], blocks: [{ kind: "data", source: "x", text }] }),
      () => broken.object({ a: Buffer.from(`some words before ${text}`).toString("base64") }),
    ]) {
      const fault = faultOf(run);
      expect(fault).toMatchObject(withheld);
      expect(JSON.stringify(fault)).not.toContain(secret);
    }
  });

  promise("masking:fail-closed", "values that throw, lie or never end withhold", () => {
    const getter = { kind: "Pod" } as Record<string, unknown>;
    Object.defineProperty(getter, "spec", {
      enumerable: true,
      get: () => {
        throw new RangeError(secret);
      },
    });
    expect(faultOf(() => masker().object(getter as JsonObject))).toMatchObject(withheld);
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    expect(JSON.stringify(masker().object(cycle as JsonObject))).toContain("[MASKED:unscanned]");
    expect(faultOf(() => masker().text(undefined as never))).toMatchObject(withheld);
    expect(faultOf(() => masker().object([] as never))).toMatchObject(withheld);
  });

  promise("masking:fail-closed", "depths and inflations beyond the limits are hidden, not shown", () => {
    let deep: JsonObject = { note: secret };
    for (let level = 0; level < 200; level++) deep = { deep };
    expect(JSON.stringify(masker().object(deep))).not.toContain(secret);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, " ")).toString("base64");
    expect(masker().text(`x ${bomb} y`)).toBe("x [MASKED:unscanned] y");
  });

  promise("masking:fail-closed", "many small bombs in one object share one allowance", () => {
    const bomb = gzipSync(Buffer.alloc(3 * 1024 * 1024, "word ")).toString("base64");
    const annotations = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`note-${at}`, `${at} ${bomb}`]));
    const masked = JSON.stringify(masker().object({ kind: "Pod", metadata: { annotations } }));
    const unscanned = masked.split("[MASKED:unscanned]").length - 1;
    expect(unscanned).toBeGreaterThan(20);
    expect(masked.split(bomb).length - 1).toBe(60 - unscanned);
  });

  promise("masking:fail-closed", "a text that costs too much is hidden from there on", () => {
    const costly = withFormat({
      id: "costly",
      type: "token",
      keywords: ["zzz"],
      body: "a-z ",
      min: 1e6,
      max: 1e6 + 1,
      source: "example.com",
      glued: true,
    });
    const text = `start ${"zzz ".repeat(50_000)} password=${secret}`;
    const masked = costly.text(text);
    expect(masked).toContain("[MASKED:unscanned]");
    expect(masked).not.toContain(secret);
  });
});
