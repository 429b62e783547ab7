// A test that cites the promise it keeps: test/requirements.ts lists them all, and floors.test.ts finds the uncited.

import { test } from "vitest";
import { requirements, type PromiseId, type Requirement } from "../requirements.ts";

/** Registers a test under the promise's own sentence; `how` says in a sentence what this test does about it. */
export function promise(id: PromiseId, how: string, body: () => Promise<void> | void, timeout?: number): void {
  test(`${(requirements as Record<string, Requirement>)[id]?.promise ?? ""}: ${how} [${id}]`, body, timeout);
}
