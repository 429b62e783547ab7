// Signing people in for the console: OpenID Connect's code flow with PKCE, by the same issuer rules that tokens are held to.

import { createHash } from "node:crypto";
import type { JsonObject } from "../domain/json.ts";
import { textAt } from "../domain/json.ts";
import type { Finished, KeptSignIn, SignIn, SignedIn, Wish } from "../domain/sign-in.ts";
import { kindOfSubject, readNames, refuseRequired, type ClaimRules } from "./claims.ts";
import type { Fetched, GuardedFetch, GuardedPost } from "./guarded-fetch.ts";
import type { Kept } from "./kept.ts";
import type { KeySet } from "./keys.ts";
import { metadataAddresses } from "./published.ts";
import { refused, type Refused } from "./refused.ts";
import { proveSignature } from "./signed.ts";
import { issuerOf, readTimes, readToken, refuseAudience } from "./token.ts";

export interface SignInOptions<S extends KeySet> {
  readonly rules: ClaimRules & { readonly issuer: string; readonly algorithms: readonly string[] };
  readonly clientId: string;
  /** null: a public client, which proves itself by PKCE alone. */
  readonly clientSecret: string | null;
  /** Where the provider sends the browser back to. */
  readonly redirect: string;
  readonly scopes: readonly string[];
  /** Levels that a fresh login may answer with; empty: its time alone is checked. */
  readonly acr: readonly string[];
  readonly fetch: GuardedFetch;
  readonly post: GuardedPost;
  readonly keys: Kept<S>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (count: number) => Uint8Array;
  /** For the operator: why somebody was not signed in; never a token. */
  readonly told: (why: Refused) => void;
  readonly closing: AbortSignal;
}

/** Milliseconds that the two clocks may differ where a login's time is checked. */
const leeway = 10_000;
const notAccepted = "The identity provider's answer was not accepted. Try again; the gateway's log says why.";

