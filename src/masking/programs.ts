// Command lines of known programs whose short flags carry a password (`mysql -p…`, `curl -u user:…`).

import { startsWord } from "./alphabet.ts";
import { nothing, type Check, type Span } from "./spans.ts";
import { plainForm, tokenEnd } from "./token.ts";
import { isPlaceholder, isReference } from "./values.ts";

/** How a flag carries the secret: joined to it, as the next word, as the part after a colon (or `%`) of the next word, or as `key=value`. */
export type Carries = "joined" | "next" | "either" | "pair" | "literal";

interface Program {
  readonly names: readonly string[];
  readonly flags: { readonly [flag: string]: Carries };
}

/** From the programs' own manuals. */
const programs: readonly Program[] = [
  {
    names: ["mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlsh", "mariadb", "mariadb-dump", "mariadb-admin"],
    flags: { "-p": "joined" },
  },
  { names: ["kubectl"], flags: { "--from-literal": "literal" } },
  { names: ["cqlsh", "beeline", "hive"], flags: { "-p": "next" } },
  { names: ["nodetool"], flags: { "-pw": "next" } },
  { names: ["redis-cli", "valkey-cli", "keydb-cli"], flags: { "-a": "next", "--pass": "next" } },
  { names: ["twine", "ncftp"], flags: { "-p": "next" } },
  { names: ["mosquitto_pub", "mosquitto_sub"], flags: { "-P": "next", "--pw": "next" } },
  { names: ["sshpass"], flags: { "-p": "either" } },
  { names: ["plink", "pscp", "psftp"], flags: { "-pw": "next" } },
  { names: ["winexe", "rpcdump", "wmiexec"], flags: { "-U": "pair" } },
  {
    names: ["curl", "wget", "http", "https"],
    flags: { "-u": "pair", "--user": "pair", "--proxy-user": "pair", "-U": "pair", "-a": "pair" },
  },
  { names: ["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"], flags: { "-p": "next" } },
  {
    names: ["ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami", "ldapdelete", "ldappasswd"],
    flags: { "-w": "next", "-s": "next" },
  },
  { names: ["sqlcmd", "bcp", "tsql", "isql"], flags: { "-P": "either" } },
  { names: ["smbclient", "rpcclient"], flags: { "-U": "pair" } },
  { names: ["zip", "unzip"], flags: { "-P": "either" } },
  { names: ["7z", "7za", "7zr"], flags: { "-p": "joined" } },
  {
    names: ["docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oc", "az", "cf", "argocd", "oras", "crane"],
    flags: { "-p": "next", "--creds": "pair", "--src-creds": "pair", "--dest-creds": "pair" },
  },
  { names: ["snmpget", "snmpwalk", "snmpset"], flags: { "-A": "next", "-X": "next", "-c": "next" } },
  { names: ["ipmitool"], flags: { "-P": "next" } },
  { names: ["clickhouse-client"], flags: { "--password": "next" } },
  { names: ["etcdctl"], flags: { "--user": "pair" } },
  { names: ["rabbitmqctl", "rabbitmqadmin"], flags: { "-p": "next" } },
  { names: ["openssl"], flags: { "-k": "next", "-K": "next", "-passin": "pair", "-passout": "pair", "-pass": "pair" } },
];
/** Programs of which only `login` takes a password. */
const loginOnly = new Set([
  "docker",
  "podman",
  "nerdctl",
  "buildah",
  "skopeo",
  "helm",
  "oc",
  "az",
  "cf",
  "argocd",
  "oras",
  "crane",
]);

const byName = new Map(programs.flatMap((program) => program.names.map((name) => [name, program.flags] as const)));

/** Keywords of the check: the programs' names. */
export const programKeywords: readonly string[] = [...byName.keys()].filter(
  (name) => name.length >= 3 && name !== "http" && name !== "https",
);

/** The flags that carry a secret for a program (`/usr/bin/mysql` counts as `mysql`), or undefined. */
export function flagsOf(program: string, words: readonly string[]): { readonly [flag: string]: Carries } | undefined {
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (loginOnly.has(name) && !words.includes("login") && !words.some((one) => one.endsWith("creds"))) return undefined;
  if (name === "kubectl" && !words.includes("secret")) return undefined;
  return byName.get(name);
}

