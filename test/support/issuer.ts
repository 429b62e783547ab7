// A certified identity provider (oidc-provider) on loopback for the tests: code with PKCE, client credentials, token exchange, refresh, and keys that change while it runs. Long: one provider and the ways to ask it for tokens.

import { createHash, generateKeyPairSync, randomBytes, randomUUID, type KeyObject } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet, exportJWK, jwtVerify, SignJWT, type JWK } from "jose";
import { errors, Provider, type Context } from "oidc-provider";

export interface Person {
  readonly groups: readonly string[];
  readonly email?: string;
  readonly emailVerified?: boolean;
}

export interface IssuerOptions {
  /** What tokens may be asked for: the exact addresses of resource servers (RFC 8707). More can be added later. */
  readonly resources: readonly string[];
  readonly people: { readonly [subject: string]: Person };
  /** Software with a key of its own (private_key_jwt), by client id. */
  readonly agents?: readonly string[];
  /** Further clients, as oidc-provider's metadata has them. */
  readonly clients?: readonly object[];
  /** Seconds until an access token is over. */
  readonly lifetime?: number;
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly scope?: string;
  readonly expires_in: number;
}

export interface Issuer {
  readonly url: string;
  /** A public client that comes with it, and where it is sent back to. */
  readonly publicClient: { readonly id: string; readonly redirect: string };
  /** Adds an address that tokens may be for. */
  allow(resource: string): void;
  /** New signing keys; the old ones leave the JWKS at once, or stay published beside them. Sessions and refresh tokens live on. */
  rotate(old: "gone" | "published"): Promise<void>;
  /** How often each path was asked for. */
  readonly asked: ReadonlyMap<string, number>;
  /** Signs a person in and agrees to what is asked, by HTTP alone: from an authorization request to the address with the code. */
  signIn(authorizationUrl: string, person: string): Promise<URL>;
  /** The whole authorization code grant with PKCE, as the public client. */
  code(person: string, scope: string, resource: string): Promise<Tokens>;
  refresh(refreshToken: string, scope?: string): Promise<Tokens>;
  /** Client credentials with private_key_jwt (RFC 7523): an agent in its own name. */
  agentToken(agent: string, scope: string, resource: string): Promise<Tokens>;
  /** Token exchange (RFC 8693): the agent acts for whom the token speaks. */
  exchange(agent: string, subjectToken: string, scope: string, resource: string): Promise<Tokens>;
  stop(): Promise<void>;
}

const exchangeType = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";
const scopes = "sallyport:read sallyport:change sallyport:execute";
const publicClient = { id: "test-public", redirect: "http://127.0.0.1:1/callback" };

interface Keys {
  readonly signing: string;
  readonly jwks: { readonly keys: readonly JWK[] };
}

