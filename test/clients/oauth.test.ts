// Real clients with their own OAuth, against a real identity provider: found from a 401 alone, stepped up from a 403.

import { Client as V2Client, StreamableHTTPClientTransport as V2Transport } from "@modelcontextprotocol/client";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as V1Transport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, expect } from "vitest";
import { textAt, type JsonObject } from "../../src/domain/json.ts";
import { promise } from "../support/promise.ts";
import { openVouched, type Vouched } from "./gateway.ts";
import { embedding, type Embedding } from "./oauth.ts";

let vouched: Vouched;
beforeAll(async () => {
  vouched = await openVouched();
});
afterAll(async () => {
  await vouched.stop();
});

/** What the tests do with a client, whatever its SDK and revision. */
interface Session {
  call(name: string, arguments_: Record<string, unknown>): Promise<object>;
  tools(): Promise<readonly string[]>;
  finish(back: URLSearchParams): Promise<void>;
  close(): Promise<void>;
}
type Connect = (person: Embedding) => Promise<Session>;

const v2 =
  (mode: "legacy" | { readonly pin: string }): Connect =>
  async ({ provider }) => {
    const client = new V2Client({ name: "v2-oauth", version: "1" }, { versionNegotiation: { mode } });
    const transport = (): V2Transport => new V2Transport(new URL(vouched.url), { authProvider: provider });
    let current = transport();
    let opened = await client.connect(current).then(
      () => true,
      (thrown: unknown) => unauthorized(thrown),
    );
    return {
      async finish(back) {
        await current.finishAuth(back);
        if (opened) return;
        current = transport();
        await client.connect(current);
        opened = true;
      },
      call: async (name, arguments_) => await client.callTool({ name, arguments: arguments_ }),
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      close: () => client.close(),
    };
  };

const v1: Connect = async ({ provider }) => {
  const client = new V1Client({ name: "v1-oauth", version: "1" });
  const transport = (): V1Transport => new V1Transport(new URL(vouched.url), { authProvider: provider });
  let current = transport();
  let opened = await client.connect(current).then(
    () => true,
    (thrown: unknown) => unauthorized(thrown),
  );
  return {
    async finish(back) {
      await current.finishAuth(back.get("code") ?? "");
      if (opened) return;
      current = transport();
      await client.connect(current);
      opened = true;
    },
    call: async (name, arguments_) => await client.callTool({ name, arguments: arguments_ }),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    close: () => client.close(),
  };
};

/** Both SDKs throw it once they have sent the person away; anything else is a failure of the test. */
function unauthorized(thrown: unknown): false {
  if (!(thrown instanceof Error) || !/unauthorized/i.test(`${thrown.name} ${thrown.constructor.name}`)) throw thrown;
  return false;
}

const eachClient: readonly (readonly [string, Connect])[] = [
  ["v2, 2026-07-28", v2({ pin: "2026-07-28" })],
  ["v2, 2025", v2("legacy")],
  ["v1", v1],
];

const scaling = (replicas: number) => ({
  kind: "Deployment",
  namespace: "shop-dev",
  name: "api",
  replicas,
  reason: "more room for the test",
});

const firstLine = (answer: object): string =>
  (answer as { content: [{ text: string }] }).content[0].text.split("\n")[0] ?? "";

/** The principal of the newest settled call of a tool. */
async function callerOf(tool: string): Promise<JsonObject> {
  const settled = (await vouched.entries()).filter(
    (entry) => entry["kind"] === "call.settled" && textAt(entry, "details", "tool") === tool,
  );
  return (settled.at(-1)?.["principal"] ?? {}) as JsonObject;
}

promise(
  "clients:oauth",
  "each client finds the provider from the 401, registers, signs alice in with PKCE, and is served as her",
  async () => {
    for (const [name, connect] of eachClient) {
      const person = embedding(name);
      const session = await connect(person);
      try {
        await session.finish(await person.agree(vouched.issuer, "alice"));
        expect(await session.tools(), name).toContain("objects_list");
        const answer = await session.call("objects_list", { kind: "deployments", namespace: "shop-dev" });
        expect(firstLine(answer), name).toBe("1 deployments in shop-dev. Rows 1-1 of 1, problems first.");
        // The least that lets anybody in is asked for first, beside what the SDK adds for refreshing.
        expect(
          person.requested.map((one) => one.replace(" offline_access", "")),
          name,
        ).toEqual(["sallyport:read"]);
        expect(await callerOf("objects_list"), name).toEqual({
          act: [],
          client_id: person.clientId(),
          iss: vouched.issuer.url,
          sub: "alice",
        });
      } finally {
        await session.close();
      }
    }
  },
  120_000,
);

promise(
  "clients:step-up",
  "a change answers 403, the client asks alice for the wider scope, and the call goes on",
  async () => {
    for (const [index, [name, connect]] of eachClient.entries()) {
      // The v1 SDK refreshes where it should ask for more, and a refresh can't widen a scope (RFC 6749, section 6).
      const person = embedding(name, vouched.issuer.publicClient, name !== "v1");
      const session = await connect(person);
      try {
        await session.finish(await person.agree(vouched.issuer, "alice"));
        await session.tools();
        const change = scaling(4 + index);
        const refused = await session.call("workloads_scale", change).catch((thrown: unknown) => thrown);
        expect(refused, name).toBeInstanceOf(Error);
        expect(person.requested.at(-1)?.split(" "), name).toEqual(
          expect.arrayContaining(["sallyport:read", "sallyport:change"]),
        );
        expect(person.requested.at(-1), name).not.toContain("sallyport:execute");
        await session.finish(await person.agree(vouched.issuer, "alice"));
        expect(person.granted(), name).toContain("sallyport:change");
        expect(firstLine(await session.call("workloads_scale", change)), name).toBe(
          "DONE workloads_scale Deployment shop-dev/api",
        );
        expect(await callerOf("workloads_scale"), name).toMatchObject({ sub: "alice", client_id: person.clientId() });
      } finally {
        await session.close();
      }
    }
  },
  120_000,
);
