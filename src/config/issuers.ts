// What sallyport.yaml may say of who vouches for callers: OpenID providers and the clusters' own ServiceAccount issuers, each with its own rules.

import * as z from "zod";
import { isLoopbackHost } from "../identity/addresses.ts";
import { readPath } from "../identity/claims.ts";
import { webAddress } from "./addresses.ts";

const path = z.string().min(1).max(4096);
const word = z.string().min(1).max(200);
/** A claim, or a path into one: `groups`, `realm_access.roles`. A claim whose own name has dots stands in brackets: `["https://example.com/roles"]`. */
const claimPath = z
  .string()
  .min(1)
  .max(300)
  .refine(
    (one) => readPath(one) !== null,
    'must be a claim or a path of claims; one whose name has dots or slashes stands in brackets: ["https://example.com/roles"]',
  );
/** Goes before a name, so that two issuers' names never meet: `corp:`. */
const prefix = z
  .string()
  .max(60)
  .refine((one) => !one.toLowerCase().startsWith("system:"), "system: is Kubernetes' own")
  .default("");
const issuerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be small letters, digits and - alone, 40 at most");

/** What may sign a token; every other algorithm is refused, whatever the issuer's keys could do. */
export const algorithms = ["RS256", "PS256", "ES256", "EdDSA"] as const;

function isGuarded(issuer: string): boolean {
  const url = URL.parse(issuer);
  return url === null || url.protocol === "https:" || isLoopbackHost(url.hostname);
}

const oidc = z.strictObject({
  kind: z.literal("oidc"),
  name: issuerName,
  /** As the token's `iss` has it, to the last character (RFC 8414, section 2). */
  issuer: webAddress
    .refine((one) => !/[?#]/.test(one), "must have no ? and no # (RFC 8414, section 2)")
    .refine(isGuarded, "must be https: plain http is for an issuer on this machine's loopback alone"),
  /** A token is for us if its `aud` names one of these; default: `http.url`. */
  audience: z.array(word).min(1).max(10).optional(),
  algorithms: z
    .array(z.enum(algorithms))
    .min(1)
    .default([...algorithms]),
  /** The header's `typ` (RFC 9068, section 2.1); some providers say `JWT`. */
  types: z.array(word).min(1).max(5).default(["at+jwt"]),
  /** Claims that must be there, each with one of these values. */
  requiredClaims: z.record(claimPath, z.union([word, z.array(word).min(1).max(50)])).default({}),
  subject: z.strictObject({ claim: claimPath.default("sub"), prefix }).prefault({}),
  groups: z.strictObject({ path: claimPath, prefix }).optional(),
  /** Claims that rules may see, by the name that `claims` above lists and where each stands in the token. */
  claims: z.record(z.string(), claimPath).default({}),
  /** The claim that names the agent of a person's token, where the issuer writes no `act` (RFC 8693, section 4.1): `azp`, `client_id`. */
  agent: z.strictObject({ claim: claimPath, prefix }).optional(),
  /** Whose tokens are software's own, beside those whose subject is their client. */
  agentsWhere: z.record(claimPath, z.union([word, z.array(word).min(1).max(50)])).default({}),
  /** Who people are: all of these claims, each with one of its values. Where it is there everybody else is software; where not, whoever nothing marks as software is a person, and may approve. */
  peopleWhere: z
    .record(claimPath, z.union([word, z.array(word).min(1).max(50)]))
    .refine((one) => Object.keys(one).length > 0, "must name a claim")
    .optional(),
  /** Where scopes stand, as one text or a list. */
  scopes: z.strictObject({ claim: claimPath.default("scope") }).prefault({}),
  /** Certificates that the provider's own is signed by, as PEM; default: those of the system. */
  ca: path.optional(),
  /** The provider stands on a private address. */
  privateAddresses: z.boolean().default(false),
});

const serviceAccount = z.strictObject({
  kind: z.literal("service-account"),
  name: issuerName,
  /** The cluster whose tokens these are; may be left out where there is one. */
  cluster: word.optional(),
  audience: z.array(word).min(1).max(10).default(["sallyport"]),
  /** Goes before the account's name and its groups, where several issuers stand side by side. */
  prefix,
  /** Asks the cluster of each token (TokenReview), so that a deleted account or pod counts at once; else its keys decide alone. */
  review: z.boolean().default(false),
});

export const issuerSchema = z.discriminatedUnion("kind", [oidc, serviceAccount]);
export type IssuerSetting = z.output<typeof issuerSchema>;
export type OidcSetting = z.output<typeof oidc>;
export type ServiceAccountSetting = z.output<typeof serviceAccount>;

interface Prefix {
  /** What is compared with one another: agents are named as subjects are. */
  readonly of: "names" | "groups";
  readonly prefix: string;
  /** Where it is set in the issuer's part of the configuration. */
  readonly at: readonly string[];
}

function prefixesOf(issuer: IssuerSetting): readonly Prefix[] {
  if (issuer.kind === "service-account") {
    const at = ["prefix"];
    return [
      { of: "names", prefix: issuer.prefix, at },
      { of: "groups", prefix: issuer.prefix, at },
    ];
  }
  const { subject, groups, agent } = issuer;
  return [
    { of: "names", prefix: subject.prefix, at: ["subject", "prefix"] },
    ...(agent === undefined ? [] : [{ of: "names" as const, prefix: agent.prefix, at: ["agent", "prefix"] }]),
    ...(groups === undefined ? [] : [{ of: "groups" as const, prefix: groups.prefix, at: ["groups", "prefix"] }]),
  ];
}

/** What the names of all issuers but this one begin with: no token of this one may give such a name. */
export function prefixesBeside(issuers: readonly IssuerSetting[], name: string): readonly string[] {
  const others = issuers.filter((one) => one.name !== name).flatMap((one) => prefixesOf(one));
  return [...new Set(others.map((one) => one.prefix))].filter((one) => one !== "");
}

/** Where a prefix is missing: of several issuers one may go without, since its names can't look like any other's. */
export function unprefixed(
  issuers: readonly IssuerSetting[],
): readonly { readonly at: readonly (string | number)[]; readonly first: string }[] {
  const bare = issuers.flatMap((issuer, index) =>
    prefixesOf(issuer)
      .filter(({ prefix: found }) => found === "")
      .map(({ of, at }) => ({ of, at: ["issuers", index, ...at], name: issuer.name })),
  );
  const missing = bare.flatMap(({ of, at, name }) => {
    const first = bare.find((one) => one.of === of);
    return first === undefined || first.name === name ? [] : [{ at, first: first.name }];
  });
  return missing.filter(({ at }, index) => missing.findIndex((one) => one.at.join() === at.join()) === index);
}
