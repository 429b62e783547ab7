// What checking a token of a known key costs, beside the library alone and the signature alone, on the same tokens by turns.

import { createPublicKey, verify as verifyBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { reachOf } from "../src/identity/addresses.ts";
import { guardedFetch } from "../src/identity/guarded-fetch.ts";
import { oidc } from "../src/identity/verifiers/oidc.ts";
import { byTurns, median, percentile, round } from "./clock.ts";
import type { Figure } from "./figures.ts";

const audience = "https://sallyport.example.com/mcp";
const rounds = 1_500;

export async function tokenChecks(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const algorithm of ["ES256", "EdDSA", "RS256", "PS256"]) figures.push(...(await checksOf(algorithm)));
  return figures;
}

async function checksOf(algorithm: string): Promise<readonly Figure[]> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "bench", alg: algorithm, use: "sig" };
  const issuer = await openIssuer({ keys: [jwk] });
  try {
    const verifier = oidc({
      rules: { ...rules, issuer: issuer.url },
      fetch: guardedFetch({ reach: reachOf(issuer.url, false) }),
      now: () => Date.now(),
      told: ({ why }) => process.stderr.write(`refused: ${why}\n`),
      away: (why) => process.stderr.write(`away: ${why}\n`),
      closing: new AbortController().signal,
    });
    const claims = { scope: "sallyport:read sallyport:change", groups: ["sre", "oncall"], client_id: "bench" };
    const sign = (id: number): Promise<string> =>
      new SignJWT({ ...claims, jti: `token-${id}` })
        .setProtectedHeader({ alg: algorithm, kid: "bench", typ: "at+jwt" })
        .setIssuer(issuer.url)
        .setAudience(audience)
        .setSubject("user-42")
        .setIssuedAt()
        .setExpirationTime("10m")
        .sign(privateKey);
    // Each is new to whoever checks it: none is remembered, and its key is known from the first one on.
    const tokens = await Promise.all(Array.from({ length: rounds * 2 }, (_, id) => sign(id)));
    const key = createPublicKey({ key: jwk, format: "jwk" });
    let next = 0;
    const check = async (token: string): Promise<void> => {
      const accepted = await verifier.verify({ kind: "bearer", token, client: "bench" });
      if (accepted === null) throw new Error(`a good ${algorithm} token was refused`);
    };
    await check(await sign(-1));
    const bare = async (token: string): Promise<void> => {
      await jwtVerify(token, publicKey, { issuer: issuer.url, audience, algorithms: [algorithm], typ: "at+jwt" });
    };
    const seen = tokens[0] ?? "";
    const [own = [], library = [], signature = [], again = []] = await byTurns(rounds, [
      () => check(tokens[next++ % tokens.length] ?? ""),
      () => bare(tokens[next % tokens.length] ?? ""),
      async () => signatureHolds(algorithm, tokens[next % tokens.length] ?? "", key),
      () => check(seen),
    ]);
    const us = (values: readonly number[], share = 0.5): number => round(percentile(values, share) * 1000, 0);
    const p50 = median(own) * 1000;
    return [
      {
        figure: `token check, ${algorithm}, known key, new token, p50`,
        measured: p50,
        unit: "µs",
        floor: median(library) * 1000,
        goal: "< 150 µs",
        reached: p50 < 150,
        note: `p95 ${us(own, 0.95)} µs; the floor is jose's jwtVerify alone; the bare signature ${us(signature)} µs; the same token again ${us(again)} µs`,
      },
    ];
  } finally {
    await issuer.stop();
  }
}

const rules = {
  name: "bench",
  audience: [audience],
  algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
  types: ["at+jwt"],
  requiredClaims: {},
  subject: { claim: "sub", prefix: "corp:" },
  groups: { path: "groups", prefix: "corp:" },
  claims: {},
  agentsWhere: {},
  others: [],
  scopes: { claim: "scope" },
};

/** Node's own check of the signature over the first two parts (RFC 7515, section 5.2). */
function signatureHolds(algorithm: string, token: string, key: ReturnType<typeof createPublicKey>): void {
  const at = token.lastIndexOf(".");
  const signed = Buffer.from(token.slice(0, at));
  const bytes = Buffer.from(token.slice(at + 1), "base64url");
  const digest = algorithm === "EdDSA" ? null : "sha256";
  const padding = algorithm === "PS256" ? { padding: 6, saltLength: 32 } : {};
  const held = verifyBytes(digest, signed, { key, dsaEncoding: "ieee-p1363", ...padding }, bytes);
  if (!held) throw new Error(`the ${algorithm} signature does not hold`);
}

/** An OpenID provider's two public documents on loopback. */
async function openIssuer(keys: object): Promise<{ readonly url: string; stop(): Promise<void> }> {
  let url = "";
  const server = createServer((request, response) => {
    const metadata = { issuer: url, jwks_uri: `${url}/jwks` };
    const found = request.url === "/jwks" ? keys : metadata;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(found));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
