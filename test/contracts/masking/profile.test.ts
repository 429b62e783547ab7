// Profiles: what they add, and what a bad one is told.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { loadProfile } from "../../../src/masking/load.ts";
import { openMasking } from "../../../src/masking/mask.ts";
import { defaultProfile, type Profile } from "../../../src/masking/profile.ts";
import type { SessionId } from "../../../src/domain/ids.ts";
import { promise } from "../../support/promise.ts";
import { key } from "./support.ts";

const shipped = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../../../policies/masking", name), "utf8");

function loaded(text: string): Profile {
  const result = loadProfile(text);
  if (result.kind === "refused") throw new Error(result.problems.join(" "));
  return result.profile;
}

const under = (profile: Profile) => (text: string) =>
  openMasking({ key, profile })
    .forCall({ id: "ses_p" as SessionId, door: "stdio" }, {})
    .text(text);

const format = `version: 1
formats:
  - id: acme-token
    keywords: [acme_]
    body: a-z0-9
    min: 20
    max: 20
    source: acme
    positives: [acme_0123456789abcdefghij]
`;

describe("profiles", () => {
  promise("masking:profiles", "the shipped ones load; default is what there is without one", () => {
    expect(loaded(shipped("default.yaml"))).toEqual(defaultProfile);
    const strict = loaded(shipped("strict.yaml"));
    expect([...strict.personal]).toEqual(["card", "iban", "ssn", "email"]);
    const lines = "bob@example.com paid GB82 WEST 1234 5698 7654 32, ssn 123-45-6789, card 4111111111111111";
    expect(under(defaultProfile)(lines)).toBe(lines.replace("4111111111111111", "[MASKED:card]"));
    expect(under(strict)(lines).replaceAll(/:[0-9a-f]{8}]/g, "]")).toBe(
      "[MASKED:email] paid [MASKED:iban], ssn [MASKED:ssn], card [MASKED:card]",
    );
    const clean = "git@github.com:org/repo.git 666-12-3456 GB82WEST12345698765431 a@b https://user@host.example.com/x";
    expect(under(strict)(clean)).toBe(clean);
  });

  promise("masking:profiles", "formats of one's own are hidden", () => {
    const mask = under(loaded(format));
    expect(mask("use acme_0123456789abcdefghij now")).toMatch(/^use \[MASKED:custom(?::[0-9a-f]{8})?\] now$/);
    expect(mask("use acme_0123456789 now")).toBe("use acme_0123456789 now");
  });

  promise("masking:profiles", "unknown keys, failing examples and costly formats are refused in a sentence", () => {
    const problemsOf = (text: string): readonly string[] => {
      const result = loadProfile(text);
      return result.kind === "refused" ? result.problems : [];
    };
    expect(problemsOf("version: 1\nallow: all")).toHaveLength(1);
    expect(problemsOf("version: 2")).toHaveLength(1);
    expect(problemsOf("")).toHaveLength(1);
    expect(problemsOf("version: 1\nversion: 1")).toEqual(["Line 2 is not valid YAML."]);
    expect(problemsOf("a: &a [1]\nb: [*a, *a]")).not.toEqual([]);
    expect(problemsOf(format.replace("acme_0123456789abcdefghij", "acme_short"))).toEqual([
      "acme-token: positive example 1 is not found.",
    ]);
    expect(problemsOf(`${format}    negatives: [acme_0123456789abcdefghij]\n`)).toEqual([
      "acme-token: negative example 1 is hidden.",
    ]);
    const costly = format
      .replace("[acme_]", "['aa ']")
      .replace("a-z0-9", "'a-z '")
      .replace("min: 20", "min: 4000")
      .replace("max: 20", "max: 4096");
    expect(problemsOf(costly.replace("acme_0123456789abcdefghij", `aa ${"b".repeat(4000)}`))).toEqual([
      "acme-token: it would cost too much on a text of its own keywords.",
    ]);
  });
});
