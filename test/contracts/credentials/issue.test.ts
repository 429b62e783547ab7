// Which issuer serves which call.

import { afterEach, describe, expect } from "vitest";
import type { Access } from "../../../src/domain/access.ts";
import type { Effect } from "../../../src/domain/call.ts";
import { chooseIssuer, type CredentialMode } from "../../../src/credentials/issue.ts";
import { promise } from "../../support/promise.ts";
import { authorizedCall } from "./calls.ts";
import { status } from "./loopback.ts";
import { faultOf, getSecret, listPods, openBench, patchApi, writes, type Bench } from "./support.ts";

let bench: Bench | null = null;
afterEach(async () => {
  await bench?.loopback.close();
  bench = null;
});

async function unenrolled(mode: CredentialMode): Promise<Bench> {
  bench = await openBench({ mode });
  bench.loopback.instead = (seen) => (seen.path.endsWith("/token") ? status(404, "NotFound", seen.path) : undefined);
  return bench;
}

describe("issue", () => {
  promise("credentials:chosen", "for every effect, mode and standing", () => {
    const effects: readonly Effect[] = ["read", "change", "destroy", "execute"];
    const rows = (["grants", "ambient"] as const).flatMap((mode) =>
      [true, false].flatMap((enrolled) =>
        effects.flatMap((effect) =>
          ([listPods, getSecret] as readonly (readonly Access[])[]).map((accesses) => {
            const call = authorizedCall({ cluster: "loopback", effect, accesses });
            const what = accesses === getSecret ? "secret" : "other";
            return `${mode} ${enrolled ? "enrolled" : "not"} ${effect} ${what}: ${chooseIssuer(call, mode, enrolled)}`;
          }),
        ),
      ),
    );
    const ambient = rows.filter((row) => row.endsWith(": ambient"));
    expect(ambient.filter((row) => row.startsWith("grants"))).toEqual(["grants not read other: ambient"]);
    expect(ambient.filter((row) => row.startsWith("ambient")).length).toBe(16);
    expect(rows.filter((row) => row.endsWith(": reader"))).toEqual(["grants enrolled read other: reader"]);
    expect(rows.filter((row) => row.endsWith(": token-request")).length).toBe(14);
  });

  promise(
    "credentials:chosen",
    "before enrolment a read is served and marked, a change and a Secret are not",
    async () => {
      const here = await unenrolled("grants");
      const read = await here.issue({ effect: "read", accesses: listPods });
      expect([read.grant.issuer, read.grant.account, await writes(read), await read.revoke()]).toEqual([
        "ambient",
        "",
        false,
        null,
      ]);
      expect(read.grant.authorization()).toBe("Bearer kubeconfig");
      for (const parts of [
        { effect: "change", accesses: patchApi },
        { effect: "destroy", accesses: patchApi },
        { effect: "execute", accesses: patchApi },
        { effect: "read", accesses: getSecret },
      ] as const)
        expect(await faultOf(here.issue(parts))).toMatchObject({
          code: "credential_unavailable",
          detail: { needs: "sallyport enroll" },
        });
    },
  );

  promise(
    "credentials:chosen",
    "with credentials: ambient in so many words everything is served, and nothing is minted",
    async () => {
      const here = await unenrolled("ambient");
      const change = await here.issue({ effect: "change", accesses: patchApi });
      expect([change.grant.issuer, change.grant.authorization()]).toEqual(["ambient", "Bearer kubeconfig"]);
      expect(here.loopback.seen).toEqual([]);
    },
  );

  promise("credentials:chosen", "a grant shows its token to nobody who prints it", async () => {
    bench = await openBench();
    const issued = await bench.issue({ effect: "change", accesses: patchApi });
    const token = (issued.grant.authorization() ?? "").replace("Bearer ", "");
    expect(token.length).toBeGreaterThan(20);
    expect(JSON.stringify(issued)).not.toContain(token.slice(0, 20));
  });
});
