// The kubeconfig's own credential: for reads before enrolment, and for everything only where the configuration says so in so many words.

import type { GrantId } from "../../domain/ids.ts";
import type { Connection } from "../../kubernetes/contract.ts";
import { noCredential, type Issuer } from "../contract.ts";

export interface AmbientOptions {
  readonly authorization: Connection["authorization"];
  readonly newGrantId: () => GrantId;
  /** `everything` only from the configuration's `credentials: ambient`. */
  readonly serves: "reads" | "everything";
}

export function ambientIssuer(options: AmbientOptions): Issuer {
  return {
    async issue({ call }) {
      if (options.serves === "reads" && call.effect !== "read")
        throw noCredential(`the kubeconfig's own credential never serves a ${call.effect}`, "sallyport enroll");
      const header = await options.authorization();
      return {
        grant: {
          id: options.newGrantId(),
          issuer: "ambient",
          account: "",
          jti: "",
          expiresAt: 0,
          authorization: () => header,
        },
        record: async () => undefined,
        revoke: async () => null,
      };
    },
  };
}
