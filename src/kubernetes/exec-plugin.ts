// Runs a kubeconfig's credential plugin: the one child process, with an absolute path, an argv array and next to no environment.

import { spawn } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { Faulted } from "../domain/fault.ts";
import { at, isJsonObject, textAt, type JsonObject } from "../domain/json.ts";
import type { ClientCertificate } from "./contract.ts";
import { clusterFault } from "./faults.ts";

/** A kubeconfig user's `exec` (client.authentication.k8s.io), checked. */
export interface ExecPlugin {
  readonly apiVersion: "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1";
  /** As it stands in the kubeconfig. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** The cluster that the plugin is told of, or null where it did not ask for it. */
  readonly cluster: JsonObject | null;
  /** The folder of the kubeconfig, which a relative path counts from. */
  readonly folder: string;
}

export interface ExecOptions {
  readonly env: { readonly [name: string]: string | undefined };
  readonly now: () => number;
  /** Milliseconds; 30,000 unless said. */
  readonly timeout?: number;
}

const mostOutput = 1024 * 1024;
/** Milliseconds that a token without an expiry is kept: nothing else would say that it ended. */
const keepUndated = 5 * 60_000;
/** Milliseconds before its expiry that a token counts as over, so that it does not end on its way. */
const margin = 10_000;

/** What a plugin gave: a token, a client certificate, or both. */
export interface PluginCredential {
  readonly token: string | null;
  readonly certificate: ClientCertificate | null;
}
interface Held extends PluginCredential {
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Gives the plugin's credential, running it when there is none that is still good; all who ask meanwhile wait for one run. Faults: credential_unavailable. */
export function execCredential(plugin: ExecPlugin, options: ExecOptions): () => Promise<PluginCredential> {
  let held: Held | null = null;
  let running: Promise<PluginCredential> | null = null;
  return () => {
    if (held !== null && options.now() < held.until) return Promise.resolve(held);
    running ??= runPlugin(plugin, options)
      .then((output) => {
        held = readCredential(output, plugin, options.now());
        return held;
      })
      .finally(() => {
        running = null;
      });
    return running;
  };
}

async function runPlugin(plugin: ExecPlugin, options: ExecOptions): Promise<string> {
  const command = await findCommand(plugin, options.env["PATH"] ?? "");
  return await new Promise((give, refuse) => {
    const child = spawn(command, [...plugin.args], {
      env: environmentOf(plugin, options.env),
      stdio: ["ignore", "pipe", "pipe"],
      shell: false,
    });
    let [output, complaint, ended] = ["", "", false];
    const end = (problem: string | null): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      child.kill("SIGKILL");
      // A grandchild may hold the pipes open: nobody waits for it.
      child.stdout.destroy();
      child.stderr.destroy();
      if (problem === null) give(output);
      else refuse(pluginFault(plugin, problem));
    };
    const timer = setTimeout(() => end("took too long"), options.timeout ?? 30_000);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.length > mostOutput) end("gave too much output");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
    child.on("error", (error) => end(`could not be started (${"code" in error ? String(error.code) : error.name})`));
    child.on("close", (code) => end(code === 0 ? null : `ended with code ${String(code)}${said(complaint)}`));
  });
}

const ways = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];
const passedOn = ["PATH", "HOME", ...ways, ...ways.map((name) => name.toLowerCase())];

/** What the plugin gets of the world: where programs and its home are, the way out, its own list, and what is asked. None of our secrets. */
function environmentOf(plugin: ExecPlugin, env: ExecOptions["env"]): Record<string, string> {
  const base = passedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const asked = {
    apiVersion: plugin.apiVersion,
    kind: "ExecCredential",
    spec: { interactive: false, ...(plugin.cluster === null ? {} : { cluster: plugin.cluster }) },
  };
  return {
    ...Object.fromEntries(base),
    ...Object.fromEntries(plugin.env.map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify(asked),
  };
}

/** With a slash it counts from the kubeconfig's folder, else from PATH; a PATH entry that is not absolute could be anyone's folder. */
async function findCommand(plugin: ExecPlugin, path: string): Promise<string> {
  const places = plugin.command.includes("/")
    ? [resolve(plugin.folder, plugin.command)]
    : path
        .split(":")
        .filter((folder) => isAbsolute(folder))
        .map((folder) => join(folder, plugin.command));
  for (const place of places) if (await isProgram(place)) return place;
  throw pluginFault(plugin, "was not found, or can't be run");
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function readCredential(output: string, plugin: ExecPlugin, now: number): Held {
  const credential = parse(output);
  if (credential === null || textAt(credential, "kind") !== "ExecCredential")
    throw pluginFault(plugin, "gave no ExecCredential");
  if (textAt(credential, "apiVersion") !== plugin.apiVersion)
    throw pluginFault(plugin, "answered in another apiVersion");
  const token = textAt(credential, "status", "token") || null;
  const given = certificateIn(credential, plugin);
  if (token === null && given === null) throw pluginFault(plugin, "gave neither a token nor a client certificate");
  const until = Math.min(given?.until ?? Number.POSITIVE_INFINITY, expiryOf(credential, plugin, now) - margin);
  if (until + margin <= now) throw pluginFault(plugin, "gave a credential that is over");
  return { token, certificate: given?.certificate ?? null, until };
}

/** Milliseconds since 1970; what says nothing of its end is asked for again after five minutes. */
function expiryOf(credential: JsonObject, plugin: ExecPlugin, now: number): number {
  const expiry = at(credential, "status", "expirationTimestamp");
  if (expiry === undefined || expiry === null) return now + keepUndated + margin;
  const until = typeof expiry === "string" ? Date.parse(expiry) : Number.NaN;
  if (Number.isNaN(until)) throw pluginFault(plugin, "gave an expirationTimestamp that is no time");
  return until;
}

/** A whole pair whose key fits; no part of it is ever repeated. */
function certificateIn(
  credential: JsonObject,
  plugin: ExecPlugin,
): { readonly certificate: ClientCertificate; readonly until: number } | null {
  const [cert, key] = ["clientCertificateData", "clientKeyData"].map((field) => textAt(credential, "status", field));
  if (!cert && !key) return null;
  if (!cert || !key) throw pluginFault(plugin, "gave a client certificate without its key, or a key alone");
  try {
    const parsed = new X509Certificate(cert);
    if (parsed.checkPrivateKey(createPrivateKey(key)))
      return { certificate: { cert, key }, until: Date.parse(parsed.validTo) - margin };
  } catch {
    throw pluginFault(plugin, "gave a client certificate or key that can't be read");
  }
  throw pluginFault(plugin, "gave a key that does not fit its client certificate");
}

function parse(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** The end of the plugin's complaint for the operator: one line, and no run of characters long enough to be a token. */
function said(complaint: string): string {
  const words = complaint
    .replace(/[^\u0021-\u007e]+/g, " ")
    .replace(/[A-Za-z0-9._~+/=-]{24,}/g, "…")
    .trim();
  return words === "" ? "" : `: ${words.slice(-300)}`;
}

function pluginFault(plugin: ExecPlugin, problem: string): Faulted {
  const name = plugin.command.split("/").at(-1) ?? "";
  return new Faulted(
    clusterFault("credential_unavailable", { why: "source" }, `the credential plugin ${name} ${problem}`),
  );
}
