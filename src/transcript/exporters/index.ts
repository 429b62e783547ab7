// The formats that the record can be exported in.

import type { Exporter } from "./contract.ts";
import { cef } from "./cef.ts";
import { csv } from "./csv.ts";
import { html } from "./html.ts";
import { ocsf } from "./ocsf.ts";

export const formats = ["ocsf", "csv", "cef", "html"] as const;
export type Format = (typeof formats)[number];

export const exporters: { readonly [F in Format]: Exporter } = { ocsf, csv, cef, html };
