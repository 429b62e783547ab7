// Doctor's check of masking: that every profile loads with its examples, which is in force, and that what is planted is hidden.

import { dirname } from "node:path";
import type { SessionId } from "../domain/ids.ts";
import { formats } from "../masking/formats-table.ts";
import { openMasking } from "../masking/mask.ts";
import type { Profile } from "../masking/profile.ts";
import { readMasking } from "./masking-files.ts";
import { sentenceOf, type Io } from "./io.ts";
import type { ReadConfig } from "./setting.ts";

interface Found {
  readonly name: "masking";
  readonly result: "ok" | "failed";
  readonly says: string;
  readonly next: string;
}

/** Loading a profile runs its examples and probes its formats' cost; a value that is made here must not come out again. */
export async function maskingChecks(
  io: Pick<Io, "shipped" | "random">,
  { config, path }: Pick<ReadConfig, "config" | "path">,
): Promise<readonly Found[]> {
  const failed = (says: string, next: string): readonly Found[] => [{ name: "masking", result: "failed", says, next }];
  const [read] = await Promise.allSettled([readMasking(io, config.masking, dirname(path))]);
  if (read.status === "rejected")
    return failed(
      sentenceOf(read.reason),
      "correct the file that is named; sallyport mask --profile FILE tries one. A gateway that runs keeps the profiles that it has",
    );
  const { profile, profiles, digest } = read.value;
  if (!hides(profile, io.random))
    return failed("a planted password was not hidden", "install Sallyport again: its masking does not work");
  const own = [...profiles.values()].reduce((sum, one) => sum + one.formats.length, 0);
  const told = own === 0 ? "" : ` and ${own} of profiles, whose examples hold and whose cost is bounded`;
  const says = `profile ${config.masking.profile} in force of ${[...profiles.keys()].join(", ")}; ${formats.length} built-in formats${told}; digest ${digest.slice(0, 12)}`;
  return [{ name: "masking", result: "ok", says, next: "" }];
}

/** Is a value gone from a text, from base64 and from an object? */
function hides(profile: Profile, random: (count: number) => Uint8Array): boolean {
  const planted = Buffer.from(random(15)).toString("base64url");
  const encoded = Buffer.from(`password=${planted} user=bob`).toString("base64");
  const masker = openMasking({ key: random(32), profile }).forCall(
    { id: "ses_doctor" as SessionId, door: "stdio" },
    {},
  );
  const shown = [
    masker.text(`password=${planted} note ${encoded}`),
    JSON.stringify(masker.object({ kind: "Secret", stringData: { any: planted }, spec: { password: planted } })),
  ].join("\n");
  return !shown.includes(planted) && !shown.includes(encoded);
}
