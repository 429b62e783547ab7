// How a kubeconfig's user shows itself to the API server: a token, a token file, a credential plugin, a client certificate, or nothing.

import { dirname, resolve } from "node:path";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import type { Connection } from "./contract.ts";
import { execCredential, type ExecPlugin } from "./exec-plugin.ts";
import { fieldProblem, flagField, stringField, type Entry, type ReadFile } from "./kubeconfig-file.ts";
import { fileToken } from "./tokens.ts";

export interface UserOptions {
  readonly env: { readonly [name: string]: string | undefined };
  readonly readFile: ReadFile;
  readonly now: () => number;
}

/** Ways in that would be silently something else if they were passed over. */
const refusedFields: readonly (readonly [field: string, rule: string])[] = [
  ["as", "asks for impersonation, which is not supported"],
  ["as-uid", "asks for impersonation, which is not supported"],
  ["as-groups", "asks for impersonation, which is not supported"],
  ["as-user-extra", "asks for impersonation, which is not supported"],
  ["username", "asks for basic authentication, which Kubernetes no longer has"],
  ["password", "asks for basic authentication, which Kubernetes no longer has"],
  ["auth-provider", "is no longer supported by Kubernetes: use exec"],
];

/** How a user shows itself; a token file goes before a token, and both before a plugin, as in client-go. */
export function showingOf(
  user: Entry,
  cluster: Entry,
  ca: string | undefined,
  options: UserOptions,
): Pick<Connection, "authorization" | "certificate"> {
  for (const [field, rule] of refusedFields)
    if (user.fields[field] !== undefined && user.fields[field] !== null) throw fieldProblem(user, field, rule);
  const tokenFile = stringField(user, "tokenFile");
  if (tokenFile !== undefined)
    return { authorization: bearer(fileToken(resolve(dirname(user.file), tokenFile), options.readFile, options.now)) };
  const token = stringField(user, "token");
  if (token !== undefined) return { authorization: bearer(() => Promise.resolve(token.trim())) };
  const exec = user.fields["exec"];
  if (exec === undefined || exec === null) return { authorization: () => Promise.resolve(null) };
  if (!isJsonObject(exec)) throw fieldProblem(user, "exec", "is not a mapping");
  const plugin = pluginOf({ file: user.file, where: `${user.where}.exec`, fields: exec }, cluster, ca);
  const credential = execCredential(plugin, { env: options.env, now: options.now });
  const own = stringField(user, "client-certificate-data") ?? stringField(user, "client-certificate");
  return {
    async authorization() {
      const { token: given } = await credential();
      return given === null ? null : `Bearer ${given}`;
    },
    async certificate() {
      const { certificate } = await credential();
      if (certificate === null || own === undefined) return certificate;
      throw fieldProblem(user, "client-certificate", "stands beside a plugin that gave another one");
    },
  };
}

export function bearer(token: () => Promise<string>): Connection["authorization"] {
  return async () => `Bearer ${await token()}`;
}

function pluginOf(exec: Entry, cluster: Entry, ca: string | undefined): ExecPlugin {
  const apiVersion = stringField(exec, "apiVersion");
  if (apiVersion !== "client.authentication.k8s.io/v1" && apiVersion !== "client.authentication.k8s.io/v1beta1")
    throw fieldProblem(exec, "apiVersion", "is neither client.authentication.k8s.io/v1 nor v1beta1");
  const command = stringField(exec, "command");
  if (command === undefined) throw fieldProblem(exec, "command", "is missing");
  if (stringField(exec, "interactiveMode") === "Always")
    throw fieldProblem(exec, "interactiveMode", "is Always, and nobody sits here");
  const args = exec.fields["args"] ?? [];
  const env = exec.fields["env"] ?? [];
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === "string"))
    throw fieldProblem(exec, "args", "is not a list of texts");
  if (!Array.isArray(env)) throw fieldProblem(exec, "env", "is not a list");
  const pairs = env.map((pair) => {
    const { name, value } = isJsonObject(pair) ? pair : {};
    if (typeof name !== "string" || typeof value !== "string")
      throw fieldProblem(exec, "env", "holds more than names and values");
    return { name, value };
  });
  const told = flagField(exec, "provideClusterInfo") ? clusterInfo(cluster, ca) : null;
  return { apiVersion, command, args, env: pairs, cluster: told, folder: dirname(exec.file) };
}

/** What a plugin that asks for it is told of the cluster (client.authentication.k8s.io/v1, Cluster). */
function clusterInfo(cluster: Entry, ca: string | undefined): JsonObject {
  const extensions = cluster.fields["extensions"];
  const own = (Array.isArray(extensions) ? extensions : [])
    .filter(isJsonObject)
    .find((one) => one["name"] === "client.authentication.k8s.io/exec")?.["extension"];
  const info: { [key: string]: JsonObject[string] } = { server: stringField(cluster, "server") ?? "" };
  for (const field of ["tls-server-name", "insecure-skip-tls-verify", "proxy-url"]) {
    const value = cluster.fields[field];
    if (value !== undefined && value !== null) info[field] = value;
  }
  if (ca !== undefined) info["certificate-authority-data"] = Buffer.from(ca).toString("base64");
  if (own !== undefined) info["config"] = own;
  return info;
}
