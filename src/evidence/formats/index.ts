// The formats of a report of evidence, by name.

import { csv } from "./csv.ts";
import type { Format } from "./contract.ts";
import { markdown } from "./markdown.ts";
import { oscal } from "./oscal.ts";

export const reportFormats = { md: markdown, csv, oscal } as const satisfies { readonly [name: string]: Format };
export type ReportFormat = keyof typeof reportFormats;
export const reportFormatNames = Object.keys(reportFormats) as readonly ReportFormat[];
