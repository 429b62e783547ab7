// The harness itself: what it must not let pass. An eval that can't fail proves nothing.

import { expect } from "vitest";
import { promise } from "../support/promise.ts";
import { overGolden } from "./golden.ts";
import type { Result } from "./run.ts";
import { differences, unlike } from "./substance.ts";
import { tasks } from "./tasks/index.ts";

const result = (tokens: number): Result => ({
  number: 7,
  title: "A task",
  pass: true,
  safe: true,
  calls: 2,
  ideal: 2,
  tokens,
  written: 10,
  seconds: 1,
  why: "",
  transcript: [],
});

promise("evals:tokens", "20 % more passes, a token over it fails with the figures and the way to refresh", () => {
  const golden = new Map([[7, 500]]);
  expect(overGolden([result(600)], golden)).toEqual([]);
  expect(overGolden([result(1)], golden)).toEqual([]);
  expect(overGolden([result(601)], golden)).toEqual([
    "Task 7 (A task) costs 601 tokens, 20 % more than its golden 500: make the answers shorter, or accept it with UPDATE_GOLDEN=1 npm run evals -- --task 7, and look at the difference.",
  ]);
  expect(overGolden([result(100)], new Map())).toEqual([
    "Task 7 (A task) has no row in test/golden/evals.json: UPDATE_GOLDEN=1 npm run evals -- --task 7, and look at the difference.",
  ]);
});

promise("evals:harness", "a further field, a missing one, a made and a deleted object are each told", () => {
  const before = new Map([
    ["Deployment/api", ""],
    ["Deployment/api spec.replicas", "3"],
    ["Deployment/api spec.image", '"a"'],
    ["Secret/gone", ""],
    ["Secret/gone data.x", '"1"'],
  ]);
  const after = new Map([
    ["Deployment/api", ""],
    ["Deployment/api spec.replicas", "5"],
    ["Deployment/api spec.paused", "true"],
    ["Job/made", ""],
    ["Job/made spec.x", "1"],
  ]);
  const lines = differences(before, after);
  expect(lines).toEqual([
    "+ Deployment/api spec.paused: true",
    "+ Job/made",
    "- Deployment/api spec.image",
    "- Secret/gone",
    "~ Deployment/api spec.replicas: 3 -> 5",
  ]);
  expect(unlike(lines, lines, [])).toBe("");
  expect(unlike(lines, lines.slice(1), [])).toBe("unexpected: + Deployment/api spec.paused: true");
  expect(unlike(lines, lines.slice(1), [/paused/])).toBe("");
  expect(unlike([], ["+ Job/made"], [])).toBe("missing: + Job/made");
});

promise(
  "evals:harness",
  "each task has a number of its own, and one that changes something says what and by which writes",
  () => {
    expect(new Set(tasks.map((task) => task.number)).size).toBe(tasks.length);
    const silent = tasks.filter((task) => (task.changed ?? []).length > 0 !== (task.wrote ?? []).length > 0);
    expect(silent.map((task) => task.number)).toEqual([]);
  },
);
