// A report that any browser opens and prints: one file, no script, nothing fetched, every word escaped.

import { describeEntry } from "../describe.ts";
import type { ExportAbout, Exported, Exporter } from "./contract.ts";

const style = [
  "body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#111}",
  "table{border-collapse:collapse;width:100%}",
  "th,td{border-bottom:1px solid #ccc;padding:.25em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}",
  "th{position:sticky;top:0;background:#f4f4f4}",
  ".good{color:#126b2e}.bad{color:#a1121b}.open{color:#7a5200}",
  "td:first-child,.time,.kind{white-space:nowrap}",
  "@media print{body{margin:0}th{position:static}}",
].join("\n");

export const html: Exporter = {
  head: (about) =>
    [
      "<!doctype html>",
      '<html lang="en"><head><meta charset="utf-8">',
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
      `<title>Sallyport transcript</title><style>${style}</style></head><body>`,
      "<h1>Sallyport transcript</h1>",
      `<dl>${facts(about)}</dl>`,
      "<table><thead><tr><th>Entry</th><th>Time (UTC)</th><th>Kind</th><th>Who</th><th>What</th></tr></thead><tbody>",
      "",
    ].join("\n"),
  record: row,
  tail: (_about, records) =>
    `</tbody></table>\n<p>${records} ${records === 1 ? "entry" : "entries"}.</p>\n</body></html>\n`,
};

function facts({ version, at, query, size, root }: ExportAbout): string {
  const told: readonly (readonly [string, string])[] = [
    ["Asked for", query === "" ? "everything" : query],
    ["Made", `${at} by Sallyport ${version}`],
    ["Newest signed head", size === 0 ? "none" : `${size} entries, root ${root}`],
    ["Re-run", `sallyport transcript export --format html${query === "" ? "" : ` ${query}`}`],
  ];
  return told.map(([term, says]) => `<dt>${term}</dt><dd>${escaped(says)}</dd>`).join("");
}

function row(one: Exported): string {
  const { when, kind, mood, who, says } = describeEntry(one);
  const cells = [
    `<td title="${one.leaf}">${one.index}</td>`,
    `<td class="time">${escaped(when)}</td>`,
    `<td class="kind ${mood}">${escaped(kind)}</td>`,
    `<td>${escaped(who)}</td>`,
    `<td>${escaped(says)}</td>`,
  ];
  return `<tr>${cells.join("")}</tr>\n`;
}

const signs: { readonly [sign: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => signs[sign] ?? "");
}
