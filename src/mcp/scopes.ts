// Which scope of its token a caller needs for what it asks, and how one that lacks it is told (RFC 6750, section 3.1).

import type { Effect } from "../domain/call.ts";
import { everyScope, type Scope } from "../domain/evidence.ts";
import { isJsonObject } from "../domain/json.ts";
import type { Principal } from "../domain/principal.ts";
import type { Door } from "./door.ts";

/** A caller that showed evidence, and what that lets it ask for. */
export interface Scoped {
  readonly principal: Principal;
  readonly scopes: readonly Scope[];
}

/** What a call with this effect needs. */
export function scopeFor(effect: Effect): Scope {
  switch (effect) {
    case "read":
      return "sallyport:read";
    case "change":
    case "destroy":
      return "sallyport:change";
    case "execute":
      return "sallyport:execute";
  }
}

/**
 * The scopes that a token must have for these JSON-RPC messages, those that it has among them; null where they suffice.
 *
 * Any one scope lets its bearer in and list; a call needs the scope of each effect that its tool can have. A tool that
 * is hidden from the caller needs none: it goes on to be unknown, as one that does not exist.
 */
export async function missingScopes(
  door: Pick<Door, "effectsOf" | "listTools">,
  { principal, scopes }: Scoped,
  messages: readonly unknown[],
): Promise<readonly Scope[] | null> {
  const needed = new Set<Scope>(scopes.length === 0 ? ["sallyport:read"] : []);
  // Each tool once: a batch may name one a thousand times, and each look at what is listed costs.
  for (const tool of new Set(messages.flatMap(calledTool))) {
    const lacking = (door.effectsOf(tool) ?? []).map(scopeFor).filter((scope) => !scopes.includes(scope));
    if (lacking.length > 0 && (await door.listTools(principal)).some((one) => one.name === tool))
      for (const scope of lacking) needed.add(scope);
  }
  return needed.size === 0 ? null : everyScope.filter((scope) => needed.has(scope) || scopes.includes(scope));
}

/** What a caller is told whose token lacks a scope. */
export function insufficientScope(scopes: readonly Scope[]): string {
  return `insufficient_scope: this needs a token with ${scopes.join(" ")}.`;
}

/** The tool that a message calls; none where it calls none. */
function calledTool(message: unknown): readonly string[] {
  if (!isJsonObject(message) || message["method"] !== "tools/call") return [];
  const { params } = message;
  return isJsonObject(params) && typeof params["name"] === "string" ? [params["name"]] : [];
}
