// An identity provider on loopback for the tests: metadata and keys over real HTTP, and a mint that also makes what no provider would.

import { createHmac, sign as signWith, type KeyObject } from "node:crypto";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { KeyObject as Keys } from "node:crypto";

export const audience = "https://sallyport.test/mcp";

export interface Signer {
  readonly alg: string;
  readonly kid: string;
  readonly key: KeyObject;
  readonly jwk: JWK;
}

const made = new Map<string, Promise<Signer>>();

/** A key pair by its kid, made once a run: RSA keys take a while. */
export async function signer(alg: "RS256" | "PS256" | "ES256" | "EdDSA", kid: string): Promise<Signer> {
  const name = `${alg} ${kid}`;
  const making = made.get(name) ?? makeSigner(alg, kid);
  made.set(name, making);
  return await making;
}

async function makeSigner(alg: string, kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  return { alg, kid, key: Keys.from(privateKey), jwk };
}

const encoded = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** Signs whatever it is given: header and payload as values, or as JSON text. */
export function signed(by: Signer, payload: unknown, header: object = {}): string {
  const head = { alg: by.alg, typ: "at+jwt", kid: by.kid, ...header };
  return rawSigned(head, payload, (input) => signatureOf(by, input));
}

/** A token whose signature is made by the caller. */
export function rawSigned(header: unknown, payload: unknown, sign: (input: Buffer) => Buffer): string {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${sign(Buffer.from(input)).toString("base64url")}`;
}

export const hmac =
  (secret: string) =>
  (input: Buffer): Buffer =>
    createHmac("sha256", secret).update(input).digest();

function signatureOf({ alg, key }: Signer, input: Buffer): Buffer {
  switch (alg) {
    case "ES256":
      return signWith("sha256", input, { key, dsaEncoding: "ieee-p1363" });
    case "EdDSA":
      return signWith(null, input, key);
    case "PS256":
      return signWith("sha256", input, { key, padding: 6, saltLength: 32 });
    default:
      return signWith("sha256", input, key);
  }
}

export interface LoopbackIssuer {
  readonly issuer: string;
  /** What the key set holds now. */
  keys: readonly JWK[];
  /** Instead of the usual answer at a path. */
  readonly instead: Map<string, RequestListener>;
  /** How often each path was asked for. */
  readonly asked: Map<string, number>;
  close(): Promise<void>;
}

export const jwksPath = "/keys";

/** Opens it at a free port; `path` makes it one of several issuers of a host. */
export async function openIssuer(keys: readonly JWK[], path = ""): Promise<LoopbackIssuer> {
  const instead = new Map<string, RequestListener>();
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    const where = request.url ?? "";
    asked.set(where, (asked.get(where) ?? 0) + 1);
    const special = instead.get(where);
    if (special !== undefined) return special(request, response);
    if (where === `${path}/.well-known/openid-configuration`)
      return json(response, { issuer: opened.issuer, jwks_uri: `${opened.issuer}${jwksPath}` });
    if (where === `${path}${jwksPath}`) return json(response, { keys: opened.keys });
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const opened: LoopbackIssuer = {
    issuer: `http://127.0.0.1:${port}${path}`,
    keys,
    instead,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return opened;
}

export function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}
