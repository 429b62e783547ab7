// What sallyport.yaml may say of the record of what agents did.

import * as z from "zod";
import { bodyClasses } from "../domain/entry.ts";
import { anchorsSchema } from "./anchors.ts";

const holders = z
  .array(z.string().regex(/^(group|user):\S.{0,199}$/, "is neither group:NAME nor user:SUBJECT"))
  .max(50)
  .default([]);
const days = (usual: number) => z.int().min(1).max(36_500).default(usual);

/** With their leap days. */
const sevenYears = 2557;

export const transcriptSchema = z.strictObject({
  /** What is sealed beside the entries, masked, each class under keys of its own. */
  bodies: z
    .array(z.enum(bodyClasses))
    .max(bodyClasses.length)
    .default([...bodyClasses]),
  /** After how many days a body of each class, and an entry itself, is due for `sallyport transcript purge --due`, and leaves the search index. */
  retention: z
    .strictObject({
      index: days(180),
      arguments: days(400),
      diff: days(400),
      output: days(400),
      envelopes: days(sevenYears),
    })
    .prefault({}),
  /** Who may read, verify and export it beside the owner of the state folder: `group:NAME` or `user:SUBJECT`. */
  auditors: holders,
  /** Who may purge, place and release holds and compare with the cluster's log, beside that owner. */
  operators: holders,
  /** Where its checkpoints are kept beyond this machine. */
  anchors: anchorsSchema,
});
