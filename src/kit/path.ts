// Paths into objects as agents write them: `.spec.containers[*].image`, `.metadata.labels.app`, `.metadata.annotations["a/b"]`.

import { fault, Faulted } from "../domain/fault.ts";
import { isJsonObject, type Json } from "../domain/json.ts";

type Step = { readonly key: string } | { readonly index: number } | { readonly all: true };

const step = /^(?:\.?([A-Za-z0-9_-]+)|\.?\["([^"\]]{1,253})"\]|\[(\d{1,4})\]|\[\*\])/;

/** Parses a path of at most 200 characters. Faults: invalid_input naming the argument. */
export function parsePath(path: string, argument: string): readonly Step[] {
  const steps: Step[] = [];
  let rest = path;
  while (rest !== "") {
    const found = step.exec(rest);
    if (found === null || path.length > 200)
      throw new Faulted(
        fault("invalid_input", {
          problems: [{ path: argument, rule: "must be a path, for example .spec.containers[*].image" }],
        }),
      );
    const key = found[1] ?? found[2];
    steps.push(key !== undefined ? { key } : found[3] !== undefined ? { index: Number(found[3]) } : { all: true });
    rest = rest.slice(found[0].length);
  }
  return steps;
}

/** Every value that the path reaches, in order. */
export function valuesAt(value: Json, path: readonly Step[]): Json[] {
  return path.reduce<Json[]>((here, one) => here.flatMap((value) => take(value, one)), [value]);
}

function take(value: Json, one: Step): Json[] {
  if ("key" in one) return isJsonObject(value) && Object.hasOwn(value, one.key) ? [value[one.key] ?? null] : [];
  if (!Array.isArray(value)) return "all" in one && isJsonObject(value) ? Object.values(value) : [];
  if ("all" in one) return [...value];
  const found = value[one.index];
  return found === undefined ? [] : [found];
}

/** The values as one table cell: texts bare, the rest as JSON, joined by commas. */
export function cellOf(values: readonly Json[]): string {
  return values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(",");
}
