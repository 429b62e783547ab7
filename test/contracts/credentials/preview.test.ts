// The fence around previews: what counts as a proof, and how long.

import { afterEach, beforeEach, describe, expect } from "vitest";
import { promise } from "../../support/promise.ts";
import { refusedBy, status, type Instead } from "./loopback.ts";
import { faultOf, never, openBench, seconds, type Bench } from "./support.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => {
  await bench.loopback.close();
});

const probe = "/api/v1/namespaces/sallyport-system/configmaps/preview-probe";
function fenceAnswers(answer: Instead): void {
  bench.loopback.instead = (seen) => (seen.path === probe ? answer : undefined);
}
const tries = (): number => bench.loopback.seen.filter((seen) => seen.path === probe).length;

describe("preview fence", () => {
  const answers: readonly (readonly [string, Instead, string])[] = [
    ["our policy's refusal", refusedBy("sallyport-preview"), "bites"],
    ["a write that went through", { status: 200, body: { kind: "ConfigMap" } }, "open"],
    ["another policy's refusal", refusedBy("another-policy"), "unproven"],
    ["a refusal by RBAC", status(403, "Forbidden", probe), "unproven"],
    ["a missing ConfigMap", status(404, "NotFound", probe), "unproven"],
    ["an invalid object", status(422, "Invalid", probe), "unproven"],
    ["a broken server", status(500, "InternalError", probe), "unproven"],
    ["no answer", "hang up", "unproven"],
  ];
  for (const [what, answer, kind] of answers)
    promise("credentials:preview-fence", `${what}: ${kind}`, async () => {
      fenceAnswers(answer);
      expect(await bench.credentials.fence(never)).toMatchObject({ kind });
      if (kind === "bites") {
        const grant = await bench.credentials.issuePreview(never);
        expect([grant.issuer, grant.account]).toEqual(["preview", "system:serviceaccount:sallyport-system:preview"]);
      } else
        expect(await faultOf(bench.credentials.issuePreview(never))).toMatchObject({
          code: "preview_unavailable",
          effect: "none",
          detail: {},
        });
    });

  promise("credentials:preview-fence", "it is a real write, by the preview account, that changes nothing", async () => {
    fenceAnswers(refusedBy("sallyport-preview"));
    await bench.credentials.fence(never);
    const tried = bench.loopback.seen.find((seen) => seen.path === probe);
    expect([tried?.method, tried?.body, [...(tried?.query.keys() ?? [])]]).toEqual(["PATCH", {}, []]);
    const claims = Buffer.from(tried?.authorization.split(".")[1] ?? "", "base64url").toString("utf8");
    expect(claims).toContain("system:serviceaccount:sallyport-system:preview");
  });

  promise(
    "credentials:preview-fence",
    "a proof holds a minute; then it is sought again, and a fence that fell stops previews",
    async () => {
      fenceAnswers(refusedBy("sallyport-preview"));
      await bench.credentials.issuePreview(never);
      bench.clock += seconds(59);
      await bench.credentials.issuePreview(never);
      expect(tries()).toBe(1);
      fenceAnswers({ status: 200, body: { kind: "ConfigMap" } });
      bench.clock += seconds(1);
      expect(await faultOf(bench.credentials.issuePreview(never))).toMatchObject({ code: "preview_unavailable" });
      expect(tries()).toBe(2);
    },
  );

  promise(
    "credentials:preview-fence",
    "an unenrolled cluster makes no preview, whatever the kubeconfig could do",
    async () => {
      bench.loopback.instead = (seen) =>
        seen.path.endsWith("/token") ? status(404, "NotFound", seen.path) : undefined;
      expect(await faultOf(bench.credentials.issuePreview(never))).toMatchObject({ code: "preview_unavailable" });
      expect(tries()).toBe(0);
    },
  );
});
