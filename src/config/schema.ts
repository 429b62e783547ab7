// What sallyport.yaml may say. Everything has a safe default; an unknown key is an error.

import { z } from "zod";

const path = z.string().min(1).max(4096);

/** A bearer token for the loopback door, in a file that only its owner reads. */
export const tokenSchema = z.strictObject({
  file: path,
  subject: z.string().min(1).max(200),
  kind: z.enum(["person", "agent"]),
  groups: z.array(z.string().min(1).max(200)).max(50).default([]),
});

export const configSchema = z.strictObject({
  version: z.literal(1),
  /** `single-user`: the owner may confirm their own agent's calls (assurance `same-device`). `multi-user`: never the requester. */
  mode: z.enum(["single-user", "multi-user"]).default("single-user"),
  /** Paths of kubeconfig files, joined as `KUBECONFIG` is; default: `KUBECONFIG`, else `~/.kube/config`. */
  kubeconfig: path.optional(),
  /** The context to use; default: the kubeconfig's current one. */
  context: z.string().min(1).max(253).optional(),
  /** `enrolled`: changes run only with a grant. `ambient`: also with the kubeconfig's own credential, said on every answer and entry. */
  credentials: z.enum(["enrolled", "ambient"]).default("enrolled"),
  /** Policy files; default: the default policy that ships with Sallyport. */
  policies: z.array(path).max(100).default([]),
  /** The namespace label whose value is the environment that rules ask for. */
  environmentLabel: z.string().min(1).max(317).default("sallyport.dev/environment"),
  /** How many seconds an answer is held for a person before APPROVAL PENDING is answered. */
  hold: z.number().int().min(0).max(45).default(45),
  /** How many seconds a call may take, waiting for a person aside; each of its requests to a cluster half of that. */
  deadline: z.number().int().min(1).max(600).default(60),
  http: z
    .strictObject({
      port: z.number().int().min(0).max(65_535).default(7843),
      tokens: z.array(tokenSchema).min(1).max(100),
    })
    .optional(),
});

export type Config = z.output<typeof configSchema>;
