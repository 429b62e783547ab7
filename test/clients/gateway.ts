// A gateway whose callers are vouched for by a real identity provider: the practice cluster, `sallyport serve --http`, and the provider on loopback.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../../src/domain/json.ts";
import { freePorts } from "../cluster/control-plane.ts";
import { openPlace, type Place } from "../commands/place.ts";
import { openIssuer, type Issuer } from "../support/issuer.ts";
import { runCommand, startServing } from "../support/world.ts";

export interface Vouched {
  /** The resource: the address that clients call. */
  readonly url: string;
  readonly issuer: Issuer;
  readonly place: Place;
  readonly env: Record<string, string>;
  /** Sets the gateway's clock forward, so that nobody waits in earnest. */
  advance(milliseconds: number): void;
  /** All entries of the transcript, oldest first. */
  entries(): Promise<readonly JsonObject[]>;
  stop(): Promise<void>;
}

const policy = `version: 1
rules:
  - id: read-all
    effect: allow
    match: { effects: [read] }
    reason: Everyone who is known may look.
  - id: devs-scale
    effect: allow
    match: { tools: [workloads_scale], namespaces: [shop-dev], groups: ["corp:devs"] }
    reason: Developers scale what is theirs.
  - id: bots-scale
    effect: allow
    match: { tools: [workloads_scale], namespaces: [shop-dev], agents: [deploy-bot] }
    reason: The deployer scales.
`;

/** `alice` and `mallory` have accounts at the provider, `deploy-bot` a key; alice is one of `corp:devs`. */
export async function openVouched(): Promise<Vouched> {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/mcp`;
  const issuer = await openIssuer({
    resources: [url, "http://127.0.0.1:1/other"],
    people: { alice: { groups: ["devs"] }, mallory: { groups: [] } },
    agents: ["deploy-bot"],
  });
  const place = await openPlace();
  const env = place.env("vouched");
  const home = env["SALLYPORT_HOME"] ?? "";
  await mkdir(home, { mode: 0o700 });
  await writeFile(join(home, "policy.yaml"), policy);
  await writeFile(
    join(home, "sallyport.yaml"),
    `version: 1
mode: multi-user
policies: [policy.yaml]
http:
  port: ${port}
  url: ${url}
issuers:
  - kind: oidc
    name: corp
    issuer: ${issuer.url}
    groups: { path: groups, prefix: "corp:" }
`,
  );
  const bot = ["--issuer", "corp", "--subject", "deploy-bot", "--owner", "alice", "--purpose", "Deploys the shop"];
  for (const words of [
    ["enroll", "--namespace", "shop-dev", "--yes"],
    ["agents", "register", "deploy-bot", ...bot],
  ]) {
    const { code, out, err } = await runCommand(words, env);
    if (code !== 0) throw new Error(`${words[0]} failed: ${out}${err}`);
  }
  let ahead = 0;
  const served = await startServing(env, { now: () => Date.now() + ahead });
  return {
    url,
    issuer,
    place,
    env,
    advance: (milliseconds) => void (ahead += milliseconds),
    async entries() {
      const { code, out, err } = await runCommand(["transcript", "list", "--json", "--limit", "100000"], env);
      if (code !== 0) throw new Error(`transcript list failed: ${err}`);
      return out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as JsonObject);
    },
    async stop() {
      await served.stop();
      await place.stop();
      await issuer.stop();
    },
  };
}
