// What an expression has made sure of: the paths that a condition asked for with has() or `in`.

import { pathOf, type Node } from "./syntax.ts";

/** The paths that are there when the node is true. */
export function andGuards(node: Node): readonly string[] {
  if (node.kind === "field" && node.tested) return pathsOf(node);
  if (node.kind !== "call") return [];
  const [first, second] = node.arguments;
  switch (node.name) {
    case "_&&_":
      return node.arguments.flatMap(andGuards);
    case "!_":
      return node.arguments.flatMap(orGuards);
    case "@in":
      return first === undefined || second === undefined ? [] : pathsOf(entry(second, first));
    default:
      return [];
  }
}

/** The paths that are there when the node is false. */
export function orGuards(node: Node): readonly string[] {
  if (node.kind !== "call") return [];
  if (node.name === "_||_") return node.arguments.flatMap(orGuards);
  return node.name === "!_" ? node.arguments.flatMap(andGuards) : [];
}

const entry = (holder: Node, key: Node): Node => ({
  offset: 0,
  kind: "call",
  name: "_[_]",
  target: null,
  arguments: [holder, key],
});

function pathsOf(node: Node): readonly string[] {
  const path = pathOf(node);
  return path === undefined ? [] : [path];
}