/** Which part of an argument is secret, if the flags say so: its own rest, or the next one's. */
export function secretPart(
  flags: { readonly [flag: string]: Carries },
  argument: string,
  next: string | undefined,
): { readonly in: "self" | "next"; readonly from: number } | undefined {
  for (const [flag, carries] of Object.entries(flags)) {
    // Short flags in one word, the one with a value last: `-sSu user:x`.
    const isWhole = argument === flag || (carries === "pair" && flag === "-u" && /^-[A-Za-z]{1,8}u$/.test(argument));
    if (isWhole && next !== undefined && (carries === "next" || carries === "either")) return { in: "next", from: 0 };
    if (carries === "literal" && (isWhole || argument[flag.length] === "=")) {
      const literal = isWhole ? (next ?? "") : argument;
      const sign = literal.indexOf("=", isWhole ? 0 : flag.length + 1);
      if (sign === -1 || sign + 1 >= literal.length) continue;
      return { in: isWhole ? "next" : "self", from: sign + 1 };
    }
    if (isWhole && next !== undefined && carries === "pair") return pairPart(next, "next", 0);
    if (isWhole || !argument.startsWith(flag)) continue;
    if (flag.startsWith("--")) {
      if (argument[flag.length] !== "=") continue;
      return carries === "pair" ? pairPart(argument, "self", flag.length + 1) : { in: "self", from: flag.length + 1 };
    }
    if (carries === "joined" || carries === "either") return { in: "self", from: flag.length };
    if (carries === "pair" && argument[1] !== "-") return pairPart(argument, "self", flag.length);
  }
  return undefined;
}

/** Behind the colon of `user:password` (or `pass:x`), or the percent sign of `user%password`. */
function pairPart(
  text: string,
  where: "self" | "next",
  from: number,
): { in: "self" | "next"; from: number } | undefined {
  const colon = text.indexOf(":", from);
  const mark = colon === -1 ? text.indexOf("%", from) : colon;
  return mark === -1 || mark + 1 >= text.length ? undefined : { in: where, from: mark + 1 };
}

const longestLine = 1024;
/** A blank, then a word of a shell's command: quoted and bare parts joined. */
const nextWord = /\s{1,16}((?:\\"[^"\\\n]*\\"|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"'|;&<>])+)/y;

/** A program's name in a text: its arguments up to the end of the command, or to the next program's name. */
export const programCheck: Check = (scan, start, end) => {
  const { text } = scan;
  if (!startsWord(text, start) || !/^(?:[ \t]|["'],)/.test(text.slice(end, end + 2))) return nothing;
  const list = /^["'],/.test(text.slice(end, end + 2));
  const whole = text.slice(end, end + longestLine);
  // A list of words, as probes and images have it, is a command line without its marks.
  const line = list ? (whole.split("]", 1)[0] ?? "").replace(/["'],?/g, (marks) => " ".repeat(marks.length)) : whole;
  const found: { at: number; text: string }[] = [];
  nextWord.lastIndex = 0;
  for (let word = nextWord.exec(line); word !== null; word = nextWord.exec(line)) {
    const [words, argument = ""] = word;
    if (byName.has(argument) || (words.includes("\n") && found.at(-1)?.text !== "\\")) break;
    found.push({ at: end + word.index + words.length - argument.length, text: argument });
  }
  scan.work += (found.at(-1)?.at ?? end) - end;
  const flags = flagsOf(
    text.slice(start, end).toLowerCase(),
    found.map((one) => one.text),
  );
  if (flags === undefined) return nothing;
  return found.flatMap((argument, index) => {
    const next = found[index + 1];
    const part = secretPart(flags, argument.text, next === undefined ? undefined : bare(next.text).text);
    if (part === undefined) return [];
    const holder = part.in === "next" ? next : argument;
    return holder === undefined ? [] : spanOf(text, holder, part);
  });
};

/** An argument without the quotes around it. */
function bare(text: string): { text: string; offset: number } {
  const quote = /^(\\?["']).*\1$/s.exec(text)?.[1]?.length ?? 0;
  return { text: text.slice(quote, text.length - quote), offset: quote };
}

function spanOf(
  text: string,
  holder: { at: number; text: string },
  part: { in: string; from: number },
): readonly Span[] {
  const whole = part.in === "next" ? bare(holder.text) : { text: holder.text, offset: 0 };
  const own = bare(whole.text.slice(part.from));
  const value = own.text;
  const start = holder.at + whole.offset + part.from + own.offset;
  if (value === "" || value.startsWith("-") || isReference(value) || isPlaceholder(value)) return nothing;
  if (tokenEnd(text, start) === start + value.length) return nothing;
  return [{ start, end: start + value.length, type: "password", value: plainForm(value), why: "command-flag" }];
}
