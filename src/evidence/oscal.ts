// What our OSCAL documents share: the version, stable ids, our own namespace, references to the catalogue.

import { createHash } from "node:crypto";
import type { JsonObject } from "../domain/json.ts";
import type { Control } from "./mapping.ts";

/** The release of OSCAL that our documents are written in. */
export const oscalVersion = "1.2.1";
/** Of our own properties (OSCAL, "Extending OSCAL with props"). */
export const namespace = "https://sallyport.dev/ns/oscal";

/** RFC 9562, section 6.6: the namespace of URLs. */
const urls = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";
const own = uuidV5(urls, namespace);

/** The id of what these words name, for ever the same (version 5 of RFC 9562, section 5.5, under our own namespace). */
export function uuidOf(...words: readonly (string | number)[]): string {
  return uuidV5(own, words.join("\n"));
}

export function uuidV5(space: string, name: string): string {
  const bytes = createHash("sha1")
    .update(Buffer.from(space.replaceAll("-", ""), "hex"))
    .update(name)
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** `AC-2(13)` as the catalogue writes it: `ac-2.13`. */
export function controlId({ id }: Pick<Control, "id">): string {
  return id.toLowerCase().replace("(", ".").replace(")", "");
}

/** A property of ours: OSCAL takes no empty value, none of several lines and none with space around it. */
export function prop(name: string, value: string | number, more: JsonObject = {}): JsonObject {
  return { name, ns: namespace, value: oneLine(String(value)) || "none", ...more };
}

/** Text where OSCAL takes one line. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

export const gatewayComponent = uuidOf("component", "gateway");
export const party = uuidOf("party", "sallyport");

/** The head of each document. `at`: RFC 3339, with milliseconds. */
export function metadata(title: string, at: string, version: string, role: string): JsonObject {
  return {
    title,
    "last-modified": at,
    version,
    "oscal-version": oscalVersion,
    roles: [
      { id: role, title: role === "tool" ? "The tool that collected the evidence" : "Who supplies the component" },
    ],
    parties: [{ uuid: party, type: "organization", name: "Sallyport" }],
    "responsible-parties": [{ "role-id": role, "party-uuids": [party] }],
  };
}

const catalogue = uuidOf("resource", "SP 800-53 revision 5");
export const catalogueReference = `#${catalogue}`;

/** The catalogue whose ids the documents use; nothing of its text is in them. */
export const catalogueResource: JsonObject = {
  uuid: catalogue,
  title: "NIST SP 800-53, revision 5",
  citation: {
    text: "NIST SP 800-53, revision 5, Security and Privacy Controls for Information Systems and Organizations",
  },
  rlinks: [
    {
      href: "https://github.com/usnistgov/oscal-content/blob/main/nist.gov/SP800-53/rev5/json/NIST_SP-800-53_rev5_catalog.json",
      "media-type": "application/json",
    },
  ],
};
