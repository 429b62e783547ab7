// What a profile chooses: formats besides the built-in ones and kinds of personal data.

import type { Format } from "./formats.ts";
import type { PersonalKind } from "./personal.ts";

export interface Profile {
  readonly personal: ReadonlySet<PersonalKind>;
  readonly formats: readonly Format[];
}

/** What any of them hides. */
export function together(profiles: readonly Profile[]): Profile {
  const formats = new Set(profiles.flatMap((one) => one.formats));
  return { personal: new Set(profiles.flatMap((one) => [...one.personal])), formats: [...formats] };
}

/** Without a profile: every built-in format, and card numbers. */
export const defaultProfile: Profile = { personal: new Set(["card"]), formats: [] };
