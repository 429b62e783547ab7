// The anchors that the configuration names, ready to keep checkpoints.

import type { AnchorSetting } from "../config/anchors.ts";
import type { NamedAnchor } from "../transcript/anchoring.ts";
import type { Anchor } from "../transcript/anchors/contract.ts";
import { fileAnchor, gitAnchor, syslogAnchor } from "../transcript/anchors/index.ts";
import { syslogDestination } from "../transcript/destinations.ts";
import type { GitRun } from "../transcript/git.ts";
import { addressOf } from "./syslog-address.ts";

export interface AnchorsMatter {
  readonly settings: readonly AnchorSetting[];
  readonly version: string;
  readonly now: () => number;
  /** Of this process: what leads git to its program and keys is passed on, and nothing else. */
  readonly env: GitRun["env"];
}

/** Faults: internal, with the operator's sentence, where a file that a setting names can't be used. */
export async function openAnchors({ settings, ...matter }: AnchorsMatter): Promise<readonly NamedAnchor[]> {
  return await Promise.all(
    settings.map(async (setting) => ({
      name: setting.name,
      every: setting.every * 1000,
      anchor: await anchorOf(setting, matter),
    })),
  );
}

async function anchorOf(
  setting: AnchorSetting,
  { version, now, env }: Omit<AnchorsMatter, "settings">,
): Promise<Anchor> {
  switch (setting.kind) {
    case "file":
      return fileAnchor(setting.path);
    case "git": {
      const { repository, branch, author, push, remote } = setting;
      return gitAnchor({ repository, branch, author, remote: push ? remote : "" }, env);
    }
    case "syslog": {
      const destination = syslogDestination(await addressOf(`the anchor ${setting.name}`, setting));
      return syslogAnchor({ address: setting.address, destination, version }, now);
    }
  }
}
