// What sallyport.yaml may say. Everything has a safe default; an unknown key is an error.

import * as z from "zod";
import { webAddress } from "./addresses.ts";
import { approvalSettings } from "./approvals.ts";
import { exporterSettings } from "./exporters.ts";
import { claimName, httpSchema } from "./http.ts";
import { issuerSchema, unprefixed } from "./issuers.ts";
import { transcriptSchema } from "./transcript.ts";

const path = z.string().min(1).max(4096);

const contextName = z.string().min(1).max(253);
/** The name goes into policies, onto cards and into the tools' list: printable, and no words of its own. */
const clusterName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/-]*$/, "must be letters, digits and . _ : @ / - alone: give the cluster a name");

/** A cluster of this gateway: a context by its own name, a context under another name, or the cluster of the pod that it runs in. */
export const clusterSchema = z.union([
  clusterName.transform((context) => ({ name: context, context, kubeconfig: undefined, inCluster: false })),
  z
    .strictObject({
      name: clusterName.optional(),
      context: contextName.optional(),
      /** As the setting above all clusters: paths, joined as `KUBECONFIG` is. */
      kubeconfig: path.optional(),
      inCluster: z.literal(true).optional(),
    })
    .transform(({ name, context = "", kubeconfig, inCluster = false }, told) => {
      const problem = (field: string, message: string): void =>
        told.addIssue({ code: "custom", path: [field], message });
      if (inCluster && name === undefined) problem("inCluster", "needs a name beside it");
      if (inCluster && (context !== "" || kubeconfig !== undefined))
        problem("inCluster", "needs no kubeconfig and no context");
      if (!inCluster && context === "") problem("context", "is missing");
      if (name === undefined && context !== "" && !clusterName.safeParse(context).success)
        problem("context", "has characters that no cluster's name may have: add a name");
      return { name: name ?? context, context, kubeconfig, inCluster };
    }),
]);
export type ClusterSetting = z.output<typeof clusterSchema>;

const settings = z.strictObject({
  version: z.literal(1),
  /** `single-user`: the owner may confirm their own agent's calls (assurance `same-device`). `multi-user`: never the requester. */
  mode: z.enum(["single-user", "multi-user"]).default("single-user"),
  /** Paths of kubeconfig files, joined as `KUBECONFIG` is; default: `KUBECONFIG`, else `~/.kube/config`. */
  kubeconfig: path.optional(),
  /** The context to use; default: the kubeconfig's current one. */
  context: contextName.optional(),
  /** The clusters that this gateway serves, instead of one `context`; no other context of a kubeconfig is reached. */
  clusters: z.array(clusterSchema).min(1).max(50).optional(),
  /** `enrolled`: changes run only with a grant. `ambient`: also with the kubeconfig's own credential, said on every answer and entry. */
  credentials: z.enum(["enrolled", "ambient"]).default("enrolled"),
  /** Policy files; default: the default policy that ships with Sallyport. */
  policies: z.array(path).max(100).default([]),
  /** Claims that rules may see, as `principal.NAME`: none but these is taken from what proves a caller. */
  claims: z.array(claimName).max(20).default([]),
  /** What is hidden of every answer: a profile that ships (default, strict) or one of `files`, each named after its file. Rules may ask for another of them besides. */
  masking: z
    .strictObject({
      profile: z.string().min(1).max(200).default("default"),
      files: z.array(path).max(50).default([]),
    })
    .prefault({}),
  /** The namespace label whose value is the environment that rules ask for. */
  environmentLabel: z.string().min(1).max(317).default("sallyport.dev/environment"),
  /** `text`: what a model reads best. `structured`: JSON with an output schema and one line of text, for programs. */
  output: z.enum(["text", "structured"]).default("text"),
  /** How many seconds an answer is held for a person before APPROVAL PENDING is answered. */
  hold: z.number().int().min(0).max(45).default(45),
  /** How many seconds a call may take, waiting for a person aside; each of its requests to a cluster half of that. */
  deadline: z.number().int().min(1).max(600).default(60),
  http: httpSchema.optional(),
  /** Who vouches for callers over HTTP, beside the files of `http.tokens`. */
  issuers: z.array(issuerSchema).max(20).default([]),
  /** What one caller may use: calls at the same time, calls and answered bytes a minute. */
  limits: z
    .strictObject({
      inFlight: z.number().int().min(1).max(1000).default(16),
      callsPerMinute: z.number().int().min(1).max(100_000).default(300),
      bytesPerMinute: z.number().int().min(65_536).max(1_073_741_824).default(16_777_216),
    })
    .prefault({}),
  /** After how many days somebody has to look at an agent's account again, where its registration says no other. */
  agents: z.strictObject({ reviewDays: z.number().int().min(1).max(366).default(90) }).prefault({}),
  /** The record of what agents did. */
  transcript: transcriptSchema.prefault({}),
  ...exporterSettings,
  /** Where spans go, OTLP over HTTP: the address up to and with /v1/traces. Off unless it is there. */
  tracing: z.strictObject({ endpoint: webAddress, headersFile: path.optional() }).optional(),
  /** Who answers requests for approval, and the ways that carry them there. */
  ...approvalSettings,
});

