// An anchor that is a git repository: each checkpoint is a commit, and another machine's copy of the branch is what proves it.

import { fault, Faulted } from "../../domain/fault.ts";
import type { JsonObject } from "../../domain/json.ts";
import { findNotes } from "../found-notes.ts";
import { git, notesFolder, versionsIn, type GitRun } from "../git.ts";
import { gatewayOf } from "../key.ts";
import type { Anchor, Anchorable } from "./contract.ts";

export interface GitPlace {
  /** A repository on this machine, bare or with a working tree, which stays as it is. */
  readonly repository: string;
  readonly branch: string;
  /** Who the commits are by. */
  readonly author: { readonly name: string; readonly email: string };
  /** The remote that each commit is pushed to, never by force; "" for none. */
  readonly remote: string;
}

/** Milliseconds that a step on this machine, and one to another, may take. */
const patience = { here: 30_000, away: 60_000 };

/** `env`: as of this process; only what leads git to its keys is passed on. */
export function gitAnchor(place: GitPlace, env: GitRun["env"], waits: typeof patience = patience): Anchor {
  const { repository, branch, remote } = place;
  const ref = `refs/heads/${branch}`;
  const run = async (words: readonly string[], signal: AbortSignal, input = ""): Promise<string> => {
    const away = words[0] === "push";
    const timeout = away ? waits.away : waits.here;
    const written = await git(repository, words, { env, network: away, timeout, signal, input });
    return written.toString("utf8");
  };
  const found = async (name: string, signal: AbortSignal): Promise<string> =>
    (await run(["for-each-ref", "--format=%(objectname)", name], signal)).trim();

  async function commit(checkpoint: Anchorable, signal: AbortSignal): Promise<string> {
    const own = await found(ref, signal);
    // A fresh clone has the branch of those before as its remote's alone.
    const tip = own === "" && remote !== "" ? await found(`refs/remotes/${remote}/${branch}`, signal) : own;
    if (own !== "" && (await holds(own, checkpoint, signal))) return own;
    const made = (await run(["fast-import", "--quiet", "--done"], signal, streamOf(place, tip, checkpoint))).trim();
    if (!/^[0-9a-f]{40,64}$/.test(made)) throw new Faulted(fault("internal", {}, "git fast-import named no commit"));
    return made;
  }

  /** Committed before, and perhaps not pushed. */
  async function holds(tip: string, { origin, size, root }: Anchorable, signal: AbortSignal): Promise<boolean> {
    const path = pathOf(origin);
    if ((await run(["ls-tree", tip, "--", path], signal)).trim() === "") return false;
    const text = await run(["cat-file", "blob", `${tip}:${path}`], signal);
    return text.startsWith(`${origin}\n${size}\n${Buffer.from(root, "hex").toString("base64")}\n`);
  }

  return {
    kind: "git",
    place: repository,
    async held(origin, signal) {
      const texts = await versionsIn(repository, pathOf(origin), { env, network: false, timeout: waits.here, signal });
      return texts
        .flatMap((text) => findNotes(text).map(({ note }) => note))
        .filter((note) => note.startsWith(`${origin}\n`));
    },
    async keep(checkpoint, signal): Promise<JsonObject> {
      const made = await commit(checkpoint, signal);
      if (remote !== "") await run(["push", "--quiet", "--no-verify", remote, `${ref}:${ref}`], signal);
      return { repository, commit: made, ref, remote };
    },
  };
}

/** One file a log, so that several gateways can share a repository. */
function pathOf(origin: string): string {
  return `${notesFolder}/${gatewayOf(origin).replaceAll(/[^\w.-]/g, "_")}`;
}

/** One commit for git fast-import: neither an index nor a working tree takes part, and a branch only ever moves forward. */
function streamOf({ branch, author }: GitPlace, tip: string, { note, origin, size, at }: Anchorable): string {
  const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
  return [
    `commit refs/heads/${branch}\nmark :1\n`,
    `committer ${author.name} <${author.email}> ${Math.floor(at / 1000)} +0000\n`,
    data(`Checkpoint of ${size} entries of ${origin}\n`),
    tip === "" ? "" : `from ${tip}\n`,
    `M 100644 inline ${pathOf(origin)}\n`,
    data(note),
    "get-mark :1\n",
    "done\n",
  ].join("");
}
