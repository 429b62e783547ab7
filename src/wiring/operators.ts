// What an operator may ask the HTTP door for: /readyz and /metrics. Everybody hears whether the gateway is ready; the rest is this machine's and the operator token's.

import type { HttpSetting } from "../config/http.ts";
import { loadLocalTokens } from "../identity/verifiers/index.ts";
import type { Verifier } from "../identity/verifiers/contract.ts";
import type { ExportLag, Metrics } from "../telemetry/metrics.ts";
import { openReadiness, type Dependency, type Seen } from "../telemetry/readiness.ts";

export interface OperatorsOptions {
  readonly gateway: {
    dependencies(): readonly Dependency[];
    approvalsWaiting(): Promise<number>;
    refusedStranger(): void;
    policyDigest(): string;
    maskingDigest(): string;
  };
  readonly metrics: Metrics;
  /** How far each continuous export is behind. */
  readonly exportLags: () => Promise<readonly ExportLag[]>;
  /** The part of the configuration; undefined where there is none, and then no token is the operator's. */
  readonly http: HttpTokens | undefined;
  /** The user that this process runs as. */
  readonly uid: number;
  readonly now: () => number;
}

/** Who asks: from this machine and for nobody else, or with a token that nobody has checked yet. */
export interface Asked {
  readonly local: boolean;
  readonly bearer: string | null;
}
export interface Answered {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

export interface Operators {
  /** null where there is nothing at that path. */
  answer(path: string, asked: Asked): Promise<Answered | null>;
  close(): Promise<void>;
}

const json = { "content-type": "application/json", "cache-control": "no-store" };

export type HttpTokens = Pick<HttpSetting, "operatorToken" | "tokens">;

export type OpenedOperators =
  | { readonly kind: "opened"; readonly operators: Operators }
  | { readonly kind: "refused"; readonly sentence: string };

/** Reads the token's file, and looks at all dependencies for the first time. Refused with a sentence where that file can't be used. */
export async function openOperators(options: OperatorsOptions): Promise<OpenedOperators> {
  const token = await operatorTokenOf(options.http, options.uid);
  if (token.kind === "refused") return token;
  return { kind: "opened", operators: operatorsOf(options, token.verifier) };
}

type OperatorToken =
  | { readonly kind: "loaded"; readonly verifier: Verifier | null }
  | { readonly kind: "refused"; readonly sentence: string };

/** By the rules of every token file; a token that is a caller's as well would make that caller an operator. */
export async function operatorTokenOf(http: HttpTokens | undefined, uid: number): Promise<OperatorToken> {
  const { operatorToken: file, tokens = [] } = http ?? {};
  if (file === undefined) return { kind: "loaded", verifier: null };
  const own = { file, subject: "operator", kind: "person", groups: [], agent: null } as const;
  const together = await loadLocalTokens([...tokens.map((token) => ({ ...token, agent: null })), own], uid);
  if (together.kind === "refused") return together;
  return await loadLocalTokens([own], uid);
}

/** `token` knows the operator token, and nobody of whom any other token tells. */
function operatorsOf({ gateway, metrics, exportLags, now }: OperatorsOptions, token: Verifier | null): Operators {
  const readiness = openReadiness({ dependencies: gateway.dependencies(), now });
  const first = readiness.look();

  async function isOperator({ local, bearer }: Asked): Promise<boolean> {
    if (local) return true;
    if (token === null || bearer === null) return false;
    return (await token.verify({ kind: "bearer", token: bearer, client: "" })) !== null;
  }
  async function readyz(asked: Asked): Promise<Answered> {
    const { ready, dependencies } = await readiness.look();
    const inForce = { policy: gateway.policyDigest(), masking: gateway.maskingDigest() };
    const detail = (await isOperator(asked)) ? { dependencies: dependencies.map(shown), inForce } : {};
    return { status: ready ? 200 : 503, headers: json, body: `${JSON.stringify({ ready, ...detail })}\n` };
  }
  async function scraped(asked: Asked): Promise<Answered> {
    if (!(await isOperator(asked))) {
      gateway.refusedStranger();
      const headers = { ...json, "www-authenticate": 'Bearer realm="sallyport operators"' };
      return { status: 401, headers, body: `${JSON.stringify({ error: "The operator token is needed." })}\n` };
    }
    const { dependencies } = await readiness.look();
    const approvalsWaiting = await gateway.approvalsWaiting().catch(() => null);
    const exports = await exportLags().catch(() => null);
    const { type, body } = await metrics.text({ approvalsWaiting, dependencies, exports });
    return { status: 200, headers: { "content-type": type, "cache-control": "no-store" }, body };
  }
  return {
    async answer(path, asked) {
      if (path === "/readyz") return await readyz(asked);
      if (path === "/metrics") return await scraped(asked);
      return null;
    },
    async close() {
      await readiness.close();
      await first;
    },
  };
}

function shown({ name, ok, why, at }: Seen): object {
  const when = at === null ? {} : { seen: new Date(at).toISOString() };
  return { name, ok, ...(why === "" ? {} : { why }), ...when };
}
