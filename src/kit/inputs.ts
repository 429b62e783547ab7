// The inputs that tools share, with the bounds that are kept at run time and not sent to the client.

import * as z from "zod";

/** Inputs that tools share. Bounds are Kubernetes' own (RFC 1123 names) and tools.md's; they are kept at run time and not sent. */
export const inputs = {
  name: () =>
    z
      .string()
      .min(1)
      .max(253)
      .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, "must be a Kubernetes object name"),
  namespace: () =>
    z
      .string()
      .min(1)
      .max(63)
      .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "must be a namespace name"),
  /** A container of a pod: an RFC 1123 label. */
  container: () =>
    z
      .string()
      .min(1)
      .max(63)
      .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "must be a container name"),
  /** A namespace, or `*` for all that the caller may read. */
  namespaces: () =>
    z
      .string()
      .min(1)
      .max(63)
      .regex(/^(\*|[a-z0-9]([a-z0-9-]*[a-z0-9])?)$/, "must be a namespace name or *"),
  kind: () =>
    z
      .string()
      .min(1)
      .max(160)
      .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, "must be a kind, for example Pod"),
  selector: () =>
    z
      .string()
      .min(1)
      .max(500)
      .regex(/^[A-Za-z0-9_./=!<>,() -]+$/, "must be a selector, for example app=api"),
  reason: () => z.string().trim().min(8).max(300).describe("Why, for approvers"),
  preview: () => z.boolean().default(false).describe("Show effect only"),
};
