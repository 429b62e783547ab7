// Tokens: their form, when values share one, and that none answers a guess.

import { describe, expect } from "vitest";
import type { SessionId } from "../../../src/domain/ids.ts";
import { openMasking } from "../../../src/masking/mask.ts";
import { tokenEnd, isToken, suppliedBy } from "../../../src/masking/token.ts";
import { bitsOf } from "../../../src/masking/values.ts";
import { promise } from "../../support/promise.ts";
import { masker } from "./support.ts";

const strong = "f7Kq2LmZx9Tb4RnWc8Vd";
const tagOf = (text: string): string | undefined => /\[MASKED:[a-z_]+:([0-9a-f]{8})\]/.exec(text)?.[1];

describe("tokens", () => {
  promise("masking:token", "one value has one tag, wherever and however it is written", () => {
    const call = masker();
    const encoded = Buffer.from(strong).toString("base64");
    const tags = [
      call.text(`password=${strong} user=x`),
      call.text(`{"token":"${strong}"}`),
      call.text(`https://svc:${strong}@host/`),
      JSON.stringify(call.object({ kind: "Secret", data: { p: encoded } })),
      JSON.stringify(call.object({ kind: "Secret", stringData: { p: strong } })),
      JSON.stringify(
        call.object({ kind: "Pod", spec: { containers: [{ env: [{ name: "DB_PASSWORD", value: strong }] }] } }),
      ),
    ].map(tagOf);
    expect(tags[0]).toMatch(/^[0-9a-f]{8}$/);
    expect(new Set(tags).size).toBe(1);
    expect(tagOf(call.text(`password=${strong.toLowerCase()}`))).not.toBe(tags[0]);
  });

  promise("masking:token", "the same value in another session has another tag", () => {
    expect(tagOf(masker({}, "one").text(`password=${strong}`))).not.toBe(
      tagOf(masker({}, "two").text(`password=${strong}`)),
    );
    expect(tagOf(masker({}, "one").text(`password=${strong}`))).toBe(
      tagOf(masker({}, "one").text(`password=${strong}`)),
    );
  });

  promise(
    "masking:token",
    "a session keeps its tags after more others than are remembered, and none is another's",
    () => {
      const masking = openMasking({ key: new Uint8Array(32).fill(7) });
      const tagIn = (at: number): string | undefined =>
        tagOf(masking.forCall({ id: `ses_${at}` as SessionId, door: "stdio" }, {}).text(`password=${strong}`));
      const sessions = Array.from({ length: 600 }, (_, at) => at);
      const tags = sessions.map(tagIn);
      expect(new Set(tags).size).toBe(sessions.length);
      expect(sessions.map(tagIn)).toEqual(tags);
    },
  );

  promise("masking:token", "values that can be guessed get no tag", () => {
    for (const weak of [
      "hunter2",
      "correcthorsebatterystaple",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "12345678901234567890",
      "Summer2026!",
      "passwordpassword",
    ]) {
      expect(masker().text(`password=${weak}`)).toBe("password=[MASKED:password]");
    }
    expect(bitsOf(strong)).toBeGreaterThan(64);
  });

  promise("masking:token", "values that the caller sent get no tag, in any encoding and inside anything", () => {
    const sent = [
      strong,
      `password=${strong}`,
      Buffer.from(strong).toString("base64"),
      encodeURIComponent(`x ${strong}`),
      JSON.stringify({ a: strong }),
    ];
    for (const one of sent) {
      expect(masker({ reason: one }).text(`password=${strong} x`)).toBe("password=[MASKED:password] x");
    }
    expect(masker({ [strong]: 1 }).text(`password=${strong}`)).toBe("password=[MASKED:password]");
    const inside = masker({ value: strong }).object({
      kind: "Secret",
      stringData: { f: `user:${strong}:Z9y8X7w6V5u4` },
    });
    expect(inside).toEqual({ kind: "Secret", stringData: { f: "[MASKED:secret]" } });
    expect(suppliedBy({ n: [1234567] })("1234567")).toBe(true);
  });

  promise("masking:token", "only fixed types and eight hexadecimal digits make a token", () => {
    for (const good of ["[MASKED:password]", "[MASKED:password:0123abcd]", "[MASKED:password_hash]"])
      expect(isToken(good)).toBe(true);
    for (const bad of [
      "[MASKED:]",
      "[MASKED:secretvalue]",
      "[MASKED:password:hunter22]",
      "[MASKED:password:0123ABCD]",
      "[MASKED:password:0123abcde]",
      "[masked:password]",
      "[MASKED:password",
      "[MASKED:constructor]",
    ]) {
      expect([bad, tokenEnd(bad, 0)]).toEqual([bad, -1]);
    }
  });

  promise("masking:token", "it counts what it masked by type", () => {
    const call = masker();
    call.text("password=hunter2 token=abc123def");
    call.text("password=hunter3");
    expect(call.masked()).toEqual([
      { type: "password", count: 2 },
      { type: "token", count: 1 },
    ]);
  });
});
