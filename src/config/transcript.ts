// What sallyport.yaml may say of the record of what agents did.

import { z } from "zod";
import { bodyClasses } from "../domain/entry.ts";

export const transcriptSchema = z.strictObject({
  /** What is sealed beside the entries, masked, each class under keys of its own. */
  bodies: z
    .array(z.enum(bodyClasses))
    .max(bodyClasses.length)
    .default([...bodyClasses]),
});
