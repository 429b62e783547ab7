// The verifier as one file that needs nothing but Node 20.12 or later: `node verify.mjs PATH`. No network, nothing written.

import { readFile, stat } from "node:fs/promises";
import { parseArgs } from "node:util";
import { plainText } from "../src/transcript/describe.ts";
import { readAnchor } from "../src/transcript/given-anchors.ts";
import { parseVkey } from "../src/transcript/note.ts";
import { parseProof, provesLine } from "../src/transcript/proof.ts";
import { auditorWrapping, fileWrapping } from "../src/transcript/seal.ts";
import type { Opener } from "../src/transcript/bundle/bodies.ts";
import { isBundle } from "../src/transcript/bundle/look.ts";
import { verifyBundle } from "../src/transcript/bundle/verify.ts";
import { verifyTranscript, type Report } from "../src/transcript/verify.ts";

const usage = `Usage: node verify.mjs PATH [--key FILE] [--anchor PATH]... [--bodies-key FILE] [--json]

PATH is a state folder, a copy of its transcript folder, a bundle, or one proof (.tlog-proof, which needs --key).
--key FILE         the verifier key that you hold (log.vkey), instead of the one among the files
--anchor PATH      checkpoints that were kept elsewhere: a file, a syslog receiver's log, or a git repository (read by
                   your git); as often as you have one. Shows that nothing was cut or rewritten since
--bodies-key FILE  keys/bodies.key or your auditor's secret: opens the sealed bodies to check them too
Exit code 0 where nothing failed, 3 where something did, 2 for wrong usage, 1 where a file can't be read.
`;

const options = {
  key: { type: "string" },
  anchor: { type: "string", multiple: true },
  "bodies-key": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) return say(usage, 2);
  const vkey = values.key === undefined ? undefined : await readFile(values.key, "utf8");
  if (!(await stat(path)).isDirectory()) return checkProof(await readFile(path, "utf8"), vkey);
  // Another file would make every signature fail, as if the record had been changed.
  if (vkey !== undefined && parseVkey(vkey) === null)
    return say(`${values.key ?? ""} is no verifier key: --key takes a log.vkey.\n`, 2);
  const opener = values["bodies-key"] === undefined ? null : openerOf(await readFile(values["bodies-key"]));
  const anchors = await Promise.all((values.anchor ?? []).map((one) => readAnchor(one, process.env)));
  const given = { now: Date.now(), ...(vkey === undefined ? {} : { vkey }) };
  const report = (await isBundle(path))
    ? await verifyBundle(path, {
        ...given,
        anchors,
        ...(opener === null ? {} : { opener }),
      })
    : await verifyTranscript(path, { ...given, anchors, ...(opener === null ? {} : { unwrap: opener.unwrap }) });
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : text(report));
  return report.ok ? 0 : 3;
}

function openerOf(key: Buffer): Opener {
  const auditor = auditorWrapping(key.toString("utf8"));
  if (auditor === null && key.length !== 32)
    throw new Error("the key of the bodies is neither 32 bytes nor an auditor's secret");
  return auditor ?? fileWrapping(key, () => key);
}

function checkProof(file: string, vkey: string | undefined): number {
  const verifier = parseVkey(vkey ?? "");
  const proof = parseProof(file);
  if (verifier === null) return say("A proof is checked with the key that you hold: --key FILE.\n", 2);
  if (proof === null || proof.extra === null) return say("This is no proof that carries its entry.\n", 3);
  if (!provesLine(proof, proof.extra, verifier)) return say("This proves nothing.\n", 3);
  process.stdout.write(
    `Proved: entry ${proof.index} of ${verifier.name}+${verifier.hash}\n${plainText(Buffer.from(proof.extra).toString("utf8"))}\n`,
  );
  return 0;
}

function text({ verdicts, entries, sessions, open, root }: Report): string {
  const lines = verdicts.flatMap(({ question, verdict, says, places }) => [
    `${question.padEnd(13)} ${verdict.padEnd(11)}  ${says}`,
    ...places.map((place) => `${" ".repeat(27)}${plainText(place)}`),
  ]);
  const head = `${entries} entries in ${sessions} sessions, ${open} calls without an end yet. Root ${root}`;
  return [...lines, head, ""].join("\n");
}

function say(sentence: string, code: number): number {
  process.stderr.write(sentence);
  return code;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  const wrongUse = thrown instanceof TypeError && "code" in thrown && String(thrown.code).startsWith("ERR_PARSE_ARGS");
  const fault =
    thrown instanceof Error && "fault" in thrown ? (thrown.fault as { readonly cause: string }).cause : String(thrown);
  process.exitCode = say(wrongUse ? usage : `${fault}\n`, wrongUse ? 2 : 1);
}
