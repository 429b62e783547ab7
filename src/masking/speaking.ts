// Notices text from the cluster that speaks to an AI. It is a note for the agent and for rules that ask for taint, and no fence: who words it otherwise is not seen.

import { isJsonObject, type Json } from "../domain/json.ts";
import type { Output, Sentence } from "../domain/output.ts";

const gap = "[^\\n]{0,40}?";
/** How such text is known: orders about earlier orders, roles, addressees, chat templates, secrecy, our own tools by name. */
const ways = [
  `\\b(?:ignore|disregard|forget|override|bypass)\\b${gap}\\b(?:instructions?|prompts?|rules?|guidelines?|directions?|polic(?:y|ies)|approvals?)\\b`,
  `\\b(?:new|updated|real|actual|important|urgent)\\s+(?:system\\s+)?instructions?\\b`,
  `\\b(?:you are|you're|act as|behave as|pretend to be)\\b[^\\n]{0,20}?\\b(?:ai|assistant|llm|language model|agent|chatbot|administrator)\\b`,
  `\\b(?:dear|hey|hello|hi|attention|note (?:to|for)|messages? (?:to|for)|instructions? (?:to|for)|to|as an?)\\s+(?:(?:the|any|all|every|you,?)\\s+)?(?:ai|llm|assistant|language model|claude|chatgpt|gpt|gemini|copilot|codex|(?:ai|coding) (?:agent|assistant|model))s?\\b`,
  `\\b(?:ai|coding) (?:agents?|assistants?|models?)\\b${gap}\\b(?:must|should|please|need to|have to|are to|is to)\\b`,
  `\\bsystem prompt\\b|\\bjailbreak\\b|\\bdeveloper mode\\b|\\bdo anything now\\b`,
  `<\\|im_(?:start|end)\\|>|<\\|(?:system|user|assistant)\\|>|\\[/?INST\\]|</?(?:system|assistant|tool_call|function_call|function_calls|instructions)>`,
  `\\b(?:do not|don't|never)\\s+(?:tell|inform|alert|mention|show)\\b${gap}\\b(?:users?|humans?|operators?|approvers?|anyone|anybody)\\b`,
  `\\b(?:access_review|approval_wait|conditions_wait|events_list|jobs_run|kinds_explain|logs_read|manifests_apply|metrics_top|nodes_cordon|nodes_drain|objects_(?:delete|get|list|patch)|pods_exec|problems_diagnose|rollouts_(?:get|undo)|workloads_(?:restart|scale|update))\\b`,
];
const speaks = new RegExp(ways.join("|"), "i");

/** Shorter texts are names, states and counts. */
const shortest = 12;

/** Does a text speak to an AI? */
export function speaksToAi(text: string): boolean {
  return text.length >= shortest && speaks.test(text);
}

/** How many texts of an answer do: lines of logs, cells, strings of objects, quotations. Our own words are not looked at. */
export function speakingTexts({ headline, blocks }: Pick<Output, "headline" | "blocks">): number {
  let found = quotedIn(headline);
  for (const block of blocks)
    switch (block.kind) {
      case "line":
        found += quotedIn(block.line);
        break;
      case "table":
        for (const row of block.rows) found += row.filter(speaksToAi).length;
        break;
      case "object":
        found += stringsIn(block.object);
        break;
      case "data":
        // Most logs hold no such line: one look at the whole tells.
        if (speaksToAi(block.text)) found += Math.max(1, block.text.split("\n").filter(speaksToAi).length);
        break;
      case "diff":
        for (const line of block.lines) found += [line.path, line.before, line.after].some(speaksIn) ? 1 : 0;
        break;
    }
  return found;
}

function speaksIn(text: string | null): boolean {
  return text !== null && speaksToAi(text);
}

function quotedIn(parts: Sentence): number {
  return parts.filter((part) => typeof part !== "string" && speaksToAi(part.quoted)).length;
}

function stringsIn(value: Json): number {
  if (typeof value === "string") return speaksToAi(value) ? 1 : 0;
  if (Array.isArray(value)) return value.reduce((sum: number, one: Json) => sum + stringsIn(one), 0);
  if (!isJsonObject(value)) return 0;
  return Object.entries(value).reduce((sum, [key, inner]) => sum + (speaksToAi(key) ? 1 : 0) + stringsIn(inner), 0);
}
