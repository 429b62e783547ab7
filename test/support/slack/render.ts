// What a person sees of blocks, and where they can press: text and taps, so that tests read cards as people do.

export interface Tap {
  readonly label: string;
  readonly action: string;
  readonly value: string;
  readonly style: string;
}

export interface Seen {
  readonly text: string;
  readonly taps: readonly Tap[];
  /** Every element that a reader could press or be called by, but buttons: mentions, links, broadcasts. */
  readonly live: readonly string[];
  /** Words that Slack reads markup in. */
  readonly markup: readonly string[];
  readonly inputs: readonly string[];
}

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
const word = (value: unknown): string => (typeof value === "string" ? value : "");

/** Renders the blocks of a message or a view. */
export function render(blocks: unknown): Seen {
  const seen = {
    text: [] as string[],
    taps: [] as Tap[],
    live: [] as string[],
    markup: [] as string[],
    inputs: [] as string[],
  };
  const textOf = (value: unknown): string => {
    if (!isObject(value)) return "";
    if (value["type"] === "mrkdwn") seen.markup.push(word(value["text"]));
    return word(value["text"]);
  };
  const element = (one: Json): string => {
    switch (one["type"]) {
      case "text":
        return word(one["text"]);
      case "date":
        return word(one["fallback"]);
      case "link":
        seen.live.push(word(one["url"]));
        return word(one["text"]) || word(one["url"]);
      default:
        seen.live.push(word(one["type"]));
        return `<${word(one["type"])}>`;
    }
  };
  const tap = (one: Json): void => {
    if (one["type"] !== "button") return;
    seen.taps.push({
      label: textOf(one["text"]),
      action: word(one["action_id"]),
      value: word(one["value"]),
      style: word(one["style"]),
    });
  };
  for (const block of list(blocks)) {
    switch (block["type"]) {
      case "header":
        seen.text.push(`# ${textOf(block["text"])}`);
        break;
      case "section":
        seen.text.push(textOf(block["text"]));
        if (isObject(block["accessory"])) tap(block["accessory"]);
        break;
      case "context":
        seen.text.push(list(block["elements"]).map(textOf).join(" "));
        break;
      case "actions":
        for (const one of list(block["elements"])) tap(one);
        seen.text.push(
          list(block["elements"])
            .map((one) => `[${textOf(one["text"])}]`)
            .join(" "),
        );
        break;
      case "input": {
        seen.inputs.push(word(block["block_id"]));
        seen.text.push(`${textOf(block["label"])}: ____`);
        break;
      }
      case "rich_text":
        for (const part of list(block["elements"])) {
          const inner = list(part["elements"]).map(element).join("");
          const lead =
            part["type"] === "rich_text_quote" ? "> " : part["type"] === "rich_text_preformatted" ? "| " : "";
          seen.text.push(
            inner
              .split("\n")
              .map((line) => `${lead}${line}`)
              .join("\n"),
          );
        }
        break;
    }
  }
  return { ...seen, text: seen.text.join("\n") };
}
