// The suite's server behind our own door: the guard, the check of tokens, the strict JSON and the adapter to the SDK are the product's.

import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toNodeHandler } from "@modelcontextprotocol/node";
import {
  createMcpHandler,
  isLegacyRequest,
  WebStandardStreamableHTTPServerTransport,
  type McpHandlerRequestOptions,
  type McpHttpHandler,
} from "@modelcontextprotocol/server";
import { idsFrom } from "../../src/domain/ids.ts";
import { identify } from "../../src/identity/identify.ts";
import { loadLocalTokens, writeTokenFile } from "../../src/identity/verifiers/index.ts";
import { boundConnections } from "../../src/mcp/connections.ts";
import { trustedProxies } from "../../src/mcp/forwarded.ts";
import { answerer, maxBody } from "../../src/mcp/http-answer.ts";
import { noAccounts } from "../support/accounts.ts";
import { suiteServer } from "./suite-server.ts";

export interface Fixture {
  readonly url: string;
  readonly token: string;
  stop(): Promise<void>;
}

/** Serves the suite's tools on loopback to whoever shows the token. */
export async function openFixture(): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-conformance-"));
  const file = join(folder, "token");
  const token = await writeTokenFile(file, (count) => randomBytes(count));
  const named = { file, subject: "suite", kind: "agent" as const, groups: [], agent: null };
  const loaded = await loadLocalTokens([named], process.getuid?.() ?? -1);
  if (loaded.kind === "refused") throw new Error(loaded.sentence);
  const identified = identify([loaded.verifier], noAccounts);
  const broken: unknown[] = [];
  const mcp = bothEras();
  const server = createServer();
  const connections = boundConnections(server, { most: 1_000, stall: 30_000 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  server.on(
    "request",
    answerer({
      door: {
        identify: identified,
        effectsOf: () => ["read"],
        listTools: async () => [],
        crowded: () => undefined,
        newCallId: () => idsFrom(Date.now, (count) => randomBytes(count)).call(),
        broke: (_call, thrown) => void broken.push(thrown),
      },
      allowed: { hosts: ["127.0.0.1", "[::1]", "localhost"], origins: [], metadata: [], pages: [], operators: false },
      resource: { url, authorizationServers: [] },
      connections,
      proxies: trustedProxies([]),
      sealed: false,
      serveMcp: toNodeHandler(mcp, { maxRequestBodySize: maxBody }),
      pages: [],
      operators: null,
      refused: () => undefined,
      closing: new AbortController().signal,
    }),
  );
  return {
    url,
    token,
    async stop() {
      connections.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await mcp.close();
      await rm(folder, { recursive: true, force: true });
      if (broken.length > 0) throw new AggregateError(broken, "something broke inside the door");
    },
  };
}

/**
 * The 2026-07-28 revision as the product serves it. The 2025 revisions with a session each: the suite asks its client
 * questions in the middle of a call, and the answers have to find the server that waits for them. Sallyport asks its
 * clients nothing, so that its own door needs none.
 */
function bothEras(): Pick<McpHttpHandler, "fetch" | "close"> {
  const factory = suiteServer(() => modern.notify);
  const modern = createMcpHandler(factory, { maxRequestBodySize: maxBody, legacy: "reject" });
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const legacy = async (request: Request, options: McpHandlerRequestOptions): Promise<Response> => {
    const known = sessions.get(request.headers.get("mcp-session-id") ?? "");
    if (known !== undefined) return await known.handleRequest(request, options);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    const server = await factory({ era: "legacy" });
    await server.connect(transport);
    return await transport.handleRequest(request, options);
  };
  return {
    fetch: async (request, options = {}) =>
      (await isLegacyRequest(request, options.parsedBody))
        ? await legacy(request, options)
        : await modern.fetch(request, options),
    async close() {
      for (const transport of sessions.values()) await transport.close();
      await modern.close();
    },
  };
}
