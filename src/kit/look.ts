// Looks at what may be looked at: an optional read that policy or Kubernetes refuses is told as not checked, never as empty.

import { Faulted, type FaultCode } from "../domain/fault.ts";
import type { JsonObject } from "../domain/json.ts";

interface Narrowing {
  readonly selector?: string;
  readonly fieldSelector?: string;
}
interface Page {
  readonly items: readonly JsonObject[];
  readonly continue: string;
}
/** What looking needs of a kit; `Kind` is the kit's own. */
interface LookKit<Kind> {
  readonly findKind: (text: string) => Promise<Kind>;
  readonly cluster: {
    may(need: OptionalList<Kind>): boolean;
    list(kind: Kind, namespace: string, options: Narrowing & { limit: number; continue?: string }): Promise<Page>;
  };
}
export interface OptionalList<Kind> {
  readonly verb: "list";
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: "";
  readonly optional: true;
}

export interface Looks {
  /** Every object up to `most`, page by page; null where it may not or cannot be read, which `unread` then tells. */
  list(text: string, namespace: string, narrowing?: Narrowing, most?: number): Promise<readonly JsonObject[] | null>;
  /** Gives each page to `see` and keeps none; false where it may not be read. */
  pages(
    text: string,
    namespace: string,
    narrowing: Narrowing,
    most: number,
    see: (items: readonly JsonObject[]) => void,
  ): Promise<boolean>;
  /** As `pages`, for what the call requires: its faults end the call. */
  required(
    text: string,
    namespace: string,
    narrowing: Narrowing,
    most: number,
    see: (items: readonly JsonObject[]) => void,
  ): Promise<void>;
  /** Any other optional read, for example of a log; null where it failed as the cluster may. */
  attempt<Value>(what: string, read: () => Promise<Value>): Promise<Value | null>;
  /** What was not checked and why: `nodes (not readable)`. */
  readonly unread: readonly string[];
  /** What has more than was read: `at least 5000 pods`. */
  readonly more: readonly string[];
}

/** Faults that leave a look undone without breaking the call. */
const bearable: readonly FaultCode[] = [
  "cluster_denied",
  "not_found",
  "unknown_kind",
  "no_logs",
  "cluster_busy",
  "cluster_unavailable",
  "invalid_input",
  "limit_exceeded",
];

/** A page's size: what is held at once. */
const page = 500;

/** Opens the looks of one run. */
export function openLooks<Kind>(kit: LookKit<Kind>): Looks {
  const unread: string[] = [];
  const more: string[] = [];

  async function attempt<Value>(what: string, read: () => Promise<Value>): Promise<Value | null> {
    try {
      return await read();
    } catch (thrown) {
      if (!(thrown instanceof Faulted) || !bearable.includes(thrown.fault.code)) throw thrown;
      unread.push(`${what} (${why(thrown.fault.code)})`);
      return null;
    }
  }
  async function walk(
    kind: Kind,
    ...[text, namespace, narrowing, most, see]: Parameters<Looks["pages"]>
  ): Promise<true> {
    let seen = 0;
    for (let next = ""; ;) {
      const options = { ...narrowing, limit: page, ...(next === "" ? {} : { continue: next }) };
      const got = await kit.cluster.list(kind, namespace, options);
      see(got.items);
      seen += got.items.length;
      next = got.continue;
      if (next === "") return true;
      if (seen >= most) {
        more.push(`at least ${seen} ${text}`);
        return true;
      }
    }
  }
  const pages: Looks["pages"] = async (text, namespace, narrowing, most, see) => {
    const what = text.split(".")[0] ?? text;
    const kind = await servedKind(kit.findKind, text);
    if (kind === null || !kit.cluster.may({ verb: "list", kind, namespace, name: "", optional: true })) {
      unread.push(`${what} (${kind === null ? "not served" : "not readable"})`);
      return false;
    }
    return (await attempt(what, () => walk(kind, what, namespace, narrowing, most, see))) === true;
  };
  return {
    unread,
    more,
    attempt,
    pages,
    async required(text, ...rest) {
      await walk(await kit.findKind(text), text, ...rest);
    },
    async list(text, namespace, narrowing = {}, most = page) {
      const items: JsonObject[] = [];
      const read = await pages(text, namespace, narrowing, most, (some) => void items.push(...some));
      return read ? items : null;
    },
  };
}

/** Optional lists of these kinds as needs; kinds that this cluster does not serve are left out. */
export async function optionalLists<Kind>(
  findKind: (text: string) => Promise<Kind & { readonly namespaced: boolean }>,
  namespace: string,
  texts: readonly string[],
): Promise<OptionalList<Kind>[]> {
  const kinds = await Promise.all(texts.map((text) => servedKind(findKind, text)));
  return kinds.flatMap((kind): OptionalList<Kind>[] =>
    kind === null
      ? []
      : [{ verb: "list", kind, namespace: kind.namespaced ? namespace : "", name: "", optional: true }],
  );
}

/** The kind, or null where this cluster does not serve it. */
export async function servedKind<Kind>(findKind: (text: string) => Promise<Kind>, text: string): Promise<Kind | null> {
  try {
    return await findKind(text);
  } catch (thrown) {
    if (thrown instanceof Faulted && thrown.fault.code === "unknown_kind") return null;
    throw thrown;
  }
}

function why(code: FaultCode): string {
  if (code === "cluster_denied") return "Kubernetes refuses";
  if (code === "no_logs" || code === "not_found") return "nothing there";
  return code === "unknown_kind" ? "not served" : "could not be read";
}
