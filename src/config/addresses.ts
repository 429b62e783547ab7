// Addresses that may stand in sallyport.yaml.

import * as z from "zod";

/** http or https, without a name or a password: such an address is published, logged or read by whoever reads the file. */
export const webAddress = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .refine((one) => {
    const url = URL.parse(one);
    return url !== null && url.username === "" && url.password === "";
  }, "must have no user and no password in it");
