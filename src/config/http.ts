// What sallyport.yaml may say of the HTTP door.

import * as z from "zod";
import { principalFields } from "../policy/fact-types.ts";
import { webAddress } from "./addresses.ts";

const path = z.string().min(1).max(4096);

/** What else was proven of a caller: told to rules as `principal.NAME`. */
export const claimName = z
  .string()
  .regex(/^[a-z][A-Za-z0-9_]{0,62}$/, "must be a word of letters, digits and _")
  .refine((one) => !principalFields.includes(one), {
    error: ({ input }) => `${String(input)} is what the gateway itself says of a caller`,
  });

/** A bearer token for the loopback door, in a file that only its owner reads. */
export const tokenSchema = z.strictObject({
  file: path,
  subject: z.string().min(1).max(200),
  kind: z.enum(["person", "agent"]),
  groups: z.array(z.string().min(1).max(200)).max(50).default([]),
  /** Claims of the subject; each is named in `claims` above. */
  claims: z.record(z.string(), z.string().min(1).max(200)).optional(),
});

/** `10.0.0.0/8`, `fd00::/8`, or one address. */
const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]);

export const httpSchema = z.strictObject({
  /** The address to listen on; others than loopback need an issuer, and TLS or a trusted proxy. */
  host: z.union([z.literal("localhost"), z.ipv4(), z.ipv6()]).default("127.0.0.1"),
  port: z.number().int().min(0).max(65_535).default(7843),
  /** Under which address clients call, to the last character: the resource of RFC 9728 and the audience of tokens. Default: the address that is listened on. */
  url: webAddress.optional(),
  /** PEM files; both are read again when they change. */
  tls: z.strictObject({ certificate: path, key: path }).optional(),
  /** Host names beyond those of loopback and of `url`. */
  allowedHosts: z.array(z.string().min(1).max(253)).max(50).default([]),
  /** Origins beyond those of loopback, as browsers send them. */
  allowedOrigins: z
    .array(z.url({ protocol: /^https?$/ }))
    .max(50)
    .default([]),
  /** Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: nobody's by default. */
  trustedProxies: z.array(network).max(50).default([]),
  tokens: z.array(tokenSchema).max(100).default([]),
  /** A file with the bearer token that opens /metrics and the details of /readyz to others than this machine. */
  operatorToken: path.optional(),
});
export type HttpSetting = z.output<typeof httpSchema>;
