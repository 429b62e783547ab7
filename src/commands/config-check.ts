// What `sallyport config check` looks at: sallyport.yaml and every file that it names, read as a start would read them. Nothing is started and nobody is called.

import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { loadLocalTokens, readOwnFile } from "../identity/verifiers/index.ts";
import { missingFor } from "../mcp/http.ts";
import { readPair } from "../mcp/tls.ts";
import { operatorTokenOf } from "../wiring/operators.ts";
import { findClusters } from "./clusters.ts";
import { doorSetting, nobodyCalls } from "./http-setting.ts";
import { CommandFailed, sentenceOf, type Io } from "./io.ts";
import { readConfig, readSetting, type ReadConfig } from "./setting.ts";

export interface Finding {
  /** The setting that it is about, for example `http.tls.key`; "" for the file as a whole. */
  readonly setting: string;
  /** `note` is worth knowing and stops nothing. */
  readonly result: "ok" | "note" | "failed";
  /** For a problem with its place: `path:line:column: sentence`. */
  readonly says: string;
}

const day = 86_400_000;
const soon = 14 * day;

/** All findings, in the order of the file. A file that can't be read as a configuration ends it there. */
export async function checkConfig(io: Io, path: string | undefined): Promise<readonly Finding[]> {
  const read = await tried("", readConfig(io, path));
  if (read.kind === "failed") return read.findings;
  const { config } = read.value;
  const there = await stat(read.value.path).then(
    () => true,
    () => false,
  );
  const whole = there
    ? ok("", `${read.value.path}: ${config.mode}, credentials ${config.credentials}`)
    : note("", `${read.value.path} is not there: every setting has its default`);
  return [
    whole,
    ...(await policyFindings(io, path)),
    ...(await clusterFindings(io, read.value)),
    ...(await doorFindings(io, read.value)),
    ...(await issuerFindings(read.value)),
    ...(await secretFindings(io, read.value)),
  ];
}

/** One line a finding, what is wrong last, so that it is seen. */
export function textOfFindings(findings: readonly Finding[]): string {
  const order = ["ok", "note", "failed"] as const;
  const width = Math.max(...findings.map(({ setting }) => setting.length));
  return findings
    .toSorted((a, b) => order.indexOf(a.result) - order.indexOf(b.result))
    .map(({ result, setting, says }) => `${result.padEnd(6)}  ${setting.padEnd(width)}  ${says}\n`)
    .join("");
}

async function policyFindings(io: Io, path: string | undefined): Promise<readonly Finding[]> {
  const read = await tried("policies", readSetting(io, path));
  if (read.kind === "failed") return read.findings;
  const { policy, policyFiles, masking } = read.value;
  return [
    ok("policies", `${policy.rules.length} rules in ${policyFiles.length} files, ${policy.examples} examples hold`),
    ok("masking", `${masking.profiles.size} profiles`),
  ];
}

async function clusterFindings(io: Io, read: ReadConfig): Promise<readonly Finding[]> {
  const setting = read.config.clusters === undefined ? "kubeconfig" : "clusters";
  return (await findClusters(io, read)).map((found): Finding => {
    if (found.kind === "unusable") return failed(setting, found.sentence);
    const { cluster, server, tls } = found.connection;
    if (!tls.insecure) return ok(setting, `${cluster} at ${server}`);
    const says = `${cluster}: its kubeconfig says insecure-skip-tls-verify`;
    return { setting, result: read.config.mode === "multi-user" ? "failed" : "note", says };
  });
}

async function doorFindings(io: Io, read: ReadConfig): Promise<readonly Finding[]> {
  const { config } = read;
  if (config.http === undefined) return [];
  const tokens = await loadLocalTokens(
    config.http.tokens.map((token) => ({ ...token, agent: null })),
    io.uid,
  );
  const callers = config.http.tokens.map(({ kind, subject }) => `${kind} ${subject}`).join(", ");
  const missing = missingFor(doorSetting(config, io.uid, undefined));
  const nobody = nobodyCalls(config);
  return [
    ...(missing === "" ? [] : [wrong(read, ["http", "host"], missing)]),
    ...(nobody === "" ? [] : [note("http", nobody)]),
    ...(tokens.kind === "refused" ? [wrong(read, ["http", "tokens"], tokens.sentence)] : []),
    ...(tokens.kind === "loaded" && callers !== "" ? [ok("http.tokens", callers)] : []),
    ...(await tlsFindings(io, read)),
  ];
}

/** The pair as the door takes it, and beyond that: it bears the name that clients call, and for how long it holds. */
async function tlsFindings(io: Io, read: ReadConfig): Promise<readonly Finding[]> {
  const { tls, url } = read.config.http ?? {};
  if (tls === undefined) return [];
  const taken = await readPair(tls, io.uid, io.now());
  if (taken.kind === "refused") return [wrong(read, ["http", "tls"], taken.sentence)];
  const { leaf } = taken.pair;
  const at = ["http", "tls", "certificate"];
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const name = url === undefined ? "" : new URL(url).hostname;
  const until = new Date(to).toISOString();
  return [
    ...(name === "" || bears(leaf, name) ? [] : [wrong(read, at, `does not bear ${name}, the name of http.url`)]),
    ...(io.now() < from ? [wrong(read, at, `is not valid before ${new Date(from).toISOString()}`)] : []),
    io.now() + soon < to ? ok("http.tls", `valid until ${until}`) : note("http.tls", `ends soon: ${until}`),
  ];
}

