// The file of who is linked to whom: its shape, and reading it without guessing.

import { readFile } from "node:fs/promises";
import * as z from "zod";
import { fault, Faulted } from "../domain/fault.ts";
import { absent } from "./durable.ts";
import { firstProblem } from "./stored.ts";

const word = z.string().min(1);
/** When the account last proved itself at its issuer, in milliseconds since 1970, and the groups that it told then. */
const proof = z.strictObject({ at: z.number(), groups: z.array(z.string()).max(1000).readonly() });
const pair = {
  team: word,
  user: word,
  issuer: word,
  subject: word,
  /** Milliseconds since 1970. */
  since: z.number(),
  until: z.number(),
};
const link = z.strictObject({ ...pair, proof });
const proposal = z.strictObject({
  ...pair,
  proof,
  /** SHA-256 of what its button carries. */
  nonce: z.string().regex(/^[0-9a-f]{64}$/),
  /** The message that asks; null until it is there. */
  carrier: z.strictObject({ channel: word, ts: word }).nullable(),
});

const shape = z.strictObject({
  format: z.literal(2),
  links: z.array(link).max(10_000),
  proposals: z.array(proposal).max(1000),
});
/** As it was before links were confirmed in Slack: none of these counts, and everybody links again. */
const unconfirmed = z.strictObject({ format: z.literal(1), links: z.array(z.strictObject(pair)) });

export type Proof = z.output<typeof proof>;
export type KeptLink = z.output<typeof link>;
export type KeptProposal = z.output<typeof proposal>;
export interface LinkFile {
  readonly links: readonly KeptLink[];
  readonly proposals: readonly KeptProposal[];
}

/** The file as its text, ready to be written. */
export function linkText(file: LinkFile): string {
  return `${JSON.stringify({ format: 2, ...file }, null, 1)}\n`;
}

/** What the file holds; nothing where there is none. Fault: internal, where it is damaged: nobody is guessed to be anybody. */
export async function readLinks(path: string): Promise<LinkFile> {
  const text = await readFile(path, "utf8").catch(absent);
  if (text === undefined) return { links: [], proposals: [] };
  const value = json(text);
  if (unconfirmed.safeParse(value).success) return { links: [], proposals: [] };
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const why = `The file of linked people ${path} can't be trusted (${firstProblem(parsed.error)}).`;
  throw new Faulted(fault("internal", {}, `${why} Put back a good copy, or remove it: everybody links again.`));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
