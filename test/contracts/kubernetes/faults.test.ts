// Each row of tools.md's error table, through the client and a real server.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { faultCodes, type Fault } from "../../../src/domain/fault.ts";
import { faultDetails, faultOf } from "../../../src/kubernetes/faults.ts";
import { parseRequest } from "../../../src/kubernetes/url.ts";
import { promise } from "../../support/promise.ts";
import { clientOf, faultFrom, serve } from "./server.ts";
import { refusals, type RefusalCase } from "./refusals.ts";

async function faultOfCase({ request, status, answer, headers = {} }: RefusalCase): Promise<Fault> {
  const { url } = await serve((_, response) => {
    const plain = typeof answer === "string";
    response.writeHead(status, { "content-type": plain ? "text/plain" : "application/json", ...headers });
    const whole = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code: status };
    response.end(plain ? answer : JSON.stringify({ ...whole, ...answer }));
  });
  return await faultFrom(clientOf(url).request(request));
}

describe("the table", () => {
  for (const one of refusals)
    promise("kubernetes:statuses", one.row, async () => {
      const { code, detail, retry, effect, cause } = await faultOfCase(one);
      expect({ code, detail, retry, effect }).toEqual({
        code: one.code,
        detail: one.detail,
        retry: faultCodes[one.code],
        effect: one.effect ?? "none",
      });
      expect(cause).toMatch(/^(?:GET|POST|PATCH|DELETE) \/apis?\/[a-z0-9./-]+: \d{3}(?: [A-Za-z]+)?$/);
    });

  promise(
    "kubernetes:server-words-kept-back",
    "no password, address, user or diff of any row is told, but in a quote",
    async () => {
      for (const one of refusals) {
        const { detail, cause } = await faultOfCase(one);
        const { quote: _, ...rest } = detail;
        expect(JSON.stringify([rest, cause]), one.row).not.toMatch(
          /hunter2|10\.0\.0\.1|serviceaccount|obey|evil|@@|password/i,
        );
      }
    },
  );

  promise("kubernetes:effect-known", "a read and a rehearsal leave nothing, whatever the status", async () => {
    for (const status of [500, 502, 503, 504, 429, 301, 418]) {
      const sent = parseRequest("GET", "http://x/api/v1/pods", "http://x");
      const asked = { sent, method: "GET", path: "/api/v1/pods" };
      const answer = { status, body: null, retryAfter: null };
      expect(faultOf(answer, asked).effect).toBe("none");
      const rehearsal = parseRequest("DELETE", "http://x/api/v1/namespaces/a/pods/b?dryRun=All", "http://x");
      expect(faultOf(answer, { ...asked, sent: rehearsal }).effect).toBe("none");
      const write = parseRequest("DELETE", "http://x/api/v1/namespaces/a/pods/b", "http://x");
      expect(faultOf(answer, { ...asked, sent: write }).effect).toBe(status < 500 ? "none" : "unknown");
    }
  });
});

promise("kubernetes:server-words-kept-back", "whatever a server says, only what is documented comes through", () => {
  const secret = "s3cr3t-canary";
  const phrases = refusals.flatMap(({ answer }) => (typeof answer === "string" ? [] : [answer.message ?? ""]));
  const text = fc
    .tuple(
      fc.constantFrom(...phrases, ""),
      fc.constantFrom(secret, ` ${secret}`, `: ${secret} `, `"${secret} x"`, `\n${secret}\u202e`),
      fc.boolean(),
    )
    .map(([phrase, canary, after]) => (after ? phrase + canary : canary + phrase));
  const status = fc.record({
    message: text,
    reason: fc.oneof(fc.constantFrom("Invalid", "Conflict", "AlreadyExists", "NotFound"), text),
    details: fc.record({
      name: fc.constantFrom("api", `${secret} x`, `../${secret}`),
      kind: fc.constantFrom("deployments", `${secret}/..`),
      causes: fc.array(
        fc.record({ reason: text, message: text, field: fc.constantFrom("spec.a", `spec.a ${secret}`) }),
        { maxLength: 3 },
      ),
    }),
  });
  const sent = parseRequest("PATCH", "http://x/apis/apps/v1/namespaces/a/deployments/b", "http://x");
  fc.assert(
    fc.property(
      status,
      fc.constantFrom(400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503, 504, 599),
      (body, code) => {
        const told = faultOf({ status: code, body, retryAfter: null }, { sent, method: "PATCH", path: "/x" });
        const { quote: _, fields: __, ...rest } = told.detail;
        expect(JSON.stringify([rest, told.cause])).not.toContain(secret);
        const documented: object =
          told.code in faultDetails ? faultDetails[told.code as keyof typeof faultDetails] : {};
        for (const key of Object.keys(told.detail)) expect(Object.keys(documented)).toContain(key);
      },
    ),
    { numRuns: 2000 },
  );
});

test("every detail of every row is documented", () => {
  for (const { code, detail, row } of refusals)
    for (const key of Object.keys(detail)) {
      const documented: object = code in faultDetails ? faultDetails[code as keyof typeof faultDetails] : {};
      expect(Object.keys(documented), row).toContain(key);
    }
});
