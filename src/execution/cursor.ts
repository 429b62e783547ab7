// Cursors that a caller can neither read into nor make: a value and a MAC bound to the caller and the question.

import { createHmac, timingSafeEqual } from "node:crypto";
import canonicalize from "canonicalize";
import { fault, Faulted } from "../domain/fault.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { Subject } from "../domain/principal.ts";

/** 64 bits: a guess is one call each, and a right one shows only what the caller may list anyway. */
const macBytes = 8;

/** Seals and opens cursors for one caller and one tool in one cluster. Faults: invalid_input for a cursor of another caller, tool, cluster or question. */
export function cursorsFor(key: Uint8Array, caller: Subject, of: { readonly tool: string; readonly cluster: string }) {
  const mac = (text: string, bind: Json): Buffer =>
    createHmac("sha256", key)
      .update(canonicalize([caller.issuer, caller.subject, of.tool, of.cluster, bind, text]) ?? "")
      .digest()
      .subarray(0, macBytes);
  return {
    seal(value: JsonObject, bind: Json): string {
      const text = JSON.stringify(value);
      return Buffer.concat([mac(text, bind), Buffer.from(text)]).toString("base64url");
    },
    open(cursor: string, bind: Json): JsonObject {
      const bytes = Buffer.from(cursor, "base64url");
      const text = bytes.subarray(macBytes).toString();
      const given = bytes.subarray(0, macBytes);
      // A decoder passes over what is not in its alphabet: one cursor has one spelling.
      const spelt = bytes.toString("base64url") === cursor;
      if (!spelt || given.length !== macBytes || !timingSafeEqual(given, mac(text, bind)))
        throw new Faulted(
          fault("invalid_input", {
            problems: [
              {
                path: "cursor",
                rule: "is of another call: take the cursor of the last answer, with the same arguments",
              },
            ],
          }),
        );
      const value: unknown = JSON.parse(text);
      return isJsonObject(value) ? value : {};
    },
  };
}
