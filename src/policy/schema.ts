// The JSON Schema of a policy file, for completion and hints in an editor; the loader itself knows more and says it better.

import * as z from "zod";
import { isJsonObject, textAt, type Json, type JsonObject } from "../domain/json.ts";
import { factTypes } from "./fact-types.ts";
import { knownKinds } from "./kinds.ts";
import { fileSchema, ruleSchema } from "./rule-shape.ts";

/** What an editor shows beside each key, by its place in a rule. */
const hints: { readonly [key: string]: string } = {
  version: "The version of the format: 1.",
  zone: "The time zone of `now` in this file's expressions, for example Europe/Berlin. UTC where it is left out.",
  rules:
    "The rules. The strictest that matches wins: deny, then require-approval, then allow; what none allows is denied.",
  id: "Lower-case words joined by hyphens; unique in all files of the policy.",
  effect: "allow, deny, or require-approval, which needs `approval`.",
  match: "What the rule is about. All parts must hold; a part that is left out holds for all. `{}` matches every call.",
  when: `A CEL expression that must hold too. Facts: ${Object.keys(factTypes).join(", ")}. Where it fails, an allow rule does not match, and a deny or approval rule does.`,
  approval: "Who must agree, how many, by when.",
  obligations: "What is asked of the answer.",
  reason: "For people: why the rule is there.",
  tell: "For the agent: what to do instead, or what to wait for.",
  examples:
    "Calls with the answer that the whole policy gives them. They run whenever it loads; one that fails refuses it.",
  tools: "Exact names of tools.",
  effects: "What the call does: read, change, destroy, execute.",
  verbs: "Kubernetes verbs.",
  kinds: "Plural resource names, with group and subresource: pods, pods/log, apps/deployments, GROUP/RESOURCE.",
  namespaces: "Names of namespaces, or prefixes such as kube-*.",
  clusters: "Names of clusters, as the configuration has them.",
  groups: "Groups of the caller.",
  subjects: "Subjects of the caller: SUBJECT, or ISSUER SUBJECT.",
  agents: "Agents that were proven.",
  environments:
    "Values of the namespace's environment label. Where there is none, a deny or approval matches and an allow does not.",
  approvers: "owner, group:NAME or user:SUBJECT.",
  count: "How many different people.",
  expires: "How long the request waits, for example 1h.",
  validFor: "How long an approval that could not start at once may still start, for example 10m.",
  assurance: "How sure it must be who approves: same-device, chat, step-up.",
  escalate: "Who may approve too once nobody has for so long, and is told then.",
  after: "How long after the request, for example 10m; shorter than `expires`.",
  to: "owner, group:NAME or user:SUBJECT.",
  maxBytes: "Most bytes of the answer; what does not fit is cut, and the answer says so.",
  mask: "A masking profile: what it hides is hidden besides what the configured one does.",
};

/** The schema of a file, with the names of these tools to choose from. */
export function policySchema(tools: readonly string[]): JsonObject {
  const options = { io: "input", unrepresentable: "any", target: "draft-7", reused: "inline" } as const;
  const file = JSON.parse(JSON.stringify(z.toJSONSchema(fileSchema, options))) as JsonObject;
  const rule = JSON.parse(JSON.stringify(z.toJSONSchema(ruleSchema, options))) as JsonObject;
  const properties = isJsonObject(file["properties"]) ? file["properties"] : {};
  // Its definitions are looked up from the root.
  const { definitions = {}, ...items } = Object.fromEntries(Object.entries(rule).filter(([key]) => key !== "$schema"));
  const rules: JsonObject = { type: "array", items };
  const whole: JsonObject = {
    ...file,
    title: "A Sallyport access policy",
    properties: { ...properties, rules },
    definitions,
  };
  return hinted(whole, tools) as JsonObject;
}

/** The schema with hints at its keys, and names to choose from where they are known. */
function hinted(value: Json, tools: readonly string[]): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => hinted(one, tools));
  if (!isJsonObject(value)) return value;
  const properties = value["properties"];
  // Not every editor reads Unicode classes; the loader does.
  const shaped = textAt(value, "pattern").includes("\\p{");
  const kept = Object.entries(value).filter(([key]) => key !== "pattern" || !shaped);
  const inner = kept.map(([key, one]) => [key, key === "properties" ? one : hinted(one, tools)] as const);
  if (!isJsonObject(properties)) return Object.fromEntries(inner);
  const told = Object.entries(properties).map(([key, one]) => {
    const made = hinted(one, tools);
    const hint = hints[key];
    if (!isJsonObject(made)) return [key, made];
    return [key, { ...(hint === undefined ? {} : { description: hint }), ...withNames(key, made, tools) }];
  });
  return { ...Object.fromEntries(inner), properties: Object.fromEntries(told) as JsonObject };
}

function withNames(key: string, schema: JsonObject, tools: readonly string[]): JsonObject {
  if (key === "tools" && schema["type"] === "array") return { ...schema, items: { enum: tools } };
  if (key === "kinds" && schema["type"] === "array")
    return {
      ...schema,
      items: {
        anyOf: [{ enum: knownKinds }, { type: "string", pattern: "^[a-z0-9-]+(\\.[a-z0-9-]+)+/[a-z][a-z0-9-]*$" }],
      },
    };
  return schema;
}
