// The last pass: every place of an output where a string can stand.

import { describe, expect } from "vitest";
import type { Output } from "../../../src/domain/output.ts";
import { promise } from "../../support/promise.ts";
import { masker } from "./support.ts";

const secret = ["glpat", "Zx9Kq2Lm7Tb4RnWc8VdP"].join("-");

describe("the last pass", () => {
  promise("masking:last-pass", "headline, lines, tables, objects, data, diffs and what was cut", () => {
    const output: Output = {
      headline: [`headline ${secret} `, { quoted: `quoted ${secret}` }],
      blocks: [
        { kind: "line", line: [`line ${secret}`, { quoted: secret }] },
        {
          kind: "table",
          columns: ["NAME", `C ${secret}`],
          rows: [
            ["a", secret],
            ["b", "fine"],
          ],
        },
        { kind: "object", object: { a: [secret, { [`key.${secret}`]: 1 }] } },
        { kind: "object", object: secret },
        { kind: "data", source: `logs ${secret}`, text: `log ${secret}\npassword=hunter2` },
        {
          kind: "diff",
          lines: [
            {
              sign: "~",
              risk: true,
              path: `spec.${secret}`,
              before: JSON.stringify(secret),
              after: JSON.stringify({ x: secret }),
            },
            {
              sign: "~",
              risk: true,
              path: "spec.template.spec.containers[api].env[DB_PASSWORD].value",
              before: '"hunter2"',
              after: '"hunter3"',
            },
            { sign: "+", risk: false, path: "spec.adminPassword", before: null, after: '"hunter2"' },
            { sign: "~", risk: false, path: "spec.replicas", before: "3", after: "5" },
          ],
        },
      ],
      facts: { cut: `cut ${secret}`, counts: { pods: 3 } },
      untrusted: false,
    };
    const masked = masker().output(output);
    expect(JSON.stringify(masked)).not.toContain(secret.slice(6));
    expect(JSON.stringify(masked)).not.toContain("hunter");
    const token = "[MASKED:token:TAG]";
    const shown = JSON.parse(JSON.stringify(masked).replaceAll(/(?<=\[MASKED:token:)[0-9a-f]{8}/g, "TAG")) as unknown;
    expect(shown).toEqual({
      headline: [`headline ${token} `, { quoted: `quoted ${token}` }],
      blocks: [
        { kind: "line", line: [`line ${token}`, { quoted: token }] },
        {
          kind: "table",
          columns: ["NAME", `C ${token}`],
          rows: [
            ["a", token],
            ["b", "fine"],
          ],
        },
        { kind: "object", object: { a: [token, { [`key.${token}`]: 1 }] } },
        { kind: "object", object: token },
        { kind: "data", source: `logs ${token}`, text: `log ${token}\npassword=[MASKED:password]` },
        {
          kind: "diff",
          lines: [
            { sign: "~", risk: true, path: `spec.${token}`, before: `"${token}"`, after: `{"x":"${token}"}` },
            {
              sign: "~",
              risk: true,
              path: "spec.template.spec.containers[api].env[DB_PASSWORD].value",
              before: '"[MASKED:password]"',
              after: '"[MASKED:password]"',
            },
            { sign: "+", risk: false, path: "spec.adminPassword", before: null, after: '"[MASKED:password]"' },
            { sign: "~", risk: false, path: "spec.replicas", before: "3", after: "5" },
          ],
        },
      ],
      facts: { cut: `cut ${token}`, counts: { pods: 3 } },
      untrusted: false,
      masked: [
        {
          type: "token",
          count: 15,
          places: [
            "headline",
            "line",
            "columns",
            `column C ${token}`,
            "a[0]",
            "a[1] (a key)",
            "value",
            "source",
            `logs ${token}, line 1`,
            "path",
            `spec.${token}`,
            "cut",
          ],
        },
        {
          type: "password",
          count: 4,
          places: [
            `logs ${token}, line 2`,
            "spec.template.spec.containers[api].env[DB_PASSWORD].value",
            "spec.adminPassword",
          ],
        },
      ],
    });
  });

  promise("masking:last-pass", "an output that passed before goes through as it is", () => {
    const call = masker();
    const once = call.output({
      headline: ["a"],
      blocks: [{ kind: "data", source: "s", text: `token=${secret}` }],
      facts: {},
      untrusted: true,
    });
    expect(masker().output(once)).toEqual(once);
  });

  promise("masking:last-pass", "cells are judged by their column", () => {
    const call = masker();
    expect(call.cell("Admin Password", "hunter2")).toBe("[MASKED:password]");
    expect(call.cell(".spec.apiKey", "hunter2")).toBe("[MASKED:api_key]");
    expect(call.cell("Secret", "shop-tls")).toBe("shop-tls");
    expect(call.cell("Status", "Running")).toBe("Running");
    expect(call.cell("Message", "password=hunter2")).toBe("password=[MASKED:password]");
    expect(call.cell("kubectl.kubernetes.io/last-applied-configuration", "x")).toBe("x");
  });
});