export function openSignIn<S extends KeySet>(options: SignInOptions<S>): SignIn {
  const { rules, now, random, told } = options;
  const mint = (): string => Buffer.from(random(32)).toString("base64url");
  const refuse = (why: Refused, says = notAccepted): Finished => {
    told(why);
    return { kind: "refused", says };
  };

  /** The provider's own addresses for this flow; null while they can't be had. */
  async function endpoints(): Promise<{ readonly authorize: string; readonly token: string } | null> {
    for (const address of metadataAddresses(rules.issuer)) {
      const found: Fetched = await options.fetch(address, options.closing);
      if (found.kind === "failed" || found.body["issuer"] !== rules.issuer) continue;
      const [authorize, token] = [textAt(found.body, "authorization_endpoint"), textAt(found.body, "token_endpoint")];
      // The browser is sent to the first: nothing but a web address may stand there.
      if (/^https?:\/\//.test(authorize) && token !== "") return { authorize, token };
    }
    told(refused("the provider's metadata can't be had, or names no endpoints"));
    return null;
  }

  return {
    /** Where the browser goes (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636, section 4). */
    async begin(wish: Wish) {
      const found = await endpoints();
      if (found === null) return { kind: "away" };
      const [state, nonce, verifier] = [mint(), mint(), mint()];
      const url = new URL(found.authorize);
      const asked: Record<string, string> = {
        response_type: "code",
        client_id: options.clientId,
        redirect_uri: options.redirect,
        scope: options.scopes.join(" "),
        state,
        nonce,
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
        ...(wish.kind === "plain" ? {} : { max_age: "0", prompt: "login" }),
        ...(wish.kind === "plain" || options.acr.length === 0 ? {} : { acr_values: options.acr.join(" ") }),
      };
      for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
      const kept: KeptSignIn = { state, nonce, verifier, wish, begunAt: now() };
      return { url: url.href, state, kept };
    },

    /** Takes the provider's answer for exactly the sign-in that was begun. */
    async finish(answer: URLSearchParams, kept: KeptSignIn): Promise<Finished> {
      if (answer.getAll("state").length !== 1 || answer.get("state") !== kept.state)
        return refuse(refused("state is missing or another"));
      // RFC 9207: another provider's answer must not be taken for this one's.
      const from = answer.get("iss");
      if (from !== null && from !== rules.issuer) return refuse(refused("the answer is another issuer's", from));
      const error = answer.get("error");
      if (error !== null)
        return refuse(refused("the provider refused", error), "The identity provider did not sign you in.");
      const code = answer.get("code");
      if (code === null || answer.getAll("code").length !== 1) return refuse(refused("code is missing"));
      const idToken = await redeem(code, kept.verifier);
      if (typeof idToken !== "string") return refuse(idToken);
      const person = await read(idToken, kept);
      return person.kind === "refused" ? refuse(person) : { kind: "signed-in", person: person.person };
    },
  };

  /** The ID token for the code (RFC 6749, section 4.1.3). The access token is thrown away: nothing is asked in the person's name. */
  async function redeem(code: string, verifier: string): Promise<string | Refused> {
    const found = await endpoints();
    if (found === null) return refused("the provider's metadata can't be had, or names no endpoints");
    const { clientId, clientSecret, redirect } = options;
    const form = new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirect,
      client_id: clientId,
      code_verifier: verifier,
    });
    const basic = (text: string): string => encodeURIComponent(text);
    const answered = await options.post(
      found.token,
      {
        "content-type": "application/x-www-form-urlencoded",
        ...(clientSecret === null
          ? {}
          : {
              authorization: `Basic ${Buffer.from(`${basic(clientId)}:${basic(clientSecret)}`).toString("base64")}`,
            }),
      },
      form.toString(),
      options.closing,
    );
    if (answered.kind === "failed") return refused(`the token endpoint: ${answered.why}`);
    if (answered.status !== 200 || answered.body === null)
      return refused("the token endpoint refused", textAt(answered.body ?? {}, "error") || answered.status);
    const token = textAt(answered.body, "id_token");
    return token === "" ? refused("the token endpoint gave no id_token") : token;
  }

  /** OpenID Connect Core 1.0, section 3.1.3.7. */
  async function read(
    text: string,
    kept: KeptSignIn,
  ): Promise<{ readonly kind: "person"; readonly person: SignedIn } | Refused> {
    const got = readToken(text);
    if (got.kind === "other") return refused("the id_token is no signed token");
    if (got.kind === "refused") return got;
    const { token } = got;
    const { payload } = token;
    if (!rules.algorithms.includes(token.header.alg)) return refused("the id_token's algorithm", token.header.alg);
    if (issuerOf(payload) !== rules.issuer) return refused("the id_token is another issuer's", payload["iss"]);
    const wrong = refuseAudience(payload, [options.clientId]) ?? refuseParty(payload, options.clientId);
    if (wrong !== null) return wrong;
    const times = readTimes(payload, now());
    if (times.kind === "refused") return times;
    const signed = await proveSignature(token, options.keys);
    if (signed.kind === "refused") return signed;
    if (payload["nonce"] !== kept.nonce) return refused("the id_token's nonce is another");
    const names = refuseRequired(payload, rules) ?? readNames(payload, rules);
    if (names.kind === "refused") return names;
    if (kindOfSubject(payload, rules) !== "person") return refused("the subject is software, not a person");
    const stale = refuseStale(payload, kept, names.subject);
    if (stale !== null) return stale;
    const { subject, groups } = names;
    const name = textAt(payload, "name") || textAt(payload, "preferred_username") || subject;
    return { kind: "person", person: { issuer: rules.issuer, subject, name: name.slice(0, 100), groups, at: now() } };
  }

  /** What was wished is checked in the answer: a provider may ignore `max_age` and `acr_values` (RFC 9470, section 5). */
  function refuseStale(payload: JsonObject, { wish, begunAt }: KeptSignIn, subject: string): Refused | null {
    if (wish.kind === "plain") return null;
    if (subject !== wish.subject) return refused("the fresh login is another person's");
    const at = payload["auth_time"];
    if (typeof at !== "number" || at * 1000 < begunAt - leeway)
      return refused("the login is not fresh (auth_time)", at);
    if (options.acr.length > 0 && !options.acr.includes(textAt(payload, "acr")))
      return refused("the login's level is none of those asked for (acr)", payload["acr"]);
    return null;
  }
}

/** Of several audiences the one that asked has to be named. */
function refuseParty({ aud, azp }: JsonObject, clientId: string): Refused | null {
  if (azp !== undefined && azp !== clientId) return refused("the id_token was issued to somebody else (azp)", azp);
  return Array.isArray(aud) && aud.length > 1 && azp === undefined
    ? refused("the id_token names several aud and no azp")
    : null;
}
