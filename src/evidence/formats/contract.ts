// What every format of a report does: the report in, one text out, the same for the same report.

import type { EvidenceReport } from "../report.ts";

export interface FormatOptions {
  /** Where the rows of a query lie beside the report, as the report refers to them; null where they are not written. */
  readonly rowsFile: (query: string) => string | null;
}

export interface Format {
  /** The file's name in a folder. */
  readonly file: string;
  readonly text: (report: EvidenceReport, options: FormatOptions) => string;
}
