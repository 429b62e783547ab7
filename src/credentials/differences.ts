// Says in words how an installed object is not as enrolment would write it: for the person who has to judge it, not for a program.

import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { differencesOf } from "./compare.ts";

const most = 4;

/** `label sallyport.dev/enrolment is missing`, `may also create pods/exec`, `validations[0].expression is another`. At most a few; the rest is counted. */
export function wordsOf(want: JsonObject, have: JsonObject): readonly string[] {
  const paths = differencesOf(want, have);
  const marks = paths.filter((path) => path.startsWith("metadata."));
  const rules = paths.some((path) => path.startsWith("rules"));
  const others = paths.filter((path) => !path.startsWith("metadata.") && !path.startsWith("rules"));
  return shortened([
    ...marks.map((path) => markWords(path, have)),
    ...(rules ? ruleWords(want["rules"], have["rules"]) : []),
    ...others.map((path) => `${path} is another`),
  ]);
}

function shortened(words: readonly string[]): readonly string[] {
  return words.length <= most ? words : [...words.slice(0, most), `${words.length - most} more differences`];
}

function markWords(path: string, have: JsonObject): string {
  const [, part = "", key = ""] = /^metadata\.(labels|annotations)\[(.*)\]$/.exec(path) ?? [];
  const mark = part === "labels" ? "label" : "annotation";
  return `${mark} ${key} ${textAt(have, "metadata", part, key) === "" ? "is missing" : "is another"}`;
}

/** What the rules allow more and less than they should, as `verb group/resource`. */
function ruleWords(want: Json | undefined, have: Json | undefined): readonly string[] {
  const [wanted, found] = [rightsIn(want), rightsIn(have)];
  const more = [...found].filter((right) => !wanted.has(right));
  const less = [...wanted].filter((right) => !found.has(right));
  const told = (words: string, rights: readonly string[]): string[] =>
    rights.length === 0
      ? []
      : [`${words} ${rights.slice(0, 5).join(", ")}${rights.length > 5 ? ` and ${rights.length - 5} more` : ""}`];
  const both = [...told("may also", more), ...told("may no longer", less)];
  return both.length > 0 ? both : ["rules are written otherwise, and allow the same"];
}

function rightsIn(rules: Json | undefined): ReadonlySet<string> {
  const list = (rule: JsonObject, key: string): readonly string[] => {
    const values = rule[key];
    return Array.isArray(values) ? values.map(String) : [];
  };
  const rights = (Array.isArray(rules) ? rules : []).filter(isJsonObject).flatMap((rule) => {
    const names = list(rule, "resourceNames");
    const of = names.length === 0 ? [""] : names.map((name) => ` ${name}`);
    const things = list(rule, "apiGroups").flatMap((group) =>
      list(rule, "resources").map((resource) => (group === "" ? resource : `${group}/${resource}`)),
    );
    return list(rule, "verbs").flatMap((verb) =>
      [...things, ...list(rule, "nonResourceURLs")].flatMap((thing) => of.map((name) => `${verb} ${thing}${name}`)),
    );
  });
  return new Set(rights);
}