function bears(certificate: X509Certificate, name: string): boolean {
  const bare = name.replace(/^\[|\]$/g, "");
  return (isIP(bare) === 0 ? certificate.checkHost(bare) : certificate.checkIP(bare)) !== undefined;
}

async function issuerFindings(read: ReadConfig): Promise<readonly Finding[]> {
  const { issuers, clusters } = read.config;
  const found = issuers.map(async (issuer, index): Promise<readonly Finding[]> => {
    const setting = `issuers.${index}`;
    if (issuer.kind === "service-account") {
      const names = (clusters ?? []).map(({ name }) => name);
      if (issuer.cluster === undefined && names.length > 1)
        return [wrong(read, ["issuers", index], `says no cluster, and there are ${names.join(", ")}`)];
      if (issuer.cluster !== undefined && names.length > 0 && !names.includes(issuer.cluster))
        return [wrong(read, ["issuers", index, "cluster"], `${issuer.cluster} is none of ${names.join(", ")}`)];
      return [ok(setting, `${issuer.name}: ServiceAccounts of ${issuer.cluster ?? names[0] ?? "the cluster"}`)];
    }
    const ca = issuer.ca === undefined ? null : await parsed(issuer.ca, (text) => new X509Certificate(text));
    if (ca?.kind === "failed") return [wrong(read, ["issuers", index, "ca"], ca.says)];
    return [ok(setting, `${issuer.name}: ${issuer.issuer}`)];
  });
  return (await Promise.all(found)).flat();
}

/** Every file that holds a secret, the tokens of callers and the key of TLS aside. */
async function secretFindings(io: Io, read: ReadConfig): Promise<readonly Finding[]> {
  const { http, tracing, slack, console, webhooks } = read.config;
  const files: readonly (readonly [readonly (string | number)[], string | undefined])[] = [
    [["http", "operatorToken"], http?.operatorToken],
    [["tracing", "headersFile"], tracing?.headersFile],
    [["slack", "botToken"], slack?.botToken],
    [["slack", "appToken"], slack?.appToken],
    [["slack", "signingSecret"], slack?.signingSecret],
    [["slack", "client", "secret"], slack?.client?.secret],
    [["console", "clientSecret"], console?.clientSecret],
    ...webhooks.map(({ secret }, index) => [["webhooks", index, "secret"], secret] as const),
  ];
  const found = files.map(async ([at, path]) => (path === undefined ? [] : [await secretFile(io, read, at, path)]));
  return (await Promise.all(found)).flat();
}

/** By the very rules that a start reads it by: there, no link, its owner's alone. */
async function secretFile(io: Io, read: ReadConfig, at: readonly (string | number)[], path: string): Promise<Finding> {
  const found = await readOwnFile(path, io.uid);
  if (found.kind === "refused") return wrong(read, at, found.sentence);
  if (found.text.trim() === "") return wrong(read, at, `${path} is empty`);
  const { http } = read.config;
  // A token that is a caller's as well would make that caller an operator.
  const token = path === http?.operatorToken ? await operatorTokenOf(http, io.uid) : null;
  return token?.kind === "refused" ? wrong(read, at, token.sentence) : ok(at.join("."), path);
}

type Parsed<T> = { readonly kind: "parsed"; readonly value: T } | { readonly kind: "failed"; readonly says: string };

/** The file as PEM. What a library says of a key it can't read is kept back: it may quote it. */
async function parsed<T>(path: string, parse: (text: string) => T): Promise<Parsed<T>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (thrown) {
    return { kind: "failed", says: unreadable(path, thrown) };
  }
  try {
    return { kind: "parsed", value: parse(text) };
  } catch {
    return { kind: "failed", says: `${path} is not PEM of the right kind` };
  }
}

function unreadable(path: string, thrown: unknown): string {
  return `${path} can't be read (${(thrown as NodeJS.ErrnoException).code ?? "unknown"}).`;
}

type Tried<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly findings: Finding[] };

async function tried<T>(setting: string, work: Promise<T>): Promise<Tried<T>> {
  try {
    return { kind: "done", value: await work };
  } catch (thrown) {
    if (!(thrown instanceof CommandFailed)) throw thrown;
    return {
      kind: "failed",
      findings: sentenceOf(thrown)
        .split("\n")
        .map((says) => failed(setting, says)),
    };
  }
}

/** A problem at the place where the setting stands. */
function wrong({ path, placeOf }: ReadConfig, at: readonly (string | number)[], sentence: string): Finding {
  const { line, column } = placeOf(at);
  return failed(at.join("."), `${path}:${line}:${column}: ${at.join(".")}: ${sentence}`);
}

const ok = (setting: string, says: string): Finding => ({ setting, result: "ok", says });
const note = (setting: string, says: string): Finding => ({ setting, result: "note", says });
const failed = (setting: string, says: string): Finding => ({ setting, result: "failed", says });
