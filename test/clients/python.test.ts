// The official Python client (PyPI's `mcp`) against the HTTP door: with a token of its own, and with its own OAuth.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openVouched, type Vouched } from "./gateway.ts";
import { pythonWithClient, run } from "./python.ts";

const found = await pythonWithClient(process.env);
const why = found.kind === "absent" ? ` (skipped: ${found.why})` : "";
const script = join(import.meta.dirname, "python-client.py");

describe.skipIf(found.kind === "absent")(`the official Python client${why}`, () => {
  const python = found.kind === "there" ? found.python : "";
  let vouched: Vouched;
  beforeAll(async () => {
    vouched = await openVouched();
  });
  afterAll(async () => {
    await vouched.stop();
  });

  /** What the client printed last. */
  async function ran(mode: string, kind: string, more: Record<string, string>): Promise<JsonObject> {
    const env = { PATH: process.env["PATH"] ?? "", HOME: vouched.place.folder, ...more };
    const { code, out, err } = await run(python, [script, vouched.url, mode, kind], env, async (line) => {
      const { signIn } = JSON.parse(line) as { readonly signIn?: string };
      return signIn === undefined ? null : (await vouched.issuer.signIn(signIn, "alice")).href;
    });
    expect({ mode, code, err: code === 0 ? "" : err }).toEqual({ mode, code: 0, err: "" });
    return JSON.parse(out.trim().split("\n").at(-1) ?? "{}") as JsonObject;
  }

  const listed = expect.stringMatching(/^1 deployments in shop-dev\. Rows 1-1 of 1, problems first\.\n/);

  promise(
    "clients:python",
    "with a bearer token, in both generations of the protocol",
    async () => {
      const { access_token: token } = await vouched.issuer.code("alice", "sallyport:read", vouched.url);
      for (const mode of ["auto", "legacy"]) {
        const { tools, text, client } = await ran(mode, "bearer", { SALLYPORT_TOKEN: token });
        expect([tools, text, client], mode).toEqual([
          expect.arrayContaining(["objects_get", "objects_list"]),
          listed,
          null,
        ]);
      }
    },
    120_000,
  );

  promise(
    "clients:python",
    "with its own OAuth: from the 401 to alice, and recorded as her through the client that it registered",
    async () => {
      const { text, client } = await ran("auto", "oauth", {});
      expect(text).toEqual(listed);
      const settled = (await vouched.entries()).findLast((entry) => entry["kind"] === "call.settled");
      expect(settled?.["principal"]).toEqual({ act: [], client_id: client, iss: vouched.issuer.url, sub: "alice" });
    },
    120_000,
  );
});
