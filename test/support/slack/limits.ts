// What Slack refuses of messages and views, by slack.md section 2: the names of its errors, and what they are about.

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const word = (value: unknown): string => (typeof value === "string" ? value : "");
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** "" where Slack would take the message, else its error. */
export function messageProblem(blocks: unknown, text: string): string {
  if (text.length > 40_000) return "msg_too_long";
  const all = list(blocks);
  if (all.length > 50) return "invalid_blocks";
  const problem = all.map((one) => blockProblem(one, messageBlocks)).find((one) => one !== "");
  if (problem !== undefined) return "invalid_blocks";
  return sizeOf(blocks) > 13_200 ? "msg_blocks_too_long" : "";
}

export function viewProblem(view: unknown): string {
  if (!isObject(view)) return "invalid_arguments";
  if (JSON.stringify(view).length > 250_000) return "view_too_large";
  const blocks = list(view["blocks"]);
  const bad =
    blocks.length > 100 ||
    blocks.some((one) => blockProblem(one, viewBlocks) !== "") ||
    textProblem(view["title"], 24) !== "" ||
    (view["submit"] !== undefined && textProblem(view["submit"], 24) !== "") ||
    (view["close"] !== undefined && textProblem(view["close"], 24) !== "") ||
    word(view["private_metadata"]).length > 3000 ||
    word(view["callback_id"]).length > 255 ||
    (blocks.some((one) => isObject(one) && one["type"] === "input") && view["submit"] === undefined);
  return bad ? "invalid_arguments" : "";
}

const messageBlocks = ["header", "section", "context", "actions", "rich_text", "divider"];
const viewBlocks = [...messageBlocks, "input"];

function blockProblem(block: unknown, known: readonly string[]): string {
  if (!isObject(block) || !known.includes(String(block["type"]))) return "unknown block";
  switch (block["type"]) {
    case "header":
      return textProblem(block["text"], 150, ["plain_text"]);
    case "section":
      return (
        textProblem(block["text"], 3000) || (block["accessory"] === undefined ? "" : buttonProblem(block["accessory"]))
      );
    case "context": {
      const parts = list(block["elements"]);
      return parts.length > 10 || parts.some((one) => textProblem(one, 3000) !== "") ? "context" : "";
    }
    case "actions": {
      const parts = list(block["elements"]);
      const ids = parts.map((one) => (isObject(one) ? one["action_id"] : ""));
      if (parts.length > 25 || new Set(ids).size !== ids.length) return "actions";
      return parts.map(buttonProblem).find((one) => one !== "") ?? "";
    }
    case "input":
      return inputProblem(block);
    case "rich_text":
      return (
        list(block["elements"])
          .map(richProblem)
          .find((one) => one !== "") ?? ""
      );
  }
  return "";
}

function textProblem(value: unknown, most: number, types = ["plain_text", "mrkdwn"]): string {
  if (!isObject(value) || !types.includes(String(value["type"]))) return "text type";
  const text = value["text"];
  return typeof text === "string" && text.length > 0 && text.length <= most ? "" : "text length";
}

function buttonProblem(value: unknown): string {
  if (!isObject(value) || value["type"] !== "button") return "element";
  if (word(value["value"]).length > 2000 || word(value["action_id"]).length > 255) return "button";
  return textProblem(value["text"], 75, ["plain_text"]);
}

function inputProblem(block: Json): string {
  const element = block["element"];
  if (textProblem(block["label"], 2000, ["plain_text"]) !== "" || !isObject(element)) return "label";
  const options = list(element["options"]);
  const wrong = options.some(
    (one) => !isObject(one) || textProblem(one["text"], 75) !== "" || String(one["value"]).length > 150,
  );
  if (wrong || options.length > 100) return "options";
  return ["plain_text_input", "static_select", "checkboxes"].includes(String(element["type"])) ? "" : "element";
}

const parts: { readonly [type: string]: readonly string[] } = {
  rich_text_section: ["text", "link", "user", "usergroup", "channel", "broadcast", "emoji", "date"],
  rich_text_quote: ["text", "link", "user", "usergroup", "channel", "broadcast", "emoji", "date"],
  rich_text_preformatted: ["text", "link"],
  rich_text_list: ["text", "link"],
};

function richProblem(part: unknown): string {
  const known = isObject(part) ? parts[String(part["type"])] : undefined;
  if (known === undefined || !isObject(part)) return "rich text";
  return list(part["elements"]).every((one) => {
    if (!isObject(one) || !known.includes(String(one["type"]))) return false;
    if (one["type"] === "date") return Number.isInteger(one["timestamp"]) && typeof one["format"] === "string";
    return one["type"] !== "text" || (typeof one["text"] === "string" && one["text"].length > 0);
  })
    ? ""
    : "rich text element";
}

function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + sizeOf(one), 0);
  if (!isObject(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, one]) => sum + (key === "text" && typeof one === "string" ? one.length : sizeOf(one)),
    0,
  );
}
