// A syslog receiver as sallyport.yaml names it: for exports and for anchors alike.

import * as z from "zod";

const path = z.string().min(1).max(4096);

export const syslogPlace = {
  /** `tls://siem.example:6514`, or `tcp://127.0.0.1:601` for a receiver that nobody else stands before. */
  address: z
    .url({ protocol: /^(tls|tcp)$/ })
    .max(2000)
    .refine((text) => URL.canParse(text) && isPlace(new URL(text)), "must be a scheme, a host and a port alone"),
  /** The certificates that sign the receiver's, as PEM; without it those of the system. */
  ca: path.optional(),
  /** The name that the receiver's certificate is for, where it is another than the host. */
  serverName: z.string().min(1).max(253).optional(),
  /** Our own certificate and its key, as PEM, for a receiver that asks for one. */
  certificate: path.optional(),
  key: path.optional(),
};

export type SyslogPlace = z.output<z.ZodObject<typeof syslogPlace>>;

function isPlace({ hostname, port, username, password, pathname, search, hash }: URL): boolean {
  return hostname !== "" && port !== "" && username + password + search + hash === "" && ["", "/"].includes(pathname);
}

/** What does not go together, each with the field that it is told of. */
export function problemsOf(place: SyslogPlace): readonly { readonly field: string; readonly message: string }[] {
  const plain = place.address.startsWith("tcp:");
  const fields = ["ca", "serverName", "certificate", "key"] as const;
  return [
    ...fields
      .filter((field) => plain && place[field] !== undefined)
      .map((field) => ({ field, message: "is for tls:// alone" })),
    ...((place.certificate === undefined) === (place.key === undefined)
      ? []
      : [{ field: "certificate", message: "and key stand together, or neither does" }]),
  ];
}
