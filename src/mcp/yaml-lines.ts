// A Kubernetes object as YAML that neither misreads nor lets its strings speak.

import { Document, visit, type Scalar } from "yaml";
import type { Json } from "../domain/json.ts";
import { escapePoint, unseen } from "./layout.ts";

/** Longer than any string is: the library breaks a quoted string from this length on at its newlines. */
const maxString = 2 ** 31;

/**
 * An object as YAML 1.2 that YAML 1.1 readers take for the same. Every string with white space is a quoted string on
 * one line, so that text from the cluster never stands bare at the start of a line.
 */
export function yamlLines(object: Json): readonly string[] {
  const document = new Document(object, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  visit(document, {
    Scalar(_key, node: Scalar) {
      if (typeof node.value === "string" && (/\s/.test(node.value) || node.value.search(unseen) >= 0))
        node.type = "QUOTE_DOUBLE";
    },
  });
  const text = document.toString({ lineWidth: 0, indentSeq: false, doubleQuotedMinMultiLineLength: maxString });
  return text.trimEnd().replace(unseen, escapePoint).split("\n");
}
