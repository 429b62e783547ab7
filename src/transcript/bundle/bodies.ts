// BODIES of a bundle: those that were handed out are the ones that the entries refer to, and open with the auditor's key; others were left out, as the manifest says.

import { isJsonObject } from "../../domain/json.ts";
import { readKeys, visitSealed } from "../bodies.ts";
import type { Entry } from "../entry.ts";
import type { KeyWrapping } from "../seal.ts";
import { checkBodies } from "../verdicts/index.ts";
import { collectFindings, type EntryPlace, type Verdict } from "../verdict.ts";
import { join } from "node:path";
import { classOf } from "./choose.ts";
import { names, sealedName, type Manifest } from "./form.ts";
import type { Found } from "./look.ts";
import { joined } from "./selection.ts";

export type Opener = Pick<KeyWrapping, "id" | "unwrap">;

/** Bytes of keys, more than a hundred thousand of them. */
const largestKeys = 64 * 1024 * 1024;

export interface BundleBodies {
  take(entry: Entry, at: EntryPlace): void;
  verdict(): Promise<Verdict>;
}

export function checkBundleBodies(
  folder: string,
  found: Found,
  { bodies: { classes, recipient } }: Pick<Manifest, "bodies">,
  opener: Opener | null,
): BundleBodies {
  const theirs = opener !== null && opener.id === recipient;
  const bodies = checkBodies(theirs ? opener.unwrap : null);
  const findings = collectFindings();
  let leftOut = 0;

  /** A key that was made for the auditor and does not open was changed, or put in another's place. */
  async function takeKeys(): Promise<void> {
    const size = found.get(names.keys) ?? 0;
    if (size > largestKeys) findings.add(`${names.keys} is larger than ${largestKeys} bytes; it was not read`);
    const keys = size > 0 && size <= largestKeys ? await readKeys(join(folder, "bodies")) : [];
    bodies.keys(keys);
    for (const key of keys) {
      if (key.under !== recipient) findings.add(`key ${key.key} is not wrapped for ${recipient}`);
      else if (theirs && (await opener.unwrap(key)) === null)
        findings.add(`key ${key.key} does not open with your key: it was changed`);
    }
  }
  function words(verdict: Verdict): Verdict {
    const other =
      opener !== null && !theirs && recipient !== "" ? ` They are for ${recipient}, and your key is ${opener.id}.` : "";
    const left = leftOut === 0 ? "" : ` ${leftOut} were left out, as the manifest says.`;
    return { ...verdict, says: `${verdict.says}${other}${left}` };
  }
  return {
    take(entry, at) {
      const class_ = classOf[entry.kind];
      const refers = isJsonObject(entry.details["body"]);
      if (refers && (class_ === undefined || !classes.includes(class_))) leftOut++;
      else bodies.take(entry, at, "");
    },
    async verdict() {
      await takeKeys();
      for (const name of [...found.keys()].filter((one) => sealedName.test(one)).sort())
        await visitSealed(join(folder, name), (body, seal) => bodies.sealed(body, seal));
      await bodies.open();
      return words(joined(bodies.verdict(), findings, (count) => `${count} keys of bodies are not what they must be.`));
    },
  };
}
