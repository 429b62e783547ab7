// Waits until Kubernetes' authorizer has learned of rights that were just given.

import type { Access } from "../domain/access.ts";
import { at } from "../domain/json.ts";
import * as names from "./names.ts";
import { create, type Sender } from "./send.ts";

/** One right, as an access would use it. */
export type Right = Pick<Access, "verb" | "group" | "resource" | "subresource" | "namespace" | "name">;

/** Milliseconds between the tries, a second and a half in all. */
const tries = [0, 5, 10, 20, 40, 80, 160, 320, 320, 320];

/**
 * The API server's authorizer learns of a new binding by a watch, some milliseconds after it answered that it was made: a first request could be
 * refused. So the account itself asks (authorization.k8s.io/v1 SelfSubjectAccessReview), once a right, until the answer is yes. Null where all hold,
 * or one that does not.
 */
export async function takesHold<One extends Right>(
  sender: Sender,
  rights: readonly One[],
  pause: (milliseconds: number) => Promise<void>,
): Promise<One | null> {
  const held = await Promise.all(
    rights.map(async (right) => {
      for (const wait of tries) {
        if (wait > 0) await pause(wait);
        if (await isAllowed(sender, right)) return true;
      }
      return false;
    }),
  );
  return rights.find((_, index) => held[index] === false) ?? null;
}

async function isAllowed(sender: Sender, right: Right): Promise<boolean> {
  const { verb, group, resource, subresource, namespace, name } = right;
  const review = await create(sender, names.selfAccessReviews, {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { verb, group, resource, subresource, namespace, name } },
  });
  return at(review, "status", "allowed") === true;
}