export const configSchema = settings.superRefine(
  ({ context, clusters = [], claims, http, issuers, slack, console, people, webhooks }, told) => {
    const problem = (at: readonly (string | number)[], message: string): void =>
      told.addIssue({ code: "custom", path: [...at], message });
    for (const [index, token] of (http?.tokens ?? []).entries())
      for (const claim of Object.keys(token.claims ?? {}))
        if (!claims.includes(claim))
          problem(["http", "tokens", index, "claims", claim], `${claim} is not one of \`claims\``);
    for (const [index, issuer] of issuers.entries()) {
      if (issuers.findIndex(({ name }) => name === issuer.name) < index)
        problem(["issuers", index, "name"], `there is an issuer ${issuer.name} already`);
      if (issuer.kind === "service-account") continue;
      if (issuers.findIndex((one) => one.kind === "oidc" && one.issuer === issuer.issuer) < index)
        problem(["issuers", index, "issuer"], "stands twice: one issuer has one set of rules");
      if (issuer.audience === undefined && http?.url === undefined)
        problem(["issuers", index, "audience"], "is missing, and there is no http.url that it could be");
      for (const claim of Object.keys(issuer.claims))
        if (!claims.includes(claim)) problem(["issuers", index, "claims", claim], `${claim} is not one of \`claims\``);
    }
    for (const { at, first } of unprefixed(issuers))
      problem(
        at,
        `is missing, and ${first} has none either: rules and approvers know names alone. Give each its own prefix, or both the same one where they speak of the same people`,
      );
    if (slack?.mode === "socket" && slack.appToken === undefined)
      problem(["slack", "appToken"], "is missing: mode socket needs it");
    if (slack?.mode === "http" && slack.signingSecret === undefined)
      problem(["slack", "signingSecret"], "is missing: mode http needs it");
    if (console !== undefined && !issuers.some((one) => one.kind === "oidc" && one.name === console.issuer))
      problem(["console", "issuer"], "is the name of no oidc issuer in `issuers`");
    for (const [index, { name }] of people.entries())
      if (people.findIndex((one) => one.name === name) < index)
        problem(["people", index, "name"], `${name} stands twice`);
    // An account of two people would be nobody's, and each of them could answer what the other one asked.
    const accounts = new Set<string>();
    for (const [index, person] of people.entries())
      for (const [of, { issuer, subject }] of person.accounts.entries()) {
        const account = JSON.stringify([issuer, subject]);
        if (accounts.has(account))
          problem(["people", index, "accounts", of], "stands twice: an account is one person's");
        accounts.add(account);
      }
    for (const [index, { name }] of webhooks.entries())
      if (webhooks.findIndex((one) => one.name === name) < index)
        problem(["webhooks", index, "name"], `${name} stands twice`);
    if (context !== undefined && clusters.length > 0)
      problem(["context"], "stands beside clusters: name it in the list");
    for (const [index, { name }] of clusters.entries())
      if (clusters.findIndex((one) => one.name === name) < index)
        problem(["clusters", index], `there is a cluster ${name} already: give one of them another name`);
  },
);

export type Config = z.output<typeof configSchema>;
