// What a bundle tells its reader in words: what each file is, the two commands to run, what it can't show, and whose key to trust.

import type { RotationLine } from "./choose.ts";
import { names, wholenessOf, type Manifest } from "./form.ts";

type About = Omit<Manifest, "files">;

/** README.md. Nothing of the record but the query stands in it. */
export function readMeText(about: About): string {
  const { asked, log, entries, at, wholeCalls } = about;
  const all = wholeCalls ? ", with all entries of the calls they belong to" : "";
  return `# Entries of a transcript, with their proofs

Asked for: \`${asked === "" ? "everything" : asked}\`${all}.
Found: ${entries.chosen} entries that answer${entries.beside === 0 ? "" : `, and ${entries.beside} beside them that belong to or explain them`}, of the ${log.size} that ${log.origin} had signed when this was made, ${at}.

## Check it

Take the verifier from a release of Sallyport or from whoever you trust, not from here: a bundle can't vouch for the
program that judges it. It is one file that needs Node 20.12 or later, and no network. Take the key from where the
trust file says.

\`\`\`
node verify.mjs THIS-FOLDER --key log.vkey-that-you-hold
node verify.mjs THIS-FOLDER --key log.vkey-that-you-hold --bodies-key your.secret --anchor checkpoint-that-you-kept
\`\`\`

The first line checks everything but what only you can bring. Eight questions are answered one by one; exit code 3 says
that one of them failed. \`sallyport transcript verify THIS-FOLDER\` gives the same answers.

## What is here

| File | What it is |
|---|---|
| \`${names.manifest}\` | what was asked for, under which head, and the SHA-256 of every file but itself and the next two |
| \`${names.handedOut}\` | the record's own entry that this bundle was handed out, with the manifest's digest, and its proof (c2sp.org/tlog-proof) |
| \`${names.handedOutSince}\` | that the head there continues \`${names.checkpoint}\` (RFC 6962, section 2.1.2) |
| \`${names.entries}\` | the entries, their exact bytes, a line each: RFC 8785 JSON |
| \`${names.proofs}\` | for each of these lines its index and the hashes of its inclusion proof (RFC 6962, section 2.1.1), in base64, from the leaf up |
| \`${names.checkpoint}\` | the signed head that all of them are proven under (c2sp.org/tlog-checkpoint) |
| \`heads/\` | earlier signed heads, each with the proof that \`${names.checkpoint}\` continues it |
| \`rotations/\` | the entries by which one key of the log followed another, each under a head of the key before |
| \`${names.vkey}\`, \`${names.trust}\` | the key that signed, and how to find out whether it is the right one |
| \`policies/\` | the policies that the entries name, by digest: the SHA-256 of the file is its name |
| \`bodies/\` | sealed bodies, and their keys wrapped for one auditor's key |
| \`${names.verifier}\` | a copy of the verifier, for convenience |

A line of \`${names.proofs}\`, its words put beneath each other between \`c2sp.org/tlog-proof@v1\`, \`extra\` with the entry in
base64, and \`${names.checkpoint}\`, is a tlog-proof that other programs check.

## What it shows, and what not

- That each entry stands in the log, unchanged, at its index. Nobody who lacks the log's signing key can make such a proof.
- ${wholeWords(about)}
- ${bodyWords(about)}
- Not that the record tells of everything that was done: only comparing it with the cluster's own audit log shows that.${missingWords(about)}

What the entries hold was masked before it was written. It is still a list of who did what: keep it as you would the record.
`;
}

function wholeWords({ query, wholeCalls }: About): string {
  switch (wholenessOf(query).kind) {
    case "session":
      return "That nothing of the session was left out, up to its last entry here: each is linked to the one before.";
    case "period":
      return "That nothing between the first and the last entry was left out, as their indexes follow one another.";
    case "part":
      return `Not that nothing else answers the query: a part of a log can't show that.${wholeCalls ? "" : " What belongs to a call and does not answer the query was left out."} Ask for whole sessions, for a period, or for the whole record where it matters.`;
  }
}

function bodyWords({ bodies: { classes, recipient } }: About): string {
  if (recipient === "") return "Bodies (arguments, diffs and answers that stand beside entries, sealed) were left out.";
  return `Bodies of these classes: ${classes.join(", ")}; for ${recipient} alone. A data key opens every body of its session, class and day: keep the secret as you keep them. Bodies of other classes were left out.`;
}

function missingWords({ policiesMissing }: About): string {
  if (policiesMissing.length === 0) return "";
  return `\n- The texts of ${policiesMissing.length} policies that entries name were not kept by the gateway that wrote them; the manifest lists their digests.`;
}

/** trust.txt: the keys of the log in their order. */
export function trustText({ log, keys }: About, rotations: readonly RotationLine[]): string {
  const lines = keys.map((vkey, number) => {
    const from = number === 0 ? 0 : (rotations[number - 1]?.index ?? 0) + 1;
    const until = rotations[number]?.index;
    const span = until === undefined ? `entries ${from} and later` : `entries ${from} to ${until}`;
    return `${vkey}\n    signed the heads of ${span}`;
  });
  return `The log is ${log.origin}. Its verifier keys, oldest first (c2sp.org/signed-note, Ed25519):

${lines.join("\n")}

These lines came with the bundle and prove nothing by themselves. Before you rely on them, get the key on another way:
from the copy of log.vkey that you took on the first day; from a colleague of another team who keeps one; or from the
gateway's host, in transcript/log.vkey of its state folder, read to you over a line that you trust. Any one of the keys
above will do: where the log's key was replaced, the old key signed the entry that names the new one (rotations/).
Better still is a signed head that you kept yourself (--anchor): whoever holds the signing key could write another
history, but not one that continues what you hold.
`;
}
