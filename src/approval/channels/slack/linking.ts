// Links a signed-in person to their Slack user: begun in the console, finished at Slack's own login, by the same person in the same session (slack.md section 5, steps 2 to 7). The user's own confirmation comes after that (confirming.ts).

import { createHash } from "node:crypto";
import { textAt, type JsonObject } from "../../../domain/json.ts";
import { sameSubject } from "../../../domain/principal.ts";
import type { Carrier, Links, Proposal, SignedIn } from "../../links.ts";
import type { Call } from "./call.ts";
import type { Expected, Gate, Refusal } from "./gate.ts";

export interface LinkingOptions {
  readonly client: { readonly id: string; readonly secret: string };
  /** Where Slack sends the person back to; it stands in the app's manifest. */
  readonly redirectUri: string;
  readonly links: Links;
  readonly gate: Gate;
  readonly expected: () => Expected | null;
  /** Without a token. */
  readonly anonymous: Call;
  /** The claims of an ID token that Slack's own keys signed with RS256; null for any other. */
  readonly verify: (idToken: string) => Promise<JsonObject | null>;
  readonly alert: (what: string, about: JsonObject) => void;
  /** Asks the Slack user by direct message; null where that could not be sent. */
  readonly ask: (proposal: Proposal, nonce: string) => Promise<Carrier | null>;
  readonly random: (count: number) => Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Who begins, and who comes back: the console's session and the account that signed in to it, at most five minutes ago. */
export interface Linker {
  readonly session: string;
  readonly account: SignedIn;
}

export type Finished =
  /** It counts once the Slack user has confirmed it. */
  | { readonly kind: "asked"; readonly proposal: Proposal }
  | {
      readonly kind: "refused";
      readonly why: Refusal | "state" | "other_session" | "exchange" | "token" | "taken" | "unasked";
    };

export interface Linking {
  /** The address at Slack to send the person to. */
  begin(by: Linker): URL;
  /** What they came back with. Fault: internal, and nothing is linked. */
  finish(by: Linker, back: { readonly state: string; readonly code: string }): Promise<Finished>;
}

const authorizeAt = "https://slack.com/openid/connect/authorize";
const issuer = "https://slack.com";
const lifetime = 10 * 60_000;
const most = 1000;

interface Begun extends Linker {
  readonly nonce: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export function openLinking(options: LinkingOptions): Linking {
  const { client, redirectUri, links, gate, expected, alert, random, now } = options;
  /** By the hash of the state: what lies here lets nobody finish. */
  const begun = new Map<string, Begun>();

  return {
    begin({ session, account }) {
      for (const [old, { at }] of begun) {
        if (now() - at < lifetime && begun.size < most) break;
        begun.delete(old);
      }
      const [state, nonce] = [secret(random), secret(random)];
      begun.set(sha256(state), { session: sha256(session), account, nonce: sha256(nonce), at: now() });
      const url = new URL(authorizeAt);
      const query = {
        response_type: "code",
        scope: "openid",
        client_id: client.id,
        redirect_uri: redirectUri,
        state,
        nonce,
      };
      for (const [name, value] of Object.entries({ ...query, team: expected()?.team ?? "" }))
        url.searchParams.set(name, value);
      return url;
    },
    async finish(by, { state, code }) {
      const key = sha256(state);
      const started = begun.get(key);
      // Burnt before anything else happens: of two who come back with it, one goes on.
      begun.delete(key);
      if (started === undefined || now() - started.at >= lifetime) return refuse("state", by, "");
      if (started.session !== sha256(by.session) || !sameSubject(started.account, by.account))
        return refuse("other_session", by, "");
      const claims = await claimsOf(code, started.nonce);
      if (typeof claims === "string") return refuse(claims, by, "");
      const user = textAt(claims, "https://slack.com/user_id");
      const ours = expected();
      if (ours === null) return refuse("unreachable", by, user);
      if (textAt(claims, "https://slack.com/team_id") !== ours.team) return refuse("other_team", by, user);
      gate.forget(user);
      const { appId, team } = ours;
      const origin = { appId, team, enterprise: null, enterpriseInstall: false, user, userTeam: null, viewTeam: null };
      const why = await gate.member(origin);
      if (why !== null) return refuse(why, by, user);
      const proposed = await links.propose({ team, user }, by.account, now());
      if (proposed.kind === "taken") return refuse("taken", by, user);
      const { proposal, nonce } = proposed;
      const carrier = await options.ask(proposal, nonce);
      if (carrier === null) {
        await links.forget(proposal);
        return { kind: "refused", why: "unasked" };
      }
      await links.asked(proposal, carrier);
      return { kind: "asked", proposal: { ...proposal, carrier } };
    },
  };

  function refuse(why: Extract<Finished, { kind: "refused" }>["why"], { account }: Linker, user: string): Finished {
    const { issuer: of, subject } = account;
    alert("slack link refused", { why, issuer: of, subject, user });
    return { kind: "refused", why };
  }

  /** Trades the code for the ID token and looks at all that it must say (OpenID Connect Core 1.0, section 3.1.3.7). */
  async function claimsOf(code: string, nonce: string): Promise<JsonObject | "exchange" | "token"> {
    const called = await options.anonymous("openid.connect.token", {
      client_id: client.id,
      client_secret: client.secret,
      code,
      redirect_uri: redirectUri,
      grant_type: "authorization_code",
    });
    const idToken = called.kind === "ok" ? textAt(called.reply, "id_token") : "";
    if (idToken === "") return "exchange";
    const claims = await options.verify(idToken).catch(() => null);
    if (claims === null || textAt(claims, "iss") !== issuer) return "token";
    const { aud, exp } = claims;
    const forUs = aud === client.id || (Array.isArray(aud) && aud.length === 1 && aud[0] === client.id);
    const inTime = typeof exp === "number" && now() / 1000 < exp;
    return forUs && inTime && sha256(textAt(claims, "nonce")) === nonce ? claims : "token";
  }
}

const secret = (random: (count: number) => Uint8Array): string => Buffer.from(random(32)).toString("base64url");
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
