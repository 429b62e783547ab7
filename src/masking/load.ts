// Loads a masking profile from YAML: what is hidden besides the built-in, with every example run and every cost probed.

import { parseDocument, visit, type Document } from "yaml";
import * as z from "zod";
import { alphabet } from "./alphabet.ts";
import { rememberFields } from "./fields.ts";
import type { Format } from "./formats.ts";
import { personalKinds } from "./personal.ts";
import { newRoom } from "./spans.ts";
import { secretFinder } from "./text.ts";
import { maskTypes } from "./token.ts";
import type { Profile } from "./profile.ts";

const most = { bytes: 262_144, formats: 200 };

const formatSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "is lower-case words joined by hyphens"),
  type: z.enum(maskTypes).default("custom"),
  keywords: z
    .array(
      z
        .string()
        .min(3)
        .max(64)
        .regex(/^[\x21-\x7e][\x20-\x7e]*$/, "is ASCII"),
    )
    .min(1)
    .max(16),
  body: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\x20-\x7e]+$/, "is ASCII characters and ranges"),
  min: z.int().min(4).max(4096),
  max: z.int().min(4).max(4096),
  random: z.boolean().default(false),
  source: z.string().min(1).max(300),
  positives: z.array(z.string().min(1).max(8192)).min(1).max(50),
  negatives: z.array(z.string().min(1).max(8192)).max(50).default([]),
});
const profileSchema = z.strictObject({
  version: z.literal(1),
  personal: z.array(z.enum(personalKinds)).default(["card"]),
  formats: z.array(formatSchema).max(most.formats).default([]),
});

export type LoadedProfile =
  | { readonly kind: "loaded"; readonly profile: Profile }
  /** One sentence a problem. */
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** Reads a profile; unknown keys, examples that fail and formats that cost too much are problems. */
export function loadProfile(text: string): LoadedProfile {
  if (Buffer.byteLength(text) > most.bytes) return refused([`The profile is larger than ${most.bytes} bytes.`]);
  const document = parseDocument(text, { uniqueKeys: true, merge: false });
  const broken = document.errors[0];
  if (broken !== undefined) return refused([`Line ${broken.linePos?.[0].line ?? 1} is not valid YAML.`]);
  if (hasAlias(document)) return refused(["Aliases are not allowed."]);
  const parsed = profileSchema.safeParse(document.toJS());
  if (!parsed.success) {
    return refused(parsed.error.issues.map((issue) => `${issue.path.join(".") || "profile"}: ${issue.message}.`));
  }
  const problems = parsed.data.formats.flatMap((one) => trial(one));
  if (problems.length > 0) return refused(problems);
  const formats = parsed.data.formats.map(formatOf);
  return { kind: "loaded", profile: { personal: new Set(parsed.data.personal), formats } };
}

function hasAlias(document: Document): boolean {
  let found = false;
  visit(document, {
    Alias: () => {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

function refused(problems: readonly string[]): LoadedProfile {
  return { kind: "refused", problems };
}

type Row = z.infer<typeof formatSchema>;

function formatOf(row: Row): Format {
  const { id, type, keywords, body, min, max, source, negatives } = row;
  return { id, type, keywords, body, min, max, source, negatives, ...(row.random ? { random: true as const } : {}) };
}

/** Work for each character beyond which a format is refused: the built-in ones stay below a tenth of it. */
const mostWork = 40;

/** Runs a format alone: its positives are hidden whole, its negatives untouched, its worst text cheap. */
function trial(row: Row): readonly string[] {
  if (row.min > row.max) return [`${row.id}: min is larger than max.`];
  const find = secretFinder({ formats: [formatOf(row)], personal: new Set() }, rememberFields(), () => ({
    hidden: undefined,
    work: 0,
  }));
  const own = (text: string): boolean => find(text, false, 0, newRoom()).spans.some((span) => span.why === row.id);
  const problems = [
    ...row.positives.filter((text) => !own(text)).map((_, at) => `${row.id}: positive example ${at + 1} is not found.`),
    ...row.negatives.filter(own).map((_, at) => `${row.id}: negative example ${at + 1} is hidden.`),
  ];
  const letter = String.fromCharCode(Math.max(0x21, alphabet(row.body).indexOf(1)));
  const worst = row.keywords.flatMap((word) => [word, word + letter.repeat(row.min - 1)]);
  const costly = worst.some((piece) => {
    const text = piece.repeat(Math.ceil(32_768 / piece.length));
    return find(text, false, 0, newRoom()).work > text.length * mostWork;
  });
  return costly ? [...problems, `${row.id}: it would cost too much on a text of its own keywords.`] : problems;
}