export async function openIssuer(options: IssuerOptions): Promise<Issuer> {
  const resources = new Set(options.resources);
  const asked = new Map<string, number>();
  const agentKeys = new Map(
    (options.agents ?? []).map((id) => [id, generateKeyPairSync("ec", { namedCurve: "P-256" })]),
  );
  const agentClients = await Promise.all(
    [...agentKeys].map(async ([id, { publicKey }]) => ({
      client_id: id,
      grant_types: ["client_credentials", exchangeType],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: id, use: "sig", alg: "ES256" }] },
    })),
  );
  const adapter = adapterOver(new Map());
  const cookieKeys = [randomBytes(32).toString("hex")];

  let serving: Provider | undefined;
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    asked.set(path, (asked.get(path) ?? 0) + 1);
    if (serving === undefined) return void response.writeHead(503).end();
    if (path.startsWith("/interaction/")) return void interact(serving, request, response, options.people);
    serving.callback()(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  let keys = await freshKeys(null);
  const start = (): Provider => provider({ url, options, resources, keys, adapter, cookieKeys, agentClients });
  serving = start();

  const token = async (parameters: Record<string, string>): Promise<Tokens> => {
    const answered = await fetch(`${url}/token`, { method: "POST", body: new URLSearchParams(parameters) });
    const body: unknown = await answered.json();
    if (!answered.ok) throw new Error(`the issuer refused: ${answered.status} ${JSON.stringify(body)}`);
    return body as Tokens;
  };
  const proof = async (agent: string): Promise<Record<string, string>> => {
    const pair = agentKeys.get(agent);
    if (pair === undefined) throw new Error(`there is no agent ${agent}`);
    return {
      client_id: agent,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await assertion(agent, pair.privateKey, url),
    };
  };
  return {
    url,
    publicClient,
    asked,
    allow: (resource) => void resources.add(resource),
    async rotate(old) {
      keys = await freshKeys(old === "published" ? keys : null);
      serving = start();
    },
    signIn,
    async code(person, scope, resource) {
      const verifier = randomBytes(32).toString("base64url");
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      const request = new URL(`${url}/auth`);
      request.search = new URLSearchParams({
        client_id: publicClient.id,
        response_type: "code",
        redirect_uri: publicClient.redirect,
        scope: `openid offline_access ${scope}`,
        prompt: "consent",
        resource,
        code_challenge: challenge,
        code_challenge_method: "S256",
      }).toString();
      const back = await signIn(request.href, person);
      const code = back.searchParams.get("code");
      if (code === null) throw new Error(`no code came back: ${back.search}`);
      const own = { client_id: publicClient.id, redirect_uri: publicClient.redirect, code_verifier: verifier };
      return await token({ grant_type: "authorization_code", code, resource, ...own });
    },
    refresh: (refreshToken, scope) =>
      token({
        grant_type: "refresh_token",
        refresh_token: refreshToken,
        client_id: publicClient.id,
        ...(scope === undefined ? {} : { scope }),
      }),
    agentToken: async (agent, scope, resource) =>
      await token({ grant_type: "client_credentials", scope, resource, ...(await proof(agent)) }),
    exchange: async (agent, subjectToken, scope, resource) =>
      await token({
        grant_type: exchangeType,
        subject_token: subjectToken,
        subject_token_type: accessTokenType,
        scope,
        resource,
        ...(await proof(agent)),
      }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Parts {
  readonly url: string;
  readonly options: IssuerOptions;
  readonly resources: ReadonlySet<string>;
  readonly keys: Keys;
  readonly adapter: ReturnType<typeof adapterOver>;
  readonly cookieKeys: readonly string[];
  readonly agentClients: readonly object[];
}

/** One provider with one set of keys; its state lies in the adapter, so that the next one goes on where it ends. */
function provider({ url, options, resources, keys, adapter, cookieKeys, agentClients }: Parts): Provider {
  /** Who acts for the subject, from the exchange until its token is written. */
  const acting = new WeakMap<Context, object>();
  const resourceServer = (resource: string) => {
    if (!resources.has(resource)) throw new errors.InvalidTarget("no such resource");
    return {
      audience: resource,
      scope: scopes,
      accessTokenFormat: "jwt",
      accessTokenTTL: options.lifetime ?? 300,
      jwt: { sign: { alg: "ES256", kid: keys.signing } },
    };
  };
  const made: Provider = new Provider(url, {
    adapter,
    clients: [
      {
        client_id: publicClient.id,
        application_type: "native",
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: [publicClient.redirect],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
      },
      ...agentClients,
      ...(options.clients ?? []),
    ],
    // What a login here proves, for whoever asks for it.
    acrValues: ["phr"],
    // The keystore has no RSA key, which is what id tokens are signed with unless this is said.
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    cookies: { keys: cookieKeys },
    jwks: keys.jwks,
    // A client that registers itself is bound to the scopes that it registers with.
    scopes: ["openid", "offline_access", ...scopes.split(" ")],
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    ttl: {
      AccessToken: options.lifetime ?? 300,
      ClientCredentials: options.lifetime ?? 300,
      Grant: 3600,
      Session: 3600,
      Interaction: 600,
      IdToken: 300,
      RefreshToken: 3600,
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx: Context, _client: object, one: unknown) => one,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx: Context, resource: string) => resourceServer(resource),
      },
    },
    interactions: { url: (_ctx: Context, { uid }: { readonly uid: string }) => `/interaction/${uid}` },
    issueRefreshToken: (_ctx: Context, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed("refresh_token"),
    findAccount: (_ctx: Context, id: string) => {
      const person = options.people[id];
      return person === undefined ? undefined : { accountId: id, claims: () => ({ sub: id, email: person.email }) };
    },
    extraTokenClaims(ctx: Context, { accountId }: { readonly accountId?: string }) {
      const person = options.people[accountId ?? ""];
      const act = acting.get(ctx);
      return {
        ...(person === undefined ? {} : { groups: person.groups }),
        ...(person?.email === undefined ? {} : { email: person.email, email_verified: person.emailVerified === true }),
        ...(act === undefined ? {} : { act }),
      };
    },
  });
  const published = createLocalJWKSet({ keys: keys.jwks.keys.map(({ d: _private, ...rest }) => rest) });
  made.registerGrantType(
    exchangeType,
    async (ctx) => {
      const { subject_token: shown = "", subject_token_type: type, scope = "", resource = "" } = ctx.oidc.params;
      if (type !== accessTokenType) throw new errors.InvalidGrant("only access tokens are exchanged");
      const { payload } = await jwtVerify(shown, published, { issuer: url, typ: "at+jwt" }).catch(() => {
        throw new errors.InvalidGrant("the subject token is not ours, or over");
      });
      const { client } = ctx.oidc;
      const before = payload["act"] === undefined ? {} : { act: payload["act"] };
      acting.set(ctx, { iss: url, sub: client.clientId, ...before });
      const issued = new made.AccessToken({ accountId: payload.sub ?? "", client, gty: exchangeType });
      issued.resourceServer = new made.ResourceServer(resource, resourceServer(resource));
      const had = typeof payload["scope"] === "string" ? payload["scope"].split(" ") : [];
      issued.scope = scope
        .split(" ")
        .filter((one) => had.includes(one))
        .join(" ");
      ctx.body = {
        access_token: await issued.save(),
        issued_token_type: accessTokenType,
        token_type: issued.tokenType,
        expires_in: issued.expiration,
        scope: issued.scope,
      };
    },
    ["subject_token", "subject_token_type", "scope", "resource", "requested_token_type", "audience"],
  );
  return made;
}

/** The pages that a person would see, as one answer: signs in who is named, agrees to all that is asked. */
async function interact(
  serving: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  people: IssuerOptions["people"],
): Promise<void> {
  if (request.method === "GET")
    return void response
      .writeHead(200, { "content-type": "text/html; charset=utf-8" })
      .end(
        '<!doctype html><title>Who is it?</title><form method="post"><input name="person"><button>Go on</button></form>',
      );
  let body = "";
  for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString();
  const who = new URLSearchParams(body).get("person") ?? "";
  const { prompt, params, grantId, session } = await serving.interactionDetails(request, response);
  if (prompt.name === "login") {
    const result = Object.hasOwn(people, who) ? { login: { accountId: who, acr: "phr" } } : { error: "access_denied" };
    return await serving.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  const found = grantId === undefined ? undefined : await serving.Grant.find(grantId);
  const grant = found ?? new serving.Grant({ accountId: session?.accountId ?? "", clientId: params.client_id });
  const { missingOIDCScope = [], missingResourceScopes = {} } = prompt.details;
  if (missingOIDCScope.length > 0) grant.addOIDCScope(missingOIDCScope.join(" "));
  for (const [resource, wanted] of Object.entries(missingResourceScopes))
    grant.addResourceScope(resource, wanted.join(" "));
  const result = { consent: { grantId: await grant.save() } };
  await serving.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

/** Follows redirects with a jar of cookies, as a browser does, until one leads away from the issuer. */
async function signIn(authorizationUrl: string, person: string): Promise<URL> {
  const jar = new Map<string, string>();
  const { origin } = new URL(authorizationUrl);
  let here = new URL(authorizationUrl);
  let page: { readonly method: string; readonly body?: URLSearchParams } = { method: "GET" };
  for (let step = 0; step < 20; step++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answered = await fetch(here, { ...page, redirect: "manual", headers: { cookie } });
    for (const set of answered.headers.getSetCookie()) {
      const [pair = ""] = set.split(";");
      const at = pair.indexOf("=");
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = answered.headers.get("location");
    if (location === null)
      throw new Error(`the issuer stopped at ${here.pathname}: ${answered.status} ${await answered.text()}`);
    await answered.body?.cancel();
    here = new URL(location, here);
    if (here.origin !== origin) return here;
    const asks = here.pathname.startsWith("/interaction/");
    page = asks ? { method: "POST", body: new URLSearchParams({ person }) } : { method: "GET" };
  }
  throw new Error("the issuer sends us round in circles");
}

/** RFC 7523, section 3. */
async function assertion(agent: string, key: KeyObject, audience: string): Promise<string> {
  return await new SignJWT({})
    .setProtectedHeader({ alg: "ES256", kid: agent })
    .setIssuer(agent)
    .setSubject(agent)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime("1m")
    .sign(key);
}

async function freshKeys(before: Keys | null): Promise<Keys> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signing = randomUUID();
  const jwk: JWK = { ...(await exportJWK(privateKey)), kid: signing, use: "sig", alg: "ES256" };
  return { signing, jwks: { keys: [jwk, ...(before?.jwks.keys ?? [])] } };
}

type Stored = Record<string, unknown>;

/** Everything that the provider remembers, in one map. What is over is never looked for: the tests are. */
function adapterOver(kept: Map<string, Stored>) {
  return class {
    readonly model: string;
    constructor(model: string) {
      this.model = model;
    }
    async upsert(id: string, payload: Stored): Promise<void> {
      kept.set(`${this.model}:${id}`, payload);
    }
    async find(id: string): Promise<Stored | undefined> {
      return kept.get(`${this.model}:${id}`);
    }
    async findByUid(uid: string): Promise<Stored | undefined> {
      return [...kept].find(([key, one]) => key.startsWith(`${this.model}:`) && one["uid"] === uid)?.[1];
    }
    async findByUserCode(): Promise<undefined> {}
    async consume(id: string): Promise<void> {
      const one = kept.get(`${this.model}:${id}`);
      if (one !== undefined) one["consumed"] = Math.floor(Date.now() / 1000);
    }
    async destroy(id: string): Promise<void> {
      kept.delete(`${this.model}:${id}`);
    }
    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, one] of kept) if (one["grantId"] === grantId) kept.delete(key);
    }
  };
}
